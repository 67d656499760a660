"""How the newest runs of one task went: from its rollups, its newest entries, and the manifests of those runs."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping

from orchestrator_py.core import places
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.reading.figures import change, median, percentile
from orchestrator_py.reading.files import LARGEST_DOCUMENT, Data, OpenFile, UnreadableError, list_names, read_document
from orchestrator_py.reading.history_tail import read_tail
from orchestrator_py.reading.run import LOST, Run, read_run, text_of


class TaskReport:
    """Counts and figures of the newest runs; `outcomes` are words, oldest run first."""

    __slots__ = ("baseline", "durations", "failed", "flaky", "outcomes", "problems", "task", "totals", "unfinished", "unreadable", "waived")

    def __init__(self, task: str) -> None:
        self.task = task
        self.outcomes: list[tuple[str, str]] = []
        """Run id and word."""
        self.durations: list[float] = []
        self.failed: Counter[str] = Counter()
        self.flaky: Counter[str] = Counter()
        self.waived: Counter[str] = Counter()
        """In how many runs a stage failed, succeeded only when it was tried again, failed and was waived."""
        self.unfinished: list[Run] = []
        """Those that go on, and those that are lost and not sealed."""
        self.totals: Data = {}
        """The rollup of all runs, as it was last published."""
        self.baseline: Data = {}
        self.unreadable = 0
        """Lines among the newest that are no entries."""
        self.problems: list[UnreadableError] = []

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


def read_report(runs_root: str, task: str, most: int) -> TaskReport:
    """What cannot be read is named in `problems`, and the rest goes on."""
    report, folder = TaskReport(task), os.path.join(runs_root, task)
    rollups = os.path.join(folder, places.ROLLUPS)
    report.totals = _rollup(os.path.join(rollups, places.POST_ROLLOUT), report)
    report.baseline = _rollup(os.path.join(rollups, places.BASELINE), report)
    try:
        tail = read_tail(folder, most)
        report.unreadable = tail.unreadable
        for entry in reversed(tail.entries):
            _add_entry(report, runs_root, entry)
    except UnreadableError as error:
        report.problems.append(error)
    report.unfinished = list(_unfinished(report, runs_root))
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
    word = run.word if run is not None and run.has_ended else text_of(entry, "status") or "unknown"
    report.outcomes.append((text_of(entry, "run_id"), word))
    seconds = entry.get("duration_seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        report.durations.append(seconds)
    if run is not None:
        _add_stages(report, run)


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
        stage_id, status = text_of(stage, "id"), text_of(stage, "status")
        report.failed[stage_id] += status == "failed"
        report.waived[stage_id] += status == "skipped"
        report.flaky[stage_id] += bool(told[stage_id].get("flaky")) if stage_id in told else stage_id in flaky


def _stages_told(report: TaskReport, run: Run) -> Mapping[str, Data]:
    """The last `stage:completed` of each stage in the run's events, which tell of attempts in runs that failed, too."""
    told: dict[str, Data] = {}
    try:
        with OpenFile(os.path.join(os.path.dirname(run.path), places.EVENTS)) as file:
            lines = file.read(0, LARGEST_DOCUMENT).split(b"\n")
    except FileNotFoundError:
        return told
    except UnreadableError as error:
        report.problems.append(error)
        return told
    for line in lines:
        if b'"stage:completed"' in line and (event := _parse(line)).get("type") == "stage:completed":
            told[text_of(event, "stageId")] = event
    return told


def _parse(line: bytes) -> Data:
    try:
        event = parse_json(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _unfinished(report: TaskReport, runs_root: str) -> Iterator[Run]:
    """Every run that goes on has a marker, and so has one whose process died, until the next run of the task has sealed it."""
    try:
        names = sorted(list_names(os.path.join(runs_root, report.task, places.LIVE_RUNS)))
    except UnreadableError as error:
        report.problems.append(error)
        return
    for name in names:
        run = None if name.startswith(".") else _run(report, runs_root, name)
        if run is not None and (not run.has_ended or run.word == LOST):
            yield run
