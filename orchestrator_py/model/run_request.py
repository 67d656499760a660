"""What a run asks of the scheduler: the task, the pipeline, and how many instances of which capability."""

from orchestrator_py.ids import RunId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.pipeline import Pipeline
from orchestrator_py.model.task import TaskContext
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class FanOut:
    """Slots of one capability. Heavier entries are filled first; at least one slot, whatever `max_concurrency` says."""

    capability: str
    weight: float = 1
    max_concurrency: int | None = None

    @property
    def slots(self) -> int:
        return max(1, self.max_concurrency or 1)


@frozen(kw_only=True)
class Recovery:
    """When an instance counts as lost and how often it may be tried again; consumers read it, nothing here acts on it."""

    heartbeat_interval_seconds: int = 30
    missing_heartbeat_timeout_seconds: int = 120
    max_retries: int = 3


@frozen(kw_only=True)
class RunSchedule:
    """At least `min_instances` and at most `max_instances`, taken from the slots of `fan_out`."""

    min_instances: int
    max_instances: int
    fan_out: tuple[FanOut, ...] = ()
    recovery: Recovery = field(factory=Recovery)


@frozen(kw_only=True)
class GroupSettings:
    """The figures of a TF-GRPO group; without a `group_size` the run is no group."""

    sample_size: int = 100
    epochs: int = 3
    train_temperature: float = 0.7
    eval_temperature: float = 0.3
    group_size: float | None = None


@frozen(kw_only=True)
class RunRequest:
    """A run before it is scheduled. The three roots are paths as the manifest writes them."""

    request_id: RunId
    task: TaskContext
    pipeline: Pipeline
    schedule: RunSchedule
    requested_at: Timestamp
    artifact_root: str
    runs_root: str
    out_root: str
    group: GroupSettings | None = None
