"""The scheduler plan in its two forms: in the manifest (read and written), and in the run summary (written)."""

from enum import Enum

from orchestrator_py.core.codec.strict import decode, shape, shared_converter
from orchestrator_py.lean import frozen
from orchestrator_py.model.assignment import MULTI_INSTANCE, Assignment, Attempt, RecoveryCheckpoint, SchedulerPlan, Slot
from orchestrator_py.model.run_request import Recovery
from orchestrator_py.model.timestamp import Timestamp


class _Mode(Enum):
    ONLY = MULTI_INSTANCE


@frozen(kw_only=True)
class _PlanDocument:
    """The plan in the manifest: a list of assignments, and a mode of which there is one."""

    mode: _Mode = _Mode.ONLY
    requested_at: Timestamp
    min_instances: int
    max_instances: int
    recovery: Recovery
    assignments: tuple[Assignment, ...]

    def __attrs_post_init__(self) -> None:
        if len({assignment.instance_id for assignment in self.assignments}) < len(self.assignments):
            raise ValueError("an instance is listed twice under assignments")


_CONVERTER = shared_converter()
shape(_CONVERTER, Recovery, keys="snake", always="all")
shape(_CONVERTER, RecoveryCheckpoint, keys="snake")
shape(_CONVERTER, Attempt, keys="snake", always="all")
shape(_CONVERTER, Slot, keys="camel", unwritten=frozenset({"group_index"}))
shape(_CONVERTER, Assignment, keys="snake", always="all")
shape(_CONVERTER, _PlanDocument, keys="snake", always="all")


def scheduler_to_manifest(plan: SchedulerPlan) -> dict[str, object]:
    """The plan as the manifest holds it."""
    document = _PlanDocument(
        requested_at=plan.requested_at,
        min_instances=plan.min_instances,
        max_instances=plan.max_instances,
        recovery=plan.recovery,
        assignments=tuple(plan.assignments.values()),
    )
    data: dict[str, object] = _CONVERTER.unstructure(document)
    return data


def scheduler_from_manifest(data: object) -> SchedulerPlan:
    """The plan that a manifest holds; DecodeError for anything else, an end on a record that has not ended included."""
    document = decode(_CONVERTER, _PlanDocument, data)
    return SchedulerPlan(
        requested_at=document.requested_at,
        min_instances=document.min_instances,
        max_instances=document.max_instances,
        recovery=document.recovery,
        assignments={assignment.instance_id: assignment for assignment in document.assignments},
    )


def scheduler_to_summary(plan: SchedulerPlan) -> dict[str, object]:
    """The plan as the run summary tells it: attempts are counted, of the times only the last end is told."""
    return {
        "mode": _Mode.ONLY.value,
        "recovery": {
            "heartbeatIntervalSeconds": plan.recovery.heartbeat_interval_seconds,
            "missingHeartbeatTimeoutSeconds": plan.recovery.missing_heartbeat_timeout_seconds,
            "maxRetries": plan.recovery.max_retries,
        },
        "assignments": [
            {
                "instanceId": assignment.instance_id,
                "capability": assignment.capability,
                "status": assignment.status.value,
                "attempts": len(assignment.attempts),
                "lastCompletedAt": assignment.completed_at,
            }
            for assignment in plan.assignments.values()
        ],
    }
