"""What is told of tasks, as data for JSON: rollups as they were published, figures and outcomes of the newest runs."""

import os
from itertools import islice

from orchestrator_py.core import places
from orchestrator_py.dashboard.record import Record
from orchestrator_py.dashboard.rows import number_or_none, text_or_none
from orchestrator_py.dashboard.signatures import Problems
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.reading.confined import refuse_outside
from orchestrator_py.reading.figures import change, median, percentile
from orchestrator_py.reading.files import Data, UnreadableError, read_document
from orchestrator_py.reading.run import word_of_entry
from orchestrator_py.reading.task_report import read_report

RECENT = 30
_STAGES_FROM = 50
"""The newest runs whose stages are looked at for what fails and flakes."""


def task_summary(record: Record, task: str, problems: Problems) -> Data:
    """A task in a list: its rollup, what goes on, how the newest runs went, the oldest of them first."""
    totals = _read(record.runs_root, os.path.join(record.runs_root, task, places.ROLLUPS, places.POST_ROLLOUT), problems)
    recent = list(islice(record.rows(record.newest([task], problems), problems), RECENT))
    going_on = [row for row in _live_rows(record, task, problems) if not row["terminal"]]
    return {
        "task": task,
        "total_runs": number_or_none(totals.get("total_runs")),
        "succeeded_runs": number_or_none(totals.get("succeeded_runs")),
        "completion_rate": number_or_none(totals.get("completion_rate")),
        "meets_threshold": _flag(totals.get("meets_threshold")),
        "updated_at": text_or_none(totals, "updated_at"),
        "running": len(going_on),
        "recent": [_point(row) for row in reversed(recent)],
    }


def task_detail(record: Record, task: str, last: int, problems: Problems) -> Data:
    """One task: the same, and its other rollups, figures and stages. `history` are the newest recorded runs, the oldest of them first."""
    rollups = os.path.join(record.runs_root, task, places.ROLLUPS)
    baseline = _read(record.runs_root, os.path.join(rollups, places.BASELINE), problems)
    completeness = _read(record.runs_root, os.path.join(rollups, "completeness.json"), problems)
    mttr = _read(record.out_root, os.path.join(record.out_root, task, places.ROLLUPS, places.MTTR_DELTA), problems)
    points = [_history_point(record, task, run_id, entry) for run_id, entry in islice(record.entries(task, problems).items(), last)]
    seconds = [value for point in points if (value := number_or_none(point["elapsed_seconds"])) is not None]
    middle = median(seconds)
    return {
        **task_summary(record, task, problems),
        "baseline_seconds": number_or_none(baseline.get("duration_seconds")),
        "median_seconds": middle,
        "p95_seconds": percentile(seconds, 95),
        "change": change(middle, baseline.get("duration_seconds")),
        "duration_reduction": number_or_none(mttr.get("reduction_percent")),
        "missing_field_ratio": number_or_none(completeness.get("missing_field_ratio")),
        "unreadable_lines": record.tail(task, problems).unreadable,
        "stages": _stages(record, task, problems),
        "history": points[::-1],
    }


def _live_rows(record: Record, task: str, problems: Problems) -> list[Data]:
    return list(record.rows([("", task, name) for name in record.live_names(task)], problems))


def _stages(record: Record, task: str, problems: Problems) -> list[Data]:
    """Those that failed, flaked or were waived in the newest runs, the worst first."""
    report = read_report(record.runs_root, task, _STAGES_FROM)
    problems.extend(problem for problem in report.problems if problem.path not in {known.path for known in problems})
    counts = [(report.failed[stage], report.flaky[stage], report.waived[stage], stage) for stage in report.failed]
    worst = sorted((count for count in counts if any(count[:3])), key=lambda count: (*(-number for number in count[:3]), count[3]))
    return [{"id": stage, "failed": failed, "flaky": flaky, "waived": waived} for failed, flaky, waived, stage in worst]


def _history_point(record: Record, task: str, run_id: str, entry: Data) -> Data:
    """The manifest knows the exact word, where it is still there; the entry knows what was counted."""
    try:
        row = record.row(TaskId(task), RunId(run_id), lambda _: {})  # it has an entry: no flight is asked for
    except UnreadableError:
        row = None
    exact = row["status"] if row is not None and row["terminal"] else None
    word = exact or word_of_entry(entry) or "unknown"
    return {
        "run_id": run_id,
        "status": word,
        "started_at": text_or_none(entry, "started_at"),
        "elapsed_seconds": number_or_none(entry.get("duration_seconds")),
    }


def _point(row: Data) -> Data:
    return {key: row[key] for key in ("run_id", "status", "started_at", "elapsed_seconds")}


def _read(root: str, path: str, problems: Problems) -> Data:
    """A rollup; nothing if there is none yet."""
    try:
        refuse_outside(root, path)
        return read_document(path) or {}
    except UnreadableError as error:
        problems.append(error)
        return {}


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
