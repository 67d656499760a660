"""Counts over the lines of a task's history that only ever grow, and a memory of them: what was counted is not read again."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from orchestrator_py.core.figures import is_figure
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.lean import define, field
from orchestrator_py.model.timestamp import parse_timestamp
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout

OUTCOMES = ("succeeded", "failed", "cancelled")
"""What the history knows of how a run ended; it has no finer words."""
UNKNOWN = "unknown"
"""What another writer called by a word of its own: labels stay few, whatever stands in a file."""

BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Seconds: from a script to a night's work."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@define(kw_only=True)
class Counts:
    """Every line counts, and a run that was resumed has one for each time it ended: no count ever falls.

    `buckets` has one more place than BUCKETS, for what took longer. Times are seconds since 1970.
    """

    ended: Counter[str] = field(factory=Counter)
    commands: Counter[str] = field(factory=Counter)
    recovery_events: float = 0
    buckets: list[int] = field(factory=lambda: [0] * (len(BUCKETS) + 1))
    duration_seconds: float = 0.0
    unreadable: int = 0
    last: Mapping[str, object] = field(factory=dict)
    """The newest entry; empty before the first."""
    last_success_at: float | None = None

    def add_line(self, line: bytes) -> None:
        """A blank line is nothing; one that holds no JSON object is only counted."""
        if not line.strip():
            return
        try:
            entry = parse_json(line.removeprefix(_BYTE_ORDER_MARK))
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            self._add(entry)
        else:
            self.unreadable += 1

    def _add(self, entry: Mapping[str, object]) -> None:
        self.last, status = entry, entry.get("status")
        self.ended[status if isinstance(status, str) and status in OUTCOMES else UNKNOWN] += 1
        for word in ("passed", "failed"):
            self.commands[word] += int(amount(entry.get(f"commands_{word}")))
        stats = entry.get("instance_stats")
        if isinstance(stats, list):
            self.recovery_events += sum(amount(stat.get("recovery_events")) for stat in stats if isinstance(stat, dict))
        seconds = entry.get("duration_seconds")
        if is_figure(seconds) and seconds >= 0:
            self.buckets[bisect_left(BUCKETS, seconds)] += 1
            self.duration_seconds += seconds
        if status == "succeeded":
            self.last_success_at = ended_at(entry) or self.last_success_at


def amount(value: object) -> float:
    """The value if it can be added to a count, else nothing."""
    return value if is_figure(value) and value >= 0 else 0


def ended_at(entry: Mapping[str, object]) -> float | None:
    """Seconds since 1970; when it was recorded, if nobody saw the end."""
    moment = parse_timestamp(entry.get("completed_at")) or parse_timestamp(entry.get("recorded_at"))
    return None if moment is None else moment.timestamp()


@define(eq=False)
class CountedHistory:
    """The counts of one task, brought up to date with each call of `read`.

    The last line that was counted is read again: if it does not stand where it stood, somebody has mended or replaced the history,
    and everything is counted anew.
    """

    counts: Counts = field(factory=Counts, init=False)
    _last_line: bytes = field(default=b"", init=False)
    _start: int = field(default=0, init=False)  # of that line

    def read(self, task: TaskLayout) -> Counts:
        """StoreError if history or journal cannot be read, or the journal is damaged: what stands before the damage is too few."""
        lines = read_history(task, self._start)
        if self._start or self._last_line:
            if next(lines, None) != self._last_line:
                self.counts, self._last_line, self._start = Counts(), b"", 0
                return self.read(task)
            following = self._start + len(self._last_line) + 1
        else:
            following = 0
        for line in lines:
            self.counts.add_line(line)
            self._start, self._last_line, following = following, line, following + len(line) + 1
        return self.counts
