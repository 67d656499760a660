"""The aggregator's mind: for all runs of one task, a message in, effects out. No clock, no disk, no event loop.

Delivery is at least once; what is told twice is no news, and what contradicts the record makes the run an `error`.
"""

from typing import TypedDict, assert_never

from attrs import define, evolve, field

from orchestrator_py.core.codec.scheduler import scheduler_to_summary
from orchestrator_py.core.documents import birth_documents, heartbeat_document, manifest_document, summary_documents
from orchestrator_py.core.error_documents import error_documents
from orchestrator_py.core.outcome import stages_that_answered
from orchestrator_py.core.run_record import RunRecord, recorded
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.effects import NOTHING, Effects
from orchestrator_py.model.events import (
    AttemptFailed,
    BuildCompleted,
    Event,
    PlanCompleted,
    ReviewCompleted,
    RunCompleted,
    RunStarted,
    RunStopping,
    SubtaskFinished,
    SubtaskStarted,
    TestCompleted,
)
from orchestrator_py.model.messages import (
    AttemptEnded,
    Beat,
    ChildRunTold,
    ClosedRun,
    CloseRun,
    Flush,
    InstanceReleased,
    Message,
    OpenRun,
    StopAsked,
    SubtaskEnded,
    SubtaskTaken,
)
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import RunSummary, SubtaskReport
from orchestrator_py.model.timestamp import Timestamp


@define
class Aggregation:
    """All runs of one task that are in flight. A run that has been closed is forgotten here: its files hold it."""

    task_id: TaskId
    runs: dict[RunId, RunRecord] = field(factory=dict, init=False)
    _changed: set[RunId] = field(factory=set, init=False)

    def handle(self, message: Message) -> Effects:
        """What must happen now. News of a run that is closed, or was never opened, is none."""
        match message:
            case OpenRun():
                return self._open(message)
            case Flush():
                return Effects(flush=True)
            case _:
                record = self.runs.get(message.run_id)
                return NOTHING if record is None else self._tell(record, message)

    def progress_documents(self, at: Timestamp) -> tuple[RunDocument, ...]:
        """The manifests of runs that changed since the last call: how a run in flight shows; the caller chooses how often."""
        changed, self._changed = self._changed, set()
        records = (self.runs[run_id] for run_id in sorted(changed) if run_id in self.runs)
        manifests = (record.manifest(at) for record in records)
        return tuple(manifest_document(manifest) for manifest in manifests if manifest is not None)

    @property
    def has_progress(self) -> bool:
        """Whether progress_documents would return anything."""
        return bool(self._changed)

    # One message -------------------------------------------------------------------------------------------------

    def _open(self, message: OpenRun) -> Effects:
        known = self.runs.get(message.run_id)
        if known is not None:
            again = known.opening == message
            return NOTHING if again else Effects(reply=InputError(f"Run {message.run_id} is in flight already; give each run its own id."))
        record = self.runs[message.run_id] = RunRecord(message)
        manifest = record.manifest(message.started_at)
        started = RunStarted(**_base(record, message.started_at), pipeline_id=message.pipeline_id, planned=len(message.order))
        return Effects(
            before=() if manifest is None else birth_documents(manifest),
            events=(started, PlanCompleted(**_base(record, message.started_at), plan=message.plan)),
        )

    def _tell(
        self,
        record: RunRecord,
        message: SubtaskTaken | AttemptEnded | SubtaskEnded | InstanceReleased | ChildRunTold | StopAsked | Beat | CloseRun,
    ) -> Effects:
        if record.opening.manifest is not None:
            self._changed.add(message.run_id)
        match message:
            case SubtaskTaken(subtask_id=subtask_id, instance_id=instance_id, at=at):
                if not record.take(subtask_id, instance_id, at):
                    return NOTHING
                return Effects(events=(SubtaskStarted(**_base(record, at), subtask_id=subtask_id, instance_id=instance_id),))
            case AttemptEnded(subtask_id=subtask_id, attempt=attempt):
                return Effects(events=(AttemptFailed(**_base(record, attempt.completed_at), subtask_id=subtask_id, attempt=attempt),))
            case SubtaskEnded(report=report, instance_id=instance, at=at):
                if not record.end_subtask(report, instance):
                    return NOTHING
                return Effects(before=error_documents(record.opening, report, at), events=_subtask_events(record, report, at))
            case InstanceReleased(instance_id=instance_id, at=at):
                record.release(instance_id, at)
                return NOTHING
            case ChildRunTold(child=child):
                record.tell_child(child)
                return NOTHING
            case StopAsked(cause=cause, at=at):
                return Effects(events=(RunStopping(**_base(record, at), cause=cause),)) if record.stop(cause) else NOTHING
            case Beat(at=at):
                record.heartbeat_at = at
                return Effects(before=(heartbeat_document(message),)) if record.opening.manifest is not None else NOTHING
            case CloseRun(at=at):
                return self._close(record, at)
            case _:
                assert_never(message)

    def _close(self, record: RunRecord, at: Timestamp) -> Effects:
        del self.runs[record.opening.run_id]
        bare = record.close(at)
        manifest = record.final_manifest(bare, at)
        entry = record.entry(bare, manifest, at)
        done = None if manifest is None else recorded(manifest)
        full = bare if done is None or record.scheduler is None else evolve(bare, scheduler=scheduler_to_summary(record.scheduler))
        return Effects(
            before=summary_documents(bare, full, record.opening),
            entries=(entry,),
            after=() if done is None else (manifest_document(done),),
            events=(RunCompleted(**_base(record, at), outcome=bare.outcome or Outcome.ERROR, summary=bare),),
            reply=ClosedRun(summary=full, manifest=done),
        )


# Events ------------------------------------------------------------------------------------------------------------


class _Base(TypedDict):
    seq: int
    timestamp: Timestamp
    task_id: TaskId
    run_id: RunId


def _base(record: RunRecord, at: Timestamp) -> _Base:
    return _Base(seq=record.next_seq(), timestamp=at, task_id=record.opening.task.id, run_id=record.opening.run_id)


def _subtask_events(record: RunRecord, report: SubtaskReport, at: Timestamp) -> tuple[Event, ...]:
    """Stages that answered, in their order, then the subtask. A stage that was left out makes no event."""
    answered = stages_that_answered(report)
    events: list[Event] = []
    if report.build is not None and answered >= 1:
        events.append(BuildCompleted(**_base(record, at), build=report.build))
    if report.test is not None and answered >= 2:
        events.append(TestCompleted(**_base(record, at), test=report.test))
    if report.review is not None and answered >= 3:
        events.append(ReviewCompleted(**_base(record, at), subtask_id=report.subtask_id, review=report.review))
    done = SubtaskFinished(**_base(record, at), report=report, done=len(record.reports), planned=len(record.order))
    return (*events, done)
