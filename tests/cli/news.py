"""News of runs, made by hand."""

from orchestrator_py.ids import InstanceId, RunId, SubtaskId, TaskId
from orchestrator_py.model.events import RunStarted, SubtaskFinished, SubtaskStarted
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp

NOW = Timestamp("2026-01-02T03:04:05.678Z")
RUN = RunId("2026-01-02T03-04-05-678Z-01234567")


def run_started(planned: int) -> RunStarted:
    return RunStarted(seq=1, timestamp=NOW, task_id=TaskId("0101"), run_id=RUN, pipeline_id="p", planned=planned)


def started(name: str) -> SubtaskStarted:
    return SubtaskStarted(
        seq=1, timestamp=NOW, task_id=TaskId("0101"), run_id=RUN, subtask_id=SubtaskId(name), instance_id=InstanceId("instance-1")
    )


def finished(name: str, outcome: Outcome = Outcome.SUCCEEDED) -> SubtaskFinished:
    at = None if outcome is Outcome.SKIPPED else NOW
    report = SubtaskReport(subtask_id=SubtaskId(name), outcome=outcome, started_at=at, completed_at=at)
    return SubtaskFinished(seq=1, timestamp=NOW, task_id=TaskId("0101"), run_id=RUN, report=report, done=1, planned=1)
