"""The rollup documents of one task, and the state that lets the next owner go on without reading the whole history.

The state is a cache: it may be behind, never ahead of what is durable. It is trusted only if nothing at all differs.
"""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

from attrs import asdict, define, frozen

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import encode_json, parse_json, pretty_json
from orchestrator_py.core.rollup import Rollup, rollup_of_history
from orchestrator_py.model.rollups import Baseline, Completeness, MttrDelta, PerEpoch, PostRollout, RollupDocument, TaskState
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.files import fsync_folder, read_bytes, remove_file, replacing, write_all
from orchestrator_py.store.history import Stamp, read_history
from orchestrator_py.store.layout import TaskLayout


@frozen(kw_only=True)
class Coverage:
    """What the rollups were made from: the lines before byte `end` of history and journal, with metrics.json as `stamp` says."""

    end: int
    stamp: Stamp


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

    def load(self, coverage: Coverage) -> None:
        """Goes on from the state on disk, which may be behind: the tail is added. Any difference leaves the rollups to be rebuilt."""
        state = open_seal(read_bytes(self.task.rollup_state) or b"")
        match state:
            case {"end": int(end), "stamp": stamp, "rollup": data} if stamp == asdict(coverage.stamp) and end <= coverage.end:
                self._rollup = self._add_tail(data, end)

    def _add_tail(self, data: object, end: int) -> Rollup | None:
        """Reads from the byte before the end on: it must be a newline, so the first line must be empty."""
        try:
            rollup = Rollup.from_data(data)
        except ValueError:
            return None
        lines = read_history(self.task, max(0, end - 1))
        if end > 0 and next(lines, None) != b"":
            return None
        for line in lines:
            rollup.add_line(line)
        return rollup

    def add(self, lines: bytes) -> None:
        """Takes in recorded lines."""
        if self._rollup is not None:
            for line in lines.split(b"\n"):
                self._rollup.add_line(line)

    def invalidate(self) -> None:
        """Before an entry is recorded that takes the place of an earlier one: no state may be found that counts both."""
        self._rollup = None
        remove_file(self.task.rollup_state)
        fsync_folder(self.task.rollups)

    def publish(self, coverage: Coverage) -> None:
        """Writes documents, then state, if something is new; `coverage` is what has been recorded so far."""
        if coverage == self._published:
            return
        rollup = self._rollup if self._rollup is not None else rollup_of_history(read_history(self.task))
        self._rollup = rollup
        files = document_files(self.task)
        for document in rollup.documents(baseline=read_baseline(self.task.baseline), updated_at=self.now()):
            _replace(files[type(document)], encode_json(pretty_json(to_json(document)) + "\n"))
        _replace(self.task.rollup_state, _seal({**asdict(coverage), "rollup": rollup.to_data()}))
        self._published = coverage


def _replace(path: Path, content: bytes) -> None:
    """Whole after a power loss, old or new: the next owner publishes again, so the name need not be durable."""
    with replacing(path, synced=True) as temp:
        write_all(temp, content)


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
