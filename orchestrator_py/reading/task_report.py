"""How the newest runs of one task went: from its rollups, its newest entries, and the manifests of those runs."""

import os
from collections import Counter
from collections.abc import Mapping

from orchestrator_py.core import places
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.reading.checks import guardrails_told, is_unguarded, review_of
from orchestrator_py.reading.events import events_of, is_reuse
from orchestrator_py.reading.figures import change, median, percentile
from orchestrator_py.reading.files import Data, UnreadableError, read_document
from orchestrator_py.reading.history_tail import read_tail
from orchestrator_py.reading.run import Run, read_run, text_of, word_of_entry
from orchestrator_py.reading.unfinished import read_unfinished


class TaskReport:
    """Counts and figures of the newest runs; `outcomes` are words, oldest run first."""

    __slots__ = (
        "baseline", "durations", "entries", "failed", "flaky", "outcomes", "problems", "reviews", "task", "totals", "unfinished",
        "unguarded", "unreadable", "waived",
    )  # fmt: skip

    def __init__(self, task: str) -> None:
        self.task = task
        self.outcomes: list[tuple[str, str]] = []
        """Run id and word."""
        self.entries: list[Data] = []
        """Of the history, one for each outcome."""
        self.durations: list[float] = []
        self.failed: Counter[str] = Counter()
        self.flaky: Counter[str] = Counter()
        self.waived: Counter[str] = Counter()
        """In how many runs a stage failed, succeeded only when it was tried again, failed and was waived."""
        self.unfinished: list[Run] = []
        """Those that go on, and those that are lost and not sealed."""
        self.unguarded: list[tuple[str, str]] = []
        """Run id, and what its guardrails came to: they were required, and not all of them ran."""
        self.reviews: list[tuple[str, str]] = []
        """Run id, and the decision of its review."""
        self.totals: Data = {}
        """The rollup of all runs, as it was last published."""
        self.baseline: Data = {}
        self.unreadable = 0
        """Lines among the newest that are no entries."""
        self.problems: list[UnreadableError] = []

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many of the newest runs ended with each word, the most frequent first."""
        return Counter(word for _, word in self.outcomes).most_common()

    @property
    def median(self) -> float | None:
        """Seconds."""
        return median(self.durations)

    @property
    def p95(self) -> float | None:
        """Seconds."""
        return percentile(self.durations, 95)

    @property
    def change(self) -> float | None:
        """By which fraction the median is longer than the first run on record."""
        return change(self.median, self.baseline.get("duration_seconds"))


def seconds_of(entry: Data) -> float | None:
    """How long a run took; None if nobody saw it end."""
    seconds = entry.get("duration_seconds")
    return seconds if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


def ranked(counter: Counter[str], most: int) -> list[tuple[str, int]]:
    """The stages of which most is to be told, so many at most, with the number of runs."""
    return [(stage, runs) for stage, runs in counter.most_common()[:most] if runs]  # without `heapq`


def read_report(runs_root: str, task: str, most: int) -> TaskReport:
    """What cannot be read is named in `problems`, and the rest goes on."""
    report, folder = TaskReport(task), os.path.join(runs_root, task)
    rollups = os.path.join(folder, places.ROLLUPS)
    report.totals = _rollup(os.path.join(rollups, places.POST_ROLLOUT), report)
    report.baseline = _rollup(os.path.join(rollups, places.BASELINE), report)
    try:
        tail = read_tail(folder, most)
        report.unreadable = tail.unreadable
        report.problems += tail.problems
        for entry in reversed(tail.entries):
            _add_entry(report, runs_root, entry)
    except UnreadableError as error:
        report.problems.append(error)
    report.unfinished = list(read_unfinished(runs_root, task, report.problems))
    return report


def _rollup(path: str, report: TaskReport) -> Data:
    try:
        return read_document(path) or {}
    except UnreadableError as error:
        report.problems.append(error)
        return {}


def _add_entry(report: TaskReport, runs_root: str, entry: Data) -> None:
    """The entry says how it ended; the manifest knows the exact word and the stages, where it is still there."""
    run = _run(report, runs_root, text_of(entry, "run_id"))
    word = run.word if run is not None and run.has_ended else word_of_entry(entry) or "unknown"
    report.outcomes.append((text_of(entry, "run_id"), word))
    report.entries.append(entry)
    seconds = seconds_of(entry)
    if seconds is not None:
        report.durations.append(seconds)
    if run is not None:
        _add_stages(report, run)
        _add_checks(report, run)


def _run(report: TaskReport, runs_root: str, run_id: str) -> Run | None:
    try:
        return read_run(runs_root, report.task, parse_run_id(run_id))
    except UnreadableError as error:
        report.problems.append(error)
    except IdentifierError:
        pass  # another writer's entry; no folder can have that name
    return None


def _add_stages(report: TaskReport, run: Run) -> None:
    told = _stages_told(report, run)
    flaky = next((part.removeprefix("flaky:") for part in run.text("status_detail").split("; ") if part.startswith("flaky:")), "").split(
        ","
    )
    for stage in run.objects("commands"):
        stage_id = text_of(stage, "id")
        facts = told.get(stage_id, {})
        word = run.stage_word(stage, facts)
        report.failed[stage_id] += word == "failed" and facts.get("outcome") != "cancelled"  # the manifest has no word for it
        report.waived[stage_id] += word == "skipped"
        report.flaky[stage_id] += bool(facts.get("flaky")) if facts else stage_id in flaky


def _add_checks(report: TaskReport, run: Run) -> None:
    if is_unguarded(run):
        report.unguarded.append((run.run_id, guardrails_told(run)))
    try:
        review = review_of(run)
    except UnreadableError as error:
        report.problems.append(error)
        return
    if review:
        report.reviews.append((run.run_id, text_of(review, "decision")))


def _stages_told(report: TaskReport, run: Run) -> Mapping[str, Data]:
    """What each stage came to last, in the run's events, which tell of attempts in runs that failed, too."""
    return {text_of(event, "stageId"): event for event in events_of(run, ("stage:completed",), report.problems) if not is_reuse(event)}
