"""What is told to the aggregator of a task. Plain frozen values: the return address sits in the envelope, not here."""

from collections.abc import Mapping

from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.assignment import SchedulerPlan
from orchestrator_py.model.manifest import ChildRun, Manifest
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.policy import LENIENT, VerdictRules
from orchestrator_py.model.summary import AttemptReport, RunSummary, SubtaskReport
from orchestrator_py.model.task import PlanItem, PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class OpenRun:
    """A run begins. `order` holds the planned subtasks in the group's order; `grouped` is False when one was selected.

    `manifest` is there for a command-line run (its commands stand in the order of the pipeline's stages) and None for an embedded one.
    `keep_summary` False records the metrics entry only. `hints` are texts that replace what a subtask's command said,
    `guardrails` the ids of the stages that the pipeline marks as guardrails.
    `planner_error` is what the planner raised; nothing is planned then.
    A `repeated` run may have an entry already, which its own supersedes: it is resumed, or the caller has named it. `rules` say what the
    verdict is made of. `settled` are the reports of what is accounted for from the start: what a resumed run keeps, and what was not
    selected.
    """

    run_id: RunId
    task: TaskContext
    plan: PlanResult
    order: tuple[PlanItem, ...]
    grouped: bool
    pipeline_id: str
    scheduler: SchedulerPlan | None
    artifact_root: str
    started_at: Timestamp
    keep_summary: bool = True
    manifest: Manifest | None = None
    hints: Mapping[SubtaskId, str] = field(factory=dict)
    guardrails: frozenset[str] = frozenset()
    planner_error: str | None = None
    settled: tuple[SubtaskReport, ...] = ()
    repeated: bool = False
    rules: VerdictRules = LENIENT


@frozen(kw_only=True)
class SubtaskTaken:
    """An instance has taken up a subtask."""

    run_id: RunId
    subtask_id: SubtaskId
    instance_id: InstanceId
    at: Timestamp


@frozen(kw_only=True)
class SubtaskPlaced:
    """A command of a subtask is about to begin on a worker elsewhere; None: it has ended there."""

    run_id: RunId
    subtask_id: SubtaskId
    worker: str | None


@frozen(kw_only=True)
class AttemptEnded:
    """An attempt ended without success, and another one follows."""

    run_id: RunId
    subtask_id: SubtaskId
    attempt: AttemptReport


@frozen(kw_only=True)
class SubtaskEnded:
    """A planned subtask is accounted for. `instance_id` is the slot that ran it, None if it never started."""

    run_id: RunId
    report: SubtaskReport
    instance_id: InstanceId | None
    at: Timestamp


@frozen(kw_only=True)
class InstanceReleased:
    """A worker slot takes no more work."""

    run_id: RunId
    instance_id: InstanceId
    at: Timestamp


@frozen(kw_only=True)
class ChildRunTold:
    """News of a sub-pipeline's run; told again when its status changes."""

    run_id: RunId
    child: ChildRun


@frozen(kw_only=True)
class StopAsked:
    """A stop was asked for. Told before anything is ended."""

    run_id: RunId
    cause: StopCause
    at: Timestamp


@frozen(kw_only=True)
class Beat:
    """The run's process is alive."""

    run_id: RunId
    at: Timestamp


@frozen(kw_only=True)
class CloseRun:
    """Everything of the run has been told. The reply is a ClosedRun, sent when the entry is durable.

    `defect` is what went wrong with the run itself, so that something may be untold: the run ends as an `error`.
    """

    run_id: RunId
    at: Timestamp
    defect: str | None = None


@frozen(kw_only=True)
class Flush:
    """Fold and publish everything now; the reply is None."""


Message = (
    OpenRun
    | SubtaskTaken
    | SubtaskPlaced
    | AttemptEnded
    | SubtaskEnded
    | InstanceReleased
    | ChildRunTold
    | StopAsked
    | Beat
    | CloseRun
    | Flush
)


@frozen(kw_only=True)
class ClosedRun:
    """The reply to CloseRun: what is on record."""

    summary: RunSummary
    manifest: Manifest | None
