"""Records of instances refuse to claim what has not happened."""

import pytest

from orchestrator_py.ids import InstanceId
from orchestrator_py.model.assignment import Assignment, AssignmentStatus, Attempt, AttemptStatus, Slot
from orchestrator_py.model.timestamp import Timestamp

THEN, NOW = Timestamp("2025-12-21T14:00:00.000Z"), Timestamp("2025-12-21T14:05:00.000Z")
PENDING = Attempt(number=1, assigned_at=THEN)


@pytest.mark.parametrize("status", [AttemptStatus.PENDING, AttemptStatus.RUNNING])
def test_an_attempt_that_has_not_ended_has_no_completed_time(status: AttemptStatus) -> None:
    started_at = None if status is AttemptStatus.PENDING else THEN
    with pytest.raises(ValueError, match="cannot have a completed time"):
        Attempt(number=1, assigned_at=THEN, started_at=started_at, completed_at=NOW, status=status)


def test_an_attempt_that_has_not_started_has_no_started_time() -> None:
    with pytest.raises(ValueError, match="cannot have a started time"):
        Attempt(number=1, assigned_at=THEN, started_at=NOW)


def test_an_attempt_that_runs_has_started_at_some_time() -> None:
    with pytest.raises(ValueError, match="needs a started time"):
        Attempt(number=1, assigned_at=THEN, status=AttemptStatus.RUNNING)


@pytest.mark.parametrize("status", [AssignmentStatus.ASSIGNED, AssignmentStatus.RUNNING])
def test_an_instance_that_has_not_ended_has_no_completed_time(status: AssignmentStatus) -> None:
    with pytest.raises(ValueError, match=f"instance t-a-01 is {status.value} and cannot have a completed time"):
        _assignment(status=status, completed_at=NOW)


@pytest.mark.parametrize("status", [status for status in AssignmentStatus if status.terminal])
@pytest.mark.parametrize("completed_at", [None, NOW])
def test_an_end_that_nobody_saw_has_no_time(status: AssignmentStatus, completed_at: Timestamp | None) -> None:
    assert _assignment(status=status, completed_at=completed_at).completed_at == completed_at


def test_an_instance_has_an_attempt_from_birth() -> None:
    with pytest.raises(ValueError, match="has no attempt"):
        _assignment(attempts=())


def _assignment(
    *,
    status: AssignmentStatus = AssignmentStatus.ASSIGNED,
    completed_at: Timestamp | None = None,
    attempts: tuple[Attempt, ...] = (PENDING,),
) -> Assignment:
    return Assignment(
        instance_id=InstanceId("t-a-01"),
        capability="a",
        status=status,
        assigned_at=THEN,
        completed_at=completed_at,
        metadata=Slot(weight=1, max_concurrency=1),
        attempts=attempts,
    )
