"""The rollup documents of one task, and the state that lets the next owner go on without reading the whole history.

The state is a cache: it may be behind, never ahead of what is durable. It is trusted only if nothing at all differs.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import encode_json, parse_json, pretty_json
from orchestrator_py.core.rollup import Rollup, rollup_of_history
from orchestrator_py.errors import StoreError
from orchestrator_py.lean import asdict, define, field, frozen
from orchestrator_py.model.rollups import Baseline, Completeness, MttrDelta, PerEpoch, PostRollout, RollupDocument, TaskState
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.files import fsync_folder, read_bytes, remove_file, replacing, write_all
from orchestrator_py.store.formats import NewerStateError, newer_format
from orchestrator_py.store.history import Stamp, read_history
from orchestrator_py.store.journal import Mark
from orchestrator_py.store.layout import TaskLayout

TRIES = 10
MOST_UNREAD_BYTES = 1024 * 1024


@frozen(kw_only=True)
class Coverage:
    """What the rollups were made from: the lines before byte `end` of history and journal, with metrics.json as `stamp` says.

    `mark` is that end in the journal, None if nothing of the journal is behind the history.
    """

    end: int
    stamp: Stamp
    mark: Mark | None = None


def document_files(task: TaskLayout) -> dict[type[RollupDocument], Path]:
    """Where each document lies."""
    return {
        Baseline: task.baseline,
        PostRollout: task.post_rollout,
        Completeness: task.completeness,
        PerEpoch: task.per_epoch,
        MttrDelta: task.mttr_delta,
        TaskState: task.state,
    }


@define
class RollupFiles:
    """The owner's rollups."""

    task: TaskLayout
    now: Callable[[], Timestamp]
    _rollup: Rollup | None = None
    """None: to be rebuilt from the whole history before the next publication."""
    _published: Coverage | None = None
    _unread: list[bytes] = field(factory=list, init=False)
    """Recorded lines that it does not hold yet: who waits for a commit does not wait until they are read."""
    _unread_bytes: int = field(default=0, init=False)

    def load(self, stamp: Stamp) -> Coverage | None:
        """Goes on from the state on disk, if it was made with this metrics.json; then what it covers. Otherwise they will be rebuilt.

        NewerStateError if only a newer version of the package understands the state.
        """
        self.refuse_newer()
        match self._read_state():
            case {"end": int(end), "stamp": made_with, "mark": mark, "rollup": data, "documents": documents} if made_with == asdict(stamp):
                try:
                    self._rollup = Rollup.from_data(data)
                except ValueError:
                    return None
                coverage = Coverage(end=end, stamp=stamp, mark=_mark(mark))
                self._published = coverage if documents == self._sums({}) else None
                return coverage
        return None

    def refuse_newer(self) -> None:
        """NewerStateError if only a newer version of the package understands the state on disk."""
        match self._read_state(), Rollup.empty().to_data():
            case {"rollup": {"version": int(version)}}, {"version": int(known)} if version > known:
                path = self.task.rollup_state
                raise NewerStateError(f"{newer_format(path, version, known)} Or set it aside with `orchestrator-py metrics rebuild`.")

    def _read_state(self) -> object:
        return open_seal(read_bytes(self.task.rollup_state) or b"")

    def forget(self) -> None:
        """The state on disk does not fit: rebuild."""
        self._rollup = self._published = None
        self._unread.clear()
        self._unread_bytes = 0

    def add(self, lines: bytes) -> None:
        """Takes in recorded lines."""
        if self._rollup is not None:
            self._unread.append(lines)
            self._unread_bytes += len(lines)
            if self._unread_bytes >= MOST_UNREAD_BYTES:
                self._read(self._rollup)

    def _read(self, rollup: Rollup) -> None:
        for lines in self._unread:
            for line in lines.split(b"\n"):
                rollup.add_line(line)
        self._unread.clear()
        self._unread_bytes = 0

    def invalidate(self) -> None:
        """Before an entry is recorded that takes the place of an earlier one: no state may be found that counts both."""
        self.forget()
        remove_file(self.task.rollup_state)
        fsync_folder(self.task.rollups)

    def publish(self, coverage: Coverage) -> None:
        """Writes documents, then state, if something is new; `coverage` is what has been recorded so far. Of nothing there are none.

        The state names the sums of the documents: whoever opens the task next publishes again only what somebody has changed.
        """
        if coverage == self._published or (coverage.end == 0 and not self.task.rollup_state.exists()):
            return
        rollup = self._rollup if self._rollup is not None else rollup_of_history(read_history(self.task))
        self._rollup = rollup
        self._read(rollup)
        files = document_files(self.task)
        documents = rollup.documents(baseline=read_baseline(self.task.baseline), updated_at=self.now())
        written = {files[type(document)]: encode_json(pretty_json(to_json(document)) + "\n") for document in documents}
        _replace(written)
        state = _seal({**asdict(coverage), "rollup": rollup.to_data(), "documents": self._sums(written)})
        _replace({self.task.rollup_state: state})
        self._published = coverage

    def _sums(self, known: Mapping[Path, bytes]) -> dict[str, int | None]:
        """The crc of each document, None where there is none; what is not `known` is read."""
        contents = {path.name: known.get(path) or read_bytes(path) for path in document_files(self.task).values()}
        return {name: None if content is None else zlib.crc32(content) for name, content in contents.items()}


def _mark(data: object) -> Mark | None:
    match data:
        case {"segment": str(segment), "offset": int(offset)}:
            return Mark(segment=segment, offset=offset)
    return None


def _replace(contents: Mapping[Path, bytes], tries: int = TRIES) -> None:
    """One after the other, each whole after a power loss, old or new: the next owner publishes again, so the names need not be durable.

    All are written before the first waits for the disk, which takes half as long. A temp file that is gone is written again: who owns the
    task in another runs folder with the same `out` may have swept it.
    """
    try:
        with ExitStack() as files:
            for path, content in reversed([*contents.items()]):  # what is entered last takes its place first
                write_all(files.enter_context(replacing(path, synced=True)), content)
    except StoreError as error:
        if tries <= 1 or not isinstance(error.__cause__, FileNotFoundError):
            raise
        _replace(contents, tries - 1)


def read_baseline(path: Path) -> Baseline | None:
    """The baseline on record, None if there is none or if it cannot be read (then it is made again, from the same first line)."""
    try:
        data = parse_json(read_bytes(path) or b"null")
    except ValueError:
        return None
    match data:
        case None:
            return None
        case dict():
            return from_json(Baseline, data)
        case _:
            return Baseline()  # another writer's: it stays, though nothing can be measured against it


def _seal(state: dict[str, object]) -> bytes:
    return _sealed(json.dumps(state, separators=(",", ":")).encode())


def open_seal(content: bytes) -> object:
    """The state, None if its own crc does not fit."""
    text = content[len(_sealed(b"")) - 2 : -2]
    return json.loads(text) if _sealed(text) == content else None


def _sealed(text: bytes) -> bytes:
    return b'{"crc32":"%08x","state":%b}\n' % (zlib.crc32(text), text)
