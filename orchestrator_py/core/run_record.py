"""What the aggregator knows of one run in flight; it changes with every message and can be thrown away after the last."""

from collections.abc import Mapping, Sequence

from orchestrator_py.core.assignments import end_instance, note_loss, requeue_instance, start_instance
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.codec.printing import Texts
from orchestrator_py.core.command_records import Stages, command_record, deciding_execution
from orchestrator_py.core.manifest import Progress, manifest_at_end, manifest_in_progress
from orchestrator_py.core.metrics_entry import create_embedded_entry, create_metrics_entry, metrics_line
from orchestrator_py.core.outcome import judge, run_status, satisfies_needs
from orchestrator_py.core.run_report import RunFacts, create_summary, planner_error_summary
from orchestrator_py.errors import DefectError
from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.lean import define, evolve, field
from orchestrator_py.model.assignment import Assignment, SchedulerPlan
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.manifest import ChildRun, CommandRecord, Manifest, RunStatus
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.metrics import MetricsEntry
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.summary import AttemptReport, RunSummary, SubtaskReport
from orchestrator_py.model.task import PlanItem
from orchestrator_py.model.timestamp import Timestamp


@define
class RunRecord:
    """One run. The first word on anything stays; what contradicts it is kept as `contradiction`, and the run ends as an error."""

    opening: OpenRun
    order: Mapping[SubtaskId, int] = field(init=False)  # to the place in the group's order
    instances: dict[InstanceId, Assignment] = field(init=False)
    taken_at: dict[SubtaskId, Timestamp] = field(factory=dict, init=False)
    taken_by: dict[SubtaskId, InstanceId] = field(factory=dict, init=False)
    workers: dict[SubtaskId, str] = field(factory=dict, init=False)
    attempts: dict[SubtaskId, int] = field(factory=dict, init=False)
    reports: dict[SubtaskId, SubtaskReport] = field(factory=dict, init=False)
    stages: Stages = field(init=False)
    texts: Texts = field(factory=Texts, init=False)  # of the manifest
    children: dict[RunId, ChildRun] = field(init=False)
    unfit_instances: set[InstanceId] = field(factory=set, init=False)
    cause: StopCause | None = field(default=None, init=False)
    heartbeat_at: Timestamp | None = field(default=None, init=False)
    contradiction: str | None = field(default=None, init=False)
    last_seq: int = field(default=0, init=False)
    places: Mapping[SubtaskId, int] = field(init=False)  # among the plan's items, which are the manifest's commands

    def __attrs_post_init__(self) -> None:
        order, planned = self.opening.order, self.opening.plan.items
        self.places = _places_of(planned)
        self.order = self.places if order is planned else _places_of(order)
        self.instances = {} if self.opening.scheduler is None else dict(self.opening.scheduler.assignments)
        self.stages = Stages(
            places=self.places,
            hints=self.opening.hints,
            taken_at=self.taken_at,
            taken_by=self.taken_by,
            workers=self.workers,
            reports=self.reports,
        )
        born = self.opening.manifest
        self.children = {} if born is None else {child.run_id: child for child in born.child_runs}

    @property
    def scheduler(self) -> SchedulerPlan | None:
        """The scheduler plan as it stands now."""
        planned = self.opening.scheduler
        return None if planned is None else evolve(planned, assignments=dict(self.instances))

    # News: each answers whether it was any -----------------------------------------------------------------------

    def take(self, subtask_id: SubtaskId, instance_id: InstanceId, at: Timestamp) -> bool:
        """An instance has taken up a subtask."""
        if subtask_id in self.taken_at:
            return False
        self.taken_at[subtask_id], self.taken_by[subtask_id] = at, instance_id
        if self.instances:
            self.instances[instance_id] = start_instance(self._instance(instance_id), at)
        return True

    def place(self, subtask_id: SubtaskId, worker: str | None) -> None:
        """A subtask works elsewhere, or no longer."""
        if worker is None:
            self.workers.pop(subtask_id, None)
        else:
            self.workers[subtask_id] = worker

    def end_attempt(self, subtask_id: SubtaskId, number: int) -> bool:
        """An attempt ended, and another one follows."""
        if number <= self.attempts.get(subtask_id, 0):
            return False
        self.attempts[subtask_id] = number
        return True

    def requeue(self, subtask_id: SubtaskId, attempt: AttemptReport) -> None:
        """If the worker of an attempt that another one follows was lost, the instance goes on elsewhere."""
        instance_id = self.taken_by.get(subtask_id)
        if attempt.loss is not None and self.instances and instance_id is not None:
            self.instances[instance_id] = requeue_instance(self._instance(instance_id), attempt.completed_at, str(attempt.loss))

    def end_subtask(self, report: SubtaskReport, instance_id: InstanceId | None) -> bool:
        """A subtask is accounted for."""
        if report.subtask_id not in self.order:
            self.contradict(f"subtask {report.subtask_id} was told and never planned")
            return False
        report = judge(report, self.opening.rules)
        known = self.reports.get(report.subtask_id)
        if known is not None:
            if known != report:
                self.contradict(f"subtask {report.subtask_id} was told as {known.outcome.value} and as {report.outcome.value}")
            return False
        self.reports[report.subtask_id] = report
        if instance_id is not None and not satisfies_needs(report):
            self.unfit_instances.add(instance_id)
            self._note_loss(report, instance_id)
        return True

    def _note_loss(self, report: SubtaskReport, instance_id: InstanceId) -> None:
        execution = deciding_execution(report)
        if self.instances and execution is not None and execution.loss is not None and report.completed_at is not None:
            self.instances[instance_id] = note_loss(self._instance(instance_id), report.completed_at, str(execution.loss))

    def release(self, instance_id: InstanceId, at: Timestamp) -> None:
        """A worker slot takes no more work: it ends with a word of its own if it ever ran."""
        instance = self.instances.get(instance_id)
        if instance is not None and instance.attempts[-1].started_at is not None:
            self.instances[instance_id] = end_instance(instance, at, succeeded=instance_id not in self.unfit_instances)

    def _instance(self, instance_id: InstanceId) -> Assignment:
        try:
            return self.instances[instance_id]
        except KeyError:
            raise DefectError(f"The scheduler plan has no instance {instance_id!r}; it was created for other lanes.") from None

    def stop(self, cause: StopCause) -> bool:
        """A stop was asked for; the first cause stays."""
        if self.cause is not None:
            return False
        self.cause = cause
        return True

    def tell_child(self, child: ChildRun) -> bool:
        """The run of a sub-pipeline stands somewhere else now; terminal is final."""
        known = self.children.get(child.run_id)
        if known == child or (known is not None and known.status.is_terminal):
            return False
        self.children[child.run_id] = child
        return True

    def contradict(self, what: str) -> None:
        """The report cannot be vouched for; the first reason stays."""
        self.contradiction = self.contradiction or what

    def next_seq(self) -> int:
        """The number of the next event."""
        self.last_seq += 1
        return self.last_seq

    # The end ------------------------------------------------------------------------------------------------------

    def close(self, at: Timestamp) -> RunSummary:
        """Everything has been told: the summary, before the scheduler is added to it."""
        summary = self._summary(at)
        if summary.outcome is not None:
            succeeded = run_status(summary.outcome) is RunStatus.SUCCEEDED
            self.instances = {key: end_instance(one, at, succeeded=succeeded) for key, one in self.instances.items()}
        return summary

    def _summary(self, at: Timestamp) -> RunSummary:
        opening = self.opening
        if opening.planner_error is not None:
            return planner_error_summary(task_id=opening.task.id, run_id=opening.run_id, message=opening.planner_error, at=at)
        for subtask_id in self.order:
            if subtask_id not in self.reports:
                self.contradict(f"subtask {subtask_id} was never accounted for")
                self.reports[subtask_id] = SubtaskReport(subtask_id=subtask_id, outcome=Outcome.ERROR)
        return create_summary(
            RunFacts(
                task_id=opening.task.id,
                run_id=opening.run_id,
                plan=opening.plan,
                reports=[self.reports[subtask_id] for subtask_id in self.order],
                grouped=opening.grouped,
                closed_at=at,
                cause=self.cause,
                contradiction=self.contradiction,
            )
        )

    def entry(self, summary: RunSummary, manifest: Manifest | None, at: Timestamp) -> EntryLine:
        """The metrics entry, made after the scheduler was finalised; an embedded run counts subtasks as commands."""
        if manifest is None:
            entry: MetricsEntry | None = create_embedded_entry(self.opening, summary, self.instances.values(), at)
        else:
            data = to_json(manifest)
            entry = create_metrics_entry(data, at) if isinstance(data, dict) else None
        if entry is None:
            raise DefectError(f"Run {self.opening.run_id} has ended and makes no metrics entry.")
        return EntryLine(run_id=self.opening.run_id, line=metrics_line(entry), repeated=self.opening.repeated)

    def manifest(self, at: Timestamp) -> Manifest | None:
        """The manifest of a command-line run in flight."""
        born = self.opening.manifest
        return None if born is None else manifest_in_progress(born, self._progress(), at)

    def command(self, subtask_id: SubtaskId) -> CommandRecord | None:
        """What the manifest of a command-line run says of one stage."""
        born = self.opening.manifest
        return None if born is None or subtask_id not in self.places else command_record(born, self.stages, subtask_id)

    def final_manifest(self, summary: RunSummary, at: Timestamp) -> Manifest | None:
        """The terminal manifest; it says `metrics_recorded` since it is written after the entry."""
        born = self.opening.manifest
        if born is None or summary.outcome is None:
            return None
        return manifest_at_end(born, self._progress(), summary.outcome, self.cause, at)

    def _progress(self) -> Progress:
        return Progress(
            stages=self.stages,
            children=tuple(self.children.values()),
            scheduler=self.scheduler,
            heartbeat_at=self.heartbeat_at,
            guardrails=self.opening.guardrails,
        )


def _places_of(items: Sequence[PlanItem]) -> Mapping[SubtaskId, int]:
    return {SubtaskId(item.id): place for place, item in enumerate(items)}
