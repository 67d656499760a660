"""What followers are told of a run, numbered in the order in which its record came to know it."""

from typing import TypedDict

from orchestrator_py.core.answers import owned_plan, owned_report
from orchestrator_py.core.outcome import stages_that_answered
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.events import BuildCompleted, Event, PlanCompleted, ReviewCompleted, RunStarted, SubtaskFinished, TestCompleted
from orchestrator_py.model.manifest import Manifest
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp


class EventBase(TypedDict):
    """The keys that every event has."""

    seq: int
    timestamp: Timestamp
    task_id: TaskId
    run_id: RunId


def base(record: RunRecord, at: Timestamp) -> EventBase:
    """The base of the run's next event: takes the next number."""
    return EventBase(seq=record.next_seq(), timestamp=at, task_id=record.opening.task.id, run_id=record.opening.run_id)


def opening_events(record: RunRecord, manifest: Manifest | None) -> tuple[Event, ...]:
    """The run begins, and what it has planned."""
    opening = record.opening
    started = RunStarted(**base(record, opening.started_at), pipeline_id=opening.pipeline_id, planned=len(opening.order), manifest=manifest)
    return started, PlanCompleted(**base(record, opening.started_at), plan=owned_plan(opening.plan))


def subtask_events(record: RunRecord, report: SubtaskReport, at: Timestamp) -> tuple[Event, ...]:
    """Stages that answered, in their order, then the subtask. A stage that was left out makes no event."""
    report, answered = owned_report(report), stages_that_answered(report)
    events: list[Event] = []
    if report.build is not None and answered >= 1:
        events.append(BuildCompleted(**base(record, at), build=report.build))
    if report.test is not None and answered >= 2:
        events.append(TestCompleted(**base(record, at), test=report.test))
    if report.review is not None and answered >= 3:
        events.append(ReviewCompleted(**base(record, at), subtask_id=report.subtask_id, review=report.review))
    done, command = len(record.reports), record.command(report.subtask_id)
    return (*events, SubtaskFinished(**base(record, at), report=report, done=done, planned=len(record.order), command=command))
