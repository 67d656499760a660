"""The scheduler plan: which instances were assigned, what became of each, and when."""

from collections.abc import Mapping
from enum import Enum

from orchestrator_py.ids import InstanceId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.run_request import Recovery
from orchestrator_py.model.timestamp import Timestamp

MULTI_INSTANCE = "multi-instance"
"""The only mode that a scheduler plan has."""


class AssignmentStatus(Enum):
    """Where an instance stands; the last three are terminal."""

    ASSIGNED = "assigned"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RECOVERED = "recovered"

    @property
    def terminal(self) -> bool:
        return not (self is AssignmentStatus.ASSIGNED or self is AssignmentStatus.RUNNING)


class AttemptStatus(Enum):
    """Where one attempt of an instance stands; the last three are terminal."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    REQUEUED = "requeued"

    @property
    def terminal(self) -> bool:
        return not (self is AttemptStatus.PENDING or self is AttemptStatus.RUNNING)


class CheckpointReason(Enum):
    """Why a recovery checkpoint was made."""

    MISSED_HEARTBEAT = "missed-heartbeat"
    MANUAL = "manual"
    AUTO = "auto"


class CheckpointAction(Enum):
    """What is to be done at a recovery checkpoint."""

    REQUEUE = "requeue"
    ESCALATE = "escalate"
    ACKNOWLEDGE = "ack"


@frozen(kw_only=True)
class RecoveryCheckpoint:
    """Why an instance failed, if that is known; the reason is true or there is no checkpoint."""

    timestamp: Timestamp
    reason: CheckpointReason
    action: CheckpointAction
    detail: str | None = None


@frozen(kw_only=True)
class Attempt:
    """One try of an instance. `started_at` is null unless it took work; `completed_at` unless its end was observed.

    ValueError for a record that claims more: a start while pending, an end while not terminal.
    """

    number: int
    assigned_at: Timestamp
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    status: AttemptStatus = AttemptStatus.PENDING
    recovery_checkpoints: tuple[RecoveryCheckpoint, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.completed_at is not None and not self.status.terminal:
            raise ValueError(f"attempt {self.number} is {self.status.value} and cannot have a completed time")
        if self.started_at is not None and self.status is AttemptStatus.PENDING:
            raise ValueError(f"attempt {self.number} is pending and cannot have a started time")
        if self.started_at is None and self.status is AttemptStatus.RUNNING:
            raise ValueError(f"attempt {self.number} is running and needs a started time")


@frozen(kw_only=True)
class Slot:
    """What an instance was created from. `group_index` (from 1) counts inside a group; it stays in memory."""

    weight: float
    max_concurrency: int
    group_index: int | None = None


@frozen(kw_only=True)
class Assignment:
    """One instance, a worker slot of the run. A completed time stands only on a terminal record; ValueError otherwise."""

    instance_id: InstanceId
    capability: str
    status: AssignmentStatus = AssignmentStatus.ASSIGNED
    assigned_at: Timestamp
    completed_at: Timestamp | None = None
    metadata: Slot
    attempts: tuple[Attempt, ...]

    def __attrs_post_init__(self) -> None:
        if self.completed_at is not None and not self.status.terminal:
            raise ValueError(f"instance {self.instance_id} is {self.status.value} and cannot have a completed time")
        if not self.attempts:
            raise ValueError(f"instance {self.instance_id} has no attempt; it is born with one")


@frozen(kw_only=True)
class SchedulerPlan:
    """The instances of a run by id, in the order in which they were created."""

    requested_at: Timestamp
    min_instances: int
    max_instances: int
    recovery: Recovery = field(factory=Recovery)
    assignments: Mapping[InstanceId, Assignment]
