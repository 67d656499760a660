"""The rollups of a task's metrics history, folded line by line; a fold that was saved and taken up again gives the same bits."""

from collections.abc import Iterable, Mapping

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.epochs import Epochs
from orchestrator_py.core.figures import read_count, read_members, totals_from_data, totals_to_data
from orchestrator_py.core.history_lines import run_id_of_entry
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.learning_totals import LearningTotals
from orchestrator_py.core.run_totals import RunTotals, create_baseline
from orchestrator_py.errors import DecodeError
from orchestrator_py.lean import define, field
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.rollups import Baseline, Rollups
from orchestrator_py.model.timestamp import Timestamp

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STATE_VERSION = 2  # raise it when the same lines come to different totals: saved states are then rebuilt
_STATE_KEYS = {"version", "unreadable", "first", "runs", "learning", "epochs"}


@define(kw_only=True)
class Rollup:
    """Totals over the lines added so far. Its size is that of the epochs and their tools, whatever the number of runs."""

    unreadable: int = 0
    first: Baseline | None = None
    runs: RunTotals = field(factory=RunTotals)
    learning: LearningTotals = field(factory=LearningTotals)
    epochs: Epochs = field(factory=Epochs)

    @classmethod
    def empty(cls) -> "Rollup":
        return cls()

    def add_line(self, line: bytes) -> None:
        """Adds the entry that the line holds. A blank line is nothing; one that holds no JSON object is skipped and counted."""
        self._add(line)

    def documents(self, *, baseline: Baseline | None, updated_at: Timestamp) -> Rollups:
        """The documents to be written: none before the first entry.

        `baseline` is the one that is already on record; it is never replaced. The MTTR is measured against the one that
        holds afterwards.
        """
        if self.first is None:
            return Rollups()
        return Rollups(
            baseline=self.first if baseline is None else None,
            post_rollout=self.runs.post_rollout(updated_at),
            completeness=self.runs.completeness(updated_at),
            per_epoch=self.epochs.per_epoch(updated_at),
            mttr_delta=self.runs.mttr_delta(self.first if baseline is None else baseline, updated_at),
            state=self.learning.state(updated_at),
        )

    def to_data(self) -> dict[str, object]:
        """The totals as JSON data, from which the fold can go on later."""
        return {
            "version": _STATE_VERSION,
            "unreadable": self.unreadable,
            "first": None if self.first is None else to_json(self.first),
            "runs": totals_to_data(self.runs),
            "learning": totals_to_data(self.learning),
            "epochs": self.epochs.to_data(),
        }

    @classmethod
    def from_data(cls, data: object) -> "Rollup":
        """The opposite of to_data; DecodeError (a ValueError) for anything else."""
        members = read_members(data, _STATE_KEYS)
        version = read_count(members["version"])
        if version != _STATE_VERSION:
            raise DecodeError(f"Rollup state: version {version} is not version {_STATE_VERSION}; rebuild the rollups.")
        rollup = cls(
            unreadable=read_count(members["unreadable"]),
            first=_read_first(members["first"]),
            runs=totals_from_data(RunTotals, members["runs"]),
            learning=totals_from_data(LearningTotals, members["learning"]),
            epochs=Epochs.from_data(members["epochs"]),
        )
        if (rollup.first is None) != (rollup.runs.runs == 0):
            raise DecodeError("Rollup state: it has runs without a first one, or a first one without runs; rebuild the rollups.")
        return rollup

    def _add(self, line: bytes) -> Mapping[str, object] | None:
        """The entry that was added, if one was."""
        if not line.strip():
            return None
        entry = _read_entry(line)
        if entry is None:
            self.unreadable += 1
            return None
        if self.first is None:
            self.first = create_baseline(entry)
        self.runs.add(entry)
        self.learning.add(entry)
        self.epochs.add(entry)
        return entry


def rollup_of_history(lines: Iterable[bytes]) -> Rollup:
    """The fold of a whole history in which each run counts once: in the place of its first line, with the entry of its last."""
    rollup, repeated = Rollup.empty(), False
    latest: dict[object, bytes] = {}
    for line in lines:
        entry = rollup._add(line)
        if entry is None:
            continue
        run_id = run_id_of_entry(entry)
        key = len(latest) if run_id is None else run_id  # an entry without a name stands for itself
        repeated = repeated or key in latest
        latest[key] = line
    return _fold(latest.values(), unreadable=rollup.unreadable) if repeated else rollup


def _fold(lines: Iterable[bytes], *, unreadable: int) -> Rollup:
    rollup = Rollup(unreadable=unreadable)
    for line in lines:
        rollup.add_line(line)
    return rollup


def _read_entry(line: bytes) -> dict[str, object] | None:
    """The JSON object that the line holds, or None; files from elsewhere may begin with a byte order mark."""
    try:
        entry = parse_json(line.removeprefix(_BYTE_ORDER_MARK))
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _read_first(data: object) -> Baseline | None:
    if data is None:
        return None
    first = from_json(Baseline, data) if isinstance(data, dict) else Baseline()
    if first.completion_rate is ABSENT or first.extra:
        raise DecodeError("Rollup state: the first entry is not a baseline document; rebuild the rollups.")
    return first
