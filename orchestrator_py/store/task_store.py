"""The durable store of one task, in whatever process: as its owner, or through the queue while another process owns it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from orchestrator_py.errors import DefectError, StoreError
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import define
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.mounts import check_file_system
from orchestrator_py.store.owner import Owner, try_to_own
from orchestrator_py.store.queue import enqueue, list_queue


def open_task_store(layout: Layout, task_id: TaskId, *, now: Callable[[], Timestamp]) -> "TaskStore":
    """Recovers what an earlier process left behind, and publishes the rollups. StoreError if that is not possible."""
    task = layout.task(task_id)
    store = TaskStore(task, now)
    with store._stopping_on_error():
        check_file_system(task.folder)
        store._owner = try_to_own(task, now)
    return store


@define
class TaskStore:
    """Entries in, in one thread at a time. After a StoreError everything is refused with the same error; open the task again.

    An entry whose commit raised may be on record nevertheless: send it again marked as repeated.
    """

    _task: TaskLayout
    _now: Callable[[], Timestamp]
    _owner: Owner | None = None
    _refusal: StoreError | None = None

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        """Returns when every entry is durable: it survives kill -9 and power loss, and will count once."""
        _refuse_broken_lines(entries)
        with self._stopping_on_error():
            if self._owner is not None:
                self._owner.commit(entries)
            else:
                enqueue(self._task.pending, entries)
                self._owner = try_to_own(self._task, self._now)

    def publish(self) -> None:
        """Under load, now and then: shows what was recorded. Folds only when the journal has grown large."""
        with self._stopping_on_error():
            if self._owner is not None:
                self._owner.show(idle=False)

    def rest(self) -> None:
        """When idle: absorbs the queue, folds if that is cheap, publishes the rollups. Costs two calls when nothing is new."""
        with self._stopping_on_error():
            if self._owner is not None:
                self._owner.show(idle=True)

    def flush(self) -> None:
        """Everything recorded so far stands in metrics.json and in the rollups when this returns (if this process owns the task)."""
        with self._stopping_on_error():
            if self._owner is not None:
                self._owner.absorb()
                self._owner.fold()
                self._owner.publish()

    def close(self) -> None:
        """Shows everything, hands over, unlocks. A second call, or one after an error, does nothing.

        Either an enqueuer gets the lock, or its file precedes the last listing here: nothing is left behind.
        """
        if self._refusal is not None:
            return
        with self._stopping_on_error():
            while self._owner is not None:
                self._owner.leave()
                self._owner = try_to_own(self._task, self._now) if list_queue(self._task.pending) else None
        self._refusal = StoreError(f"{self._task.folder}: the store is closed; open the task again.")

    @contextmanager
    def _stopping_on_error(self) -> Iterator[None]:
        """Whatever goes wrong inside is final: the lock is freed, and only the next open may decide what is on disk."""
        if self._refusal is not None:
            raise self._refusal
        try:
            yield
        except BaseException as error:
            self._refusal = error if isinstance(error, StoreError) else self._broken_off(error)
            owner, self._owner = self._owner, None
            if owner is not None:
                owner.abandon()
            if isinstance(error, OSError):
                raise self._refusal from error
            raise

    def _broken_off(self, error: BaseException) -> StoreError:
        return StoreError(f"{self._task.folder}: writing broke off ({type(error).__name__}: {error}); open the task again.")


def _refuse_broken_lines(entries: Sequence[EntryLine]) -> None:
    """An entry is one line, and no line of the journal but a commit line begins with `#`."""
    for entry in entries:
        if not entry.line or b"\n" in entry.line or entry.line.startswith(b"#"):
            raise DefectError(f"run {entry.run_id}: an entry must be one line of JSON; this is a defect of the caller.")
