"""The newest runs as the charts and their tables need them: one fact for each run, and sums over equal numbers of runs. Oldest first."""

from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Iterator, Sequence

from orchestrator_py.pages.words import class_of
from orchestrator_py.reading.figures import median, percentile
from orchestrator_py.reading.task_report import TaskReport, seconds_of
from orchestrator_py.reading.timeline import seconds_of_time

_SMALLEST_WINDOW, _WINDOWS = 20, 50


class RunFacts:
    """Of one run: `start` in seconds since 1970, `seconds` that it took; None if it is not known."""

    __slots__ = ("failed", "passed", "run_id", "seconds", "start", "word")

    def __init__(self, *, run_id: str, word: str, start: float | None, seconds: float | None, passed: object, failed: object) -> None:
        self.run_id = run_id
        self.word = word
        self.start = start
        self.seconds = seconds
        self.passed = passed
        self.failed = failed


class Period:
    """Runs that follow one another."""

    __slots__ = ("counts", "end", "median", "p95", "runs", "start")

    def __init__(self, facts: Sequence[RunFacts]) -> None:
        known = [fact.start for fact in facts if fact.start is not None]
        durations = [fact.seconds for fact in facts if fact.seconds is not None]
        self.runs = len(facts)
        self.start, self.end = min(known, default=None), max(known, default=None)
        self.counts = Counter(class_of(fact.word) for fact in facts)
        self.median, self.p95 = median(durations), percentile(durations, 95)


def run_facts(report: TaskReport) -> list[RunFacts]:
    """One for each of the newest runs."""
    return [
        RunFacts(
            run_id=run_id,
            word=word,
            start=seconds_of_time(entry.get("started_at")),
            seconds=seconds_of(entry),
            passed=entry.get("commands_passed"),
            failed=entry.get("commands_failed"),
        )
        for (run_id, word), entry in zip(report.outcomes, report.entries, strict=True)
    ]


def periods(facts: Sequence[RunFacts], most: int) -> list[Period]:
    """So many at most, all of the same number of runs; the oldest one has what is left."""
    if not facts:
        return []
    size = -(-len(facts) // most)
    first = len(facts) % size
    starts = [0] * bool(first) + list(range(first, len(facts), size))
    return [Period(facts[start:end]) for start, end in zip(starts, [*starts[1:], len(facts)], strict=True)]


def window(runs: int) -> int:
    """So many runs the lines of a trend look at: each one and those before it. It grows with the history, so that lines stay lines."""
    return max(_SMALLEST_WINDOW, runs // _WINDOWS)


def trend(durations: Sequence[float | None], most: int) -> Iterator[tuple[float | None, float | None]]:
    """Median and 95th percentile of the last `most` durations up to each run; those that are not known do not count."""
    last, ordered = deque[float](), list[float]()
    for seconds in durations:
        if seconds is not None:
            last.append(seconds)
            insort(ordered, seconds)
            if len(last) > most:
                del ordered[bisect_left(ordered, last.popleft())]
        yield median(ordered), percentile(ordered, 95)
