"""What may start now: order, limit, needs and the failure policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.schedule import Bounds, Schedule
from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.outcome import FailurePolicy, Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.task import PlanItem
from tests.core.conversations import STOP, report

STARTED_WORDS = [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.REJECTED]


def plan(**needs: str) -> list[PlanItem]:
    """Items by name, each with the one-letter names that it needs."""
    return [PlanItem(id=name, policy=SubtaskPolicy(needs=tuple(wanted))) for name, wanted in needs.items()]


def take(schedule: Schedule) -> str | None:
    item = schedule.take()
    return None if item is None else item.id


def test_subtasks_start_in_plan_order_up_to_the_limit() -> None:
    schedule = Schedule(plan(a="", b="", c=""), Bounds(limit=2), FailurePolicy.STOP)
    assert [take(schedule), take(schedule), take(schedule)] == ["a", "b", None]
    assert not schedule.over
    schedule.settle(report(SubtaskId("b"), Outcome.SUCCEEDED, 0))
    assert (take(schedule), take(schedule)) == ("c", None)


def test_what_became_free_first_in_the_plan_starts_first() -> None:
    schedule = Schedule(plan(a="d", b="", c="d", d=""), Bounds(limit=2), FailurePolicy.STOP)
    assert [take(schedule), take(schedule)] == ["b", "d"]
    schedule.settle(report(SubtaskId("d"), Outcome.SUCCEEDED, 0))
    schedule.settle(report(SubtaskId("b"), Outcome.SUCCEEDED, 0))
    assert schedule.startable == 2
    assert [take(schedule), take(schedule)] == ["a", "c"]


@pytest.mark.parametrize("policy", FailurePolicy)
def test_a_failure_skips_what_needs_it_directly_or_through_others(policy: FailurePolicy) -> None:
    schedule = Schedule(plan(a="", b="a", c="b", d="a", e=""), Bounds(limit=1), policy)
    take(schedule)
    settled = schedule.settle(report(SubtaskId("a"), Outcome.FAILED, 0))
    assert [one.subtask_id for one in settled.skipped] == ["b", "c", "d"]
    assert {(one.outcome, one.skip_reason) for one in settled.skipped} == {(Outcome.SKIPPED, SkipReason.UPSTREAM)}
    cause = StopCause(StopKind.FAILURE_POLICY, "a failed")
    assert settled.cancel == (cause if policy is FailurePolicy.CANCEL else None)
    assert schedule.over is (policy is not FailurePolicy.CONTINUE)
    assert take(schedule) == ("e" if policy is FailurePolicy.CONTINUE else None)
    assert [one.cause for one in schedule.unstarted()] == ([] if policy is FailurePolicy.CONTINUE else [cause])


def test_a_stop_keeps_back_the_rest_and_the_first_cause_stays() -> None:
    schedule = Schedule(plan(a="", b="a", c=""), Bounds(limit=1), FailurePolicy.STOP)
    take(schedule)
    schedule.stop(STOP)
    schedule.stop(StopCause(StopKind.SIGNAL, "SIGINT"))
    assert (take(schedule), schedule.startable, schedule.over) == (None, 0, True)
    schedule.settle(report(SubtaskId("a"), Outcome.SUCCEEDED, 0))
    assert [(one.subtask_id, one.outcome, one.cause) for one in schedule.unstarted()] == [
        ("b", Outcome.CANCELLED, STOP),
        ("c", Outcome.CANCELLED, STOP),
    ]
    assert schedule.unstarted() == ()


def test_what_can_never_start_is_not_waited_for_and_not_called_cancelled() -> None:
    schedule = Schedule(plan(a="b", b="a"), Bounds(limit=1), FailurePolicy.STOP)
    assert (take(schedule), schedule.over, schedule.unstarted()) == (None, True, ())


@st.composite
def plans(draw: st.DrawFn) -> list[PlanItem]:
    names = [f"s{place}" for place in range(draw(st.integers(1, 7)))]
    needs = [tuple(draw(st.lists(st.sampled_from(names[:place]), max_size=3))) if place else () for place in range(len(names))]
    shuffled = draw(st.permutations(list(zip(names, needs, strict=True))))
    return [PlanItem(id=name, policy=SubtaskPolicy(needs=wanted)) for name, wanted in shuffled]


@given(plans(), st.integers(1, 3), st.sampled_from(FailurePolicy), st.data())
def test_every_planned_subtask_is_accounted_for_exactly_once(
    items: list[PlanItem], limit: int, policy: FailurePolicy, data: st.DataObject
) -> None:
    schedule = Schedule(items, Bounds(limit=limit), policy)
    needs = {item.id: item.policy.needs for item in items}
    running: list[str] = []
    told: list[str] = []
    good: set[str] = set()
    while True:
        while (name := take(schedule)) is not None:
            assert set(needs[name]) <= good
            running.append(name)
            assert len(running) <= limit
        if not running:
            break
        name = running.pop(data.draw(st.integers(0, len(running) - 1)))
        word = data.draw(st.sampled_from(STARTED_WORDS))
        if word in (Outcome.SUCCEEDED, Outcome.REJECTED):
            good.add(name)
        told += [name, *(one.subtask_id for one in schedule.settle(report(SubtaskId(name), word, 0)).skipped)]
    assert schedule.over
    told += [one.subtask_id for one in schedule.unstarted()]
    assert sorted(told) == sorted(needs)
    if policy is FailurePolicy.CONTINUE:
        assert schedule.stopped is None
