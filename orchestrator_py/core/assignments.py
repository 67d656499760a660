"""How instances come into being and change: pure transitions; a terminal record is never touched again."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from orchestrator_py.errors import ConfigurationError
from orchestrator_py.ids import InstanceId
from orchestrator_py.lean import evolve, maker
from orchestrator_py.model.assignment import (
    Assignment,
    AssignmentStatus,
    Attempt,
    AttemptStatus,
    CheckpointAction,
    CheckpointReason,
    RecoveryCheckpoint,
    SchedulerPlan,
    Slot,
)
from orchestrator_py.model.manifest import RunStatus
from orchestrator_py.model.run_request import FanOut, RunRequest, RunSchedule
from orchestrator_py.model.timestamp import Timestamp

_ONE_GENERAL = (FanOut(capability="general"),)
_make_assignment, _make_attempt, _make_plan = maker(Assignment), maker(Attempt), maker(SchedulerPlan)


# Creating ----------------------------------------------------------------------------------------------------------


def create_scheduler_plan(request: RunRequest, *, requested_at: Timestamp, instance_prefix: str | None = None) -> SchedulerPlan:
    """As many instances as the request allows, each assigned and pending, the heaviest capability first.

    Instances are named `<prefix>-<capability>-<NN>`; the prefix is the lower-cased task id unless one is given.
    ConfigurationError if the bounds contradict each other or there are too few slots.
    """
    prefix = request.task.id.lower() if instance_prefix is None else instance_prefix
    group_size = math.trunc(request.group.group_size or 0) if request.group else 0
    return assign_instances(request.schedule, name_slots(request.schedule, group_size), prefix, requested_at)


class NamedSlot(NamedTuple):
    """What an instance is created from, and the end of its name."""

    name: str
    capability: str
    slot: Slot


def name_slots(schedule: RunSchedule, group_size: int = 0) -> tuple[NamedSlot, ...]:
    """One for each instance that a schedule asks for, see create_scheduler_plan; `group_size` 0 for no group."""
    slots = _slots(schedule)
    _refuse_impossible_bounds(schedule, len(slots))
    times: Counter[str] = Counter()
    named: list[NamedSlot] = []
    for index, entry in enumerate(slots[: _instance_count(schedule, len(slots))]):
        times[entry.capability] += 1
        group_index = index % group_size + 1 if group_size > 0 else None
        slot = Slot(weight=entry.weight, max_concurrency=entry.slots, group_index=group_index)
        named.append(NamedSlot(f"{entry.capability}-{times[entry.capability]:02d}", entry.capability, slot))
    return tuple(named)


def assign_instances(schedule: RunSchedule, slots: Iterable[NamedSlot], prefix: str, requested_at: Timestamp) -> SchedulerPlan:
    """The plan of what a schedule asks for, on its slots."""
    born = (_make_attempt(number=1, assigned_at=requested_at),)  # none of them differs yet
    assignments: dict[InstanceId, Assignment] = {}
    for name, capability, slot in slots:
        instance_id = InstanceId(f"{prefix}-{name}")
        assignments[instance_id] = _make_assignment(
            instance_id=instance_id, capability=capability, assigned_at=requested_at, metadata=slot, attempts=born
        )
    return _make_plan(
        requested_at=requested_at,
        min_instances=schedule.min_instances,
        max_instances=schedule.max_instances,
        recovery=schedule.recovery,
        assignments=assignments,
    )


def with_lanes(request: RunRequest, lanes: int) -> RunRequest:
    """The request, changed so that its plan has exactly `lanes` instances; slots that are missing go to the capabilities in turn.

    A request that yields that many already comes back as it is. ConfigurationError for less than one lane.
    """
    schedule = schedule_with_lanes(request.schedule, lanes)
    return request if schedule is request.schedule else evolve(request, schedule=schedule)


def schedule_with_lanes(schedule: RunSchedule, lanes: int) -> RunSchedule:
    """The schedule of a request with_lanes."""
    if lanes < 1:
        raise ConfigurationError(f"A run needs at least one lane, not {lanes}; ask for one job or more.")
    slots = len(_slots(schedule))
    if schedule.min_instances <= schedule.max_instances and _instance_count(schedule, slots) == lanes <= slots:
        return schedule
    fan_out = _widened(schedule.fan_out or _ONE_GENERAL, lanes)
    return evolve(schedule, min_instances=lanes, max_instances=lanes, fan_out=fan_out)


def _refuse_impossible_bounds(schedule: RunSchedule, slots: int) -> None:
    least, most = schedule.min_instances, schedule.max_instances
    if least > most:
        raise ConfigurationError(f"Scheduler minInstances ({least}) cannot exceed maxInstances ({most}).")
    if least > slots:
        raise ConfigurationError(
            f"Scheduler requires at least {least} instances but only {slots} fan-out {'slot' if slots == 1 else 'slots'} "
            "are available. Adjust the schedule fanOut or lower minInstances."
        )


def _slots(schedule: RunSchedule) -> list[FanOut]:
    """Each entry as often as it has slots; heaviest first, equal weights in the order of the request."""
    slots = [entry for entry in schedule.fan_out or _ONE_GENERAL for _ in range(entry.slots)]
    return sorted(slots, key=lambda entry: -entry.weight)


def _instance_count(schedule: RunSchedule, slots: int) -> int:
    return max(schedule.min_instances, min(schedule.max_instances, slots))


def _widened(fan_out: tuple[FanOut, ...], lanes: int) -> tuple[FanOut, ...]:
    missing = max(0, lanes - sum(entry.slots for entry in fan_out))
    each, rest = divmod(missing, len(fan_out))
    return tuple(
        evolve(entry, max_concurrency=entry.slots + each + (index < rest)) if each or index < rest else entry
        for index, entry in enumerate(fan_out)
    )


# Changing ----------------------------------------------------------------------------------------------------------


def start_instance(assignment: Assignment, at: Timestamp) -> Assignment:
    """The instance takes its first work at `at`. No news for one that already runs or has ended."""
    if assignment.status is not AssignmentStatus.ASSIGNED:
        return assignment
    last = assignment.attempts[-1]
    running = last if last.status.terminal else _with_status(last, AttemptStatus.RUNNING, started_at=at)
    return _with_last(assignment, running, AssignmentStatus.RUNNING)


def requeue_instance(assignment: Assignment, at: Timestamp, detail: str) -> Assignment:
    """The worker behind the instance was lost at `at`, and its work is begun again: the attempt ends, another one runs from now on."""
    *earlier, last = assignment.attempts
    if last.status is not AttemptStatus.RUNNING:
        return assignment
    lost = _lost(CheckpointAction.REQUEUE, at, detail)
    ended = evolve(last, status=AttemptStatus.REQUEUED, completed_at=at, recovery_checkpoints=(*last.recovery_checkpoints, lost))
    following = Attempt(number=last.number + 1, assigned_at=at, started_at=at, status=AttemptStatus.RUNNING)
    return evolve(assignment, attempts=(*earlier, ended, following))


def note_loss(assignment: Assignment, at: Timestamp, detail: str) -> Assignment:
    """The worker behind the instance was lost, and its work is not begun again: somebody has to look at it."""
    lost = _lost(CheckpointAction.ESCALATE, at, detail)
    *earlier, last = assignment.attempts
    noted = last if last.status.terminal else evolve(last, recovery_checkpoints=(*last.recovery_checkpoints, lost))
    return evolve(assignment, attempts=(*earlier, noted))


def _lost(action: CheckpointAction, at: Timestamp, detail: str) -> RecoveryCheckpoint:
    return RecoveryCheckpoint(timestamp=at, reason=CheckpointReason.MISSED_HEARTBEAT, action=action, detail=detail)


def end_instance(
    assignment: Assignment, at: Timestamp | None, *, succeeded: bool, checkpoint: RecoveryCheckpoint | None = None
) -> Assignment:
    """The work of the instance has ended at `at`, None if nobody saw it. No news for one that has ended before."""
    if assignment.status.terminal:
        return assignment
    last = assignment.attempts[-1]
    if not last.status.terminal:
        word = AttemptStatus.COMPLETED if succeeded else AttemptStatus.FAILED
        last = _with_status(last, word, started_at=last.started_at, completed_at=at, more=() if checkpoint is None else (checkpoint,))
    return _with_last(assignment, last, _end_status(assignment, succeeded), completed_at=at)


def _end_status(assignment: Assignment, succeeded: bool) -> AssignmentStatus:
    if not succeeded:
        return AssignmentStatus.FAILED
    requeued = AttemptStatus.REQUEUED in [attempt.status for attempt in assignment.attempts]
    return AssignmentStatus.RECOVERED if requeued else AssignmentStatus.SUCCEEDED


def finalise(plan: SchedulerPlan, run_status: RunStatus, at: Timestamp | None) -> SchedulerPlan:
    """The run has ended with `run_status`: instances that have not ended by themselves take its word, at `at`.

    A run that has not ended changes nothing. An instance that never started keeps no started time.
    """
    if not run_status.is_terminal:
        return plan
    succeeded = run_status is RunStatus.SUCCEEDED
    return evolve(plan, assignments={key: end_instance(one, at, succeeded=succeeded) for key, one in plan.assignments.items()})


def _with_status(
    attempt: Attempt,
    status: AttemptStatus,
    *,
    started_at: Timestamp | None,
    completed_at: Timestamp | None = None,
    more: tuple[RecoveryCheckpoint, ...] = (),
) -> Attempt:
    """As `evolve` would do it; each run does it for each of its lanes, twice."""
    return _make_attempt(
        number=attempt.number,
        assigned_at=attempt.assigned_at,
        started_at=started_at,
        completed_at=completed_at,
        status=status,
        recovery_checkpoints=(*attempt.recovery_checkpoints, *more) if more else attempt.recovery_checkpoints,
    )


def _with_last(assignment: Assignment, last: Attempt, status: AssignmentStatus, completed_at: Timestamp | None = None) -> Assignment:
    """Another status, and another last attempt."""
    return _make_assignment(
        instance_id=assignment.instance_id,
        capability=assignment.capability,
        status=status,
        assigned_at=assignment.assigned_at,
        completed_at=completed_at,
        metadata=assignment.metadata,
        attempts=(*assignment.attempts[:-1], last),
    )
