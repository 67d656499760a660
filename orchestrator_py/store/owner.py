"""The owner of one task: the process that holds the lock, and alone writes journal, history and rollups."""

from collections.abc import Callable, Sequence
from functools import partial

from orchestrator_py.lean import define
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.files import remove_file
from orchestrator_py.store.folders import make_durable_task_folders
from orchestrator_py.store.history import History, read_history
from orchestrator_py.store.journal import Batch, Journal, SegmentError, create_batch, in_batches
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.ledger import Ledger
from orchestrator_py.store.lock import WriterLock, try_lock
from orchestrator_py.store.queue import entry_size, join_lines, read_queue
from orchestrator_py.store.recovery import recover
from orchestrator_py.store.rollup_files import Coverage, RollupFiles

SMALL_HISTORY_BYTES = 1024 * 1024
GROWN_SHARE = 8  # a fold is worth its copy when the journal holds an eighth of the history
BUSY_BYTES = 1024 * 1024  # under load, a fold waits for more than a small journal


@define(kw_only=True)
class Owner:
    """Any StoreError that leaves a method ends the ownership: abandon it, and let the next open decide."""

    task: TaskLayout
    lock: WriterLock
    ledger: Ledger
    history: History
    journal: Journal
    rollups: RollupFiles

    # Durable ---------------------------------------------------------------------------------------------------

    def commit(self, entries: Sequence[EntryLine]) -> None:
        """Returns when every entry is durable. The last entry of a run counts: what was queued of one that is repeated goes before it."""
        self.lock.check()
        if any(entry.repeated for entry in entries):
            self.absorb()
        for group in in_batches(entries, entry_size):
            self._record(group)

    def absorb(self) -> None:
        """Records what other processes have queued. A queue file goes when the batch that names it is durable."""
        self.lock.check()
        for files in read_queue(self.task.pending):
            names = tuple(file.name for file in files)
            self._record([entry for file in files for entry in file.entries], absorbed=names)
            for name in names:
                remove_file(self.task.pending / name)

    def _record(self, entries: Sequence[EntryLine], absorbed: tuple[str, ...] = ()) -> None:
        sifted = self.ledger.sift(entries)
        if not sifted.entries:
            return
        if sifted.superseding:
            self.rollups.invalidate()
        lines = join_lines(sifted.entries)
        self._append(create_batch(start=self.journal.end, lines=lines, absorbed=absorbed))
        self.rollups.add(lines)

    def _append(self, batch: Batch) -> None:
        """After a failed append the segment is finished, and the batch goes once more, into a new one. A second error is final."""
        try:
            self.journal.append(batch)
        except SegmentError:
            self.fold()
            self.journal.append(batch)

    # Visible ---------------------------------------------------------------------------------------------------

    def show(self, *, idle: bool) -> None:
        """Absorbs the queue, folds if it is worth it, publishes the rollups."""
        self.absorb()
        if self._fold_is_due(idle=idle):
            self.fold()
        self.publish()

    def fold(self) -> None:
        """The journal's lines enter the history; then its segment goes."""
        if self.journal.end > self.history.size:
            self.history.extend(batch.lines for batch in self.journal.acknowledged(self.history.size))
        self.journal.drop_segments()

    def publish(self) -> None:
        self.journal.settle()
        self.rollups.publish(self.coverage)

    def _fold_is_due(self, *, idle: bool) -> bool:
        """So the bytes written by folds stay a constant multiple of the bytes recorded."""
        size, grown = self.history.size, self.journal.end - self.history.size
        if grown == 0:
            return False
        if idle and (size <= SMALL_HISTORY_BYTES or self.history.cloned):
            return True
        return grown >= (0 if idle else BUSY_BYTES) and grown * GROWN_SHARE >= size

    @property
    def coverage(self) -> Coverage:
        """What the rollups of this moment are made from."""
        return Coverage(end=self.journal.end, stamp=self.history.stamp, mark=self.journal.mark)

    # The end of ownership --------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Everything visible, then the lock is free. Whoever calls must look at the queue once more."""
        self.show(idle=True)
        self.abandon()

    def abandon(self) -> None:
        """Frees the lock and writes nothing."""
        self.journal.finish()
        self.lock.release()


def try_to_own(task: TaskLayout, now: Callable[[], Timestamp]) -> Owner | None:
    """Recovers and owns the task, or None if another process owns it."""
    make_durable_task_folders(task)
    lock = try_lock(task.lock)  # R1
    if lock is None:
        return None
    try:
        ledger, rollups = Ledger(partial(read_history, task)), RollupFiles(task, now)
        history, journal = recover(task, ledger, rollups)  # R2 to R5
        owner = Owner(task=task, lock=lock, ledger=ledger, history=history, journal=journal, rollups=rollups)
    except BaseException:
        lock.release()
        raise
    try:
        owner.show(idle=True)  # R6
    except BaseException:
        owner.abandon()
        raise
    return owner
