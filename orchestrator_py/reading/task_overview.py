"""Everything that a page about one task tells."""

from itertools import islice

from orchestrator_py.reading.flights import Flight
from orchestrator_py.reading.lookup import newest_runs
from orchestrator_py.reading.rollups import Rollups, read_rollups
from orchestrator_py.reading.task_report import TaskReport, read_report
from orchestrator_py.reading.timeline import Timeline, read_timeline


class TaskOverview:
    """What `report` tells, the other rollups, and the newest command-line runs and embedded ones in flight in detail, the newest first."""

    __slots__ = ("report", "rollups", "timelines")

    def __init__(self, report: TaskReport, rollups: Rollups, timelines: list[Timeline]) -> None:
        self.report = report
        self.rollups = rollups
        self.timelines = timelines


def read_overview(runs_root: str, out_root: str, task: str, *, last: int, detailed: int, now: str) -> TaskOverview:
    """Of the newest `last` runs, `detailed` of them with their stages. What cannot be read is in the report's `problems`."""
    report = read_report(runs_root, task, last)
    rollups = read_rollups(runs_root, out_root, task, report.problems)
    flights = (run for run in report.unfinished if isinstance(run, Flight))
    runs = islice(newest_runs(runs_root, [task], report.problems, flights), min(detailed, last))
    return TaskOverview(report, rollups, [read_timeline(run, now, report.problems) for run in runs])
