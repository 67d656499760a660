"""The aggregator's mind: for all runs of one task, a message in, effects out. No clock, no disk, no event loop.

Delivery is at least once; what is told twice is no news, and what contradicts the record makes the run an `error`.
"""

from typing import assert_never

from orchestrator_py.core.codec.scheduler import scheduler_to_summary
from orchestrator_py.core.documents import birth_documents, heartbeat_document, manifest_document, summary_documents
from orchestrator_py.core.error_documents import error_documents
from orchestrator_py.core.run_events import base, opening_events, subtask_events
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define, evolve, field
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.effects import NOTHING, Effects
from orchestrator_py.model.events import AttemptFailed, RunCompleted, RunStopping, SubtaskStarted
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
    SubtaskPlaced,
    SubtaskTaken,
)
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.timestamp import Timestamp


@define
class Aggregation:
    """All runs of one task that are in flight. A run that has been closed is forgotten here: its files hold it."""

    task_id: TaskId
    runs: dict[RunId, RunRecord] = field(factory=dict, init=False)
    _changed: set[RunId] = field(factory=set, init=False)

    def handle(self, message: Message, *, heard: bool = True) -> Effects:
        """What must happen now. News of a run that is closed, or was never opened, is none.

        Unless somebody hears of it, no event is made and no `seq` is taken: events cost more than what they tell of.
        """
        if isinstance(message, Flush):
            return Effects(flush=True)
        if isinstance(message, OpenRun):
            return self._open(message, heard)
        record = self.runs.get(message.run_id)
        return NOTHING if record is None else self._tell(record, message, heard)

    def progress_documents(self, at: Timestamp) -> tuple[RunDocument, ...]:
        """The manifests of runs that changed since the last call: how a run in flight shows; the caller chooses how often."""
        changed, self._changed = self._changed, set()
        records = (self.runs[run_id] for run_id in sorted(changed) if run_id in self.runs)
        manifests = ((record.manifest(at), record.texts) for record in records)
        return tuple(manifest_document(manifest, texts) for manifest, texts in manifests if manifest is not None)

    @property
    def has_progress(self) -> bool:
        """Whether progress_documents would return anything."""
        return bool(self._changed)

    # One message -------------------------------------------------------------------------------------------------

    def _open(self, message: OpenRun, heard: bool) -> Effects:
        known = self.runs.get(message.run_id)
        if known is not None:
            again = known.opening == message
            return NOTHING if again else Effects(reply=InputError(f"Run {message.run_id} is in flight already; give each run its own id."))
        record = self.runs[message.run_id] = RunRecord(message)
        manifest = record.manifest(message.started_at)
        return Effects(
            before=() if manifest is None else birth_documents(manifest, record.texts),
            events=opening_events(record, manifest) if heard else (),
        )

    def _tell(
        self,
        record: RunRecord,
        message: SubtaskTaken | SubtaskPlaced | AttemptEnded | SubtaskEnded | InstanceReleased | ChildRunTold | StopAsked | Beat | CloseRun,
        heard: bool,
    ) -> Effects:
        if record.opening.manifest is not None:
            self._changed.add(message.run_id)
        match message:
            case SubtaskTaken():  # this and the next come for each subtask: patterns that take both apart cost it some 0.4 µs
                if not record.take(message.subtask_id, message.instance_id, message.at) or not heard:
                    return NOTHING
                command = record.command(message.subtask_id)
                started = SubtaskStarted(
                    **base(record, message.at), subtask_id=message.subtask_id, instance_id=message.instance_id, command=command
                )
                return Effects(events=(started,))
            case SubtaskEnded():
                if not record.end_subtask(message.report, message.instance_id):
                    return NOTHING
                report = record.reports[message.report.subtask_id]
                errors = error_documents(record.opening, record.places.get(report.subtask_id), report, message.at)
                return Effects(shown=errors, events=subtask_events(record, report, message.at)) if errors or heard else NOTHING
            case SubtaskPlaced(subtask_id=subtask_id, worker=worker):
                record.place(subtask_id, worker)
                return NOTHING
            case AttemptEnded(subtask_id=subtask_id, attempt=attempt):
                if not record.end_attempt(subtask_id, attempt.number):
                    return NOTHING
                record.requeue(subtask_id, attempt)
                if not heard:
                    return NOTHING
                return Effects(events=(AttemptFailed(**base(record, attempt.completed_at), subtask_id=subtask_id, attempt=attempt),))
            case InstanceReleased(instance_id=instance_id, at=at):
                record.release(instance_id, at)
                return NOTHING
            case ChildRunTold(child=child):
                record.tell_child(child)
                return NOTHING
            case StopAsked(cause=cause, at=at):
                return Effects(events=(RunStopping(**base(record, at), cause=cause),)) if record.stop(cause) and heard else NOTHING
            case Beat(at=at):
                record.heartbeat_at = at
                return Effects(shown=(heartbeat_document(message),)) if record.opening.manifest is not None else NOTHING
            case CloseRun(at=at, defect=defect):
                if defect is not None:
                    record.contradict(defect)
                return self._close(record, at, heard)
            case _:
                assert_never(message)

    def _close(self, record: RunRecord, at: Timestamp, heard: bool) -> Effects:
        del self.runs[record.opening.run_id]
        bare = record.close(at)
        manifest = record.final_manifest(bare, at)
        entry = record.entry(bare, manifest, at)
        done = None if manifest is None else evolve(manifest, metrics_recorded=True)  # it is written after the entry
        verdict = () if manifest is None else (manifest_document(manifest, record.texts),)  # kept even if the entry cannot be recorded
        full = bare if done is None or record.scheduler is None else evolve(bare, scheduler=scheduler_to_summary(record.scheduler))
        return Effects(
            before=(*summary_documents(bare, full, record.opening), *verdict),
            entries=(entry,),
            after=() if done is None else (manifest_document(done, record.texts),),
            events=(RunCompleted(**base(record, at), outcome=bare.outcome or Outcome.ERROR, summary=bare, manifest=done),) if heard else (),
            reply=ClosedRun(summary=full, manifest=done),
        )
