"""What may start now under limits that runs share, and under named resources."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.schedule import Bounds, Schedule
from orchestrator_py.core.slots import Slots
from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.outcome import FailurePolicy, Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.task import PlanItem
from tests.core.conversations import report

UNITS = {"a": 1, "b": 2}


def item(name: str, *resources: str) -> PlanItem:
    return PlanItem(id=name, policy=SubtaskPolicy(resources=resources))


def take_all(schedule: Schedule) -> list[str]:
    taken = []
    while (one := schedule.take()) is not None:
        taken.append(one.id)
    return taken


def settle(schedule: Schedule, name: str, word: Outcome = Outcome.SUCCEEDED) -> None:
    schedule.settle(report(SubtaskId(name), word, 0))


# Resources ---------------------------------------------------------------------------------------------------------


def test_two_that_name_the_same_resource_run_one_after_the_other() -> None:
    schedule = Schedule([item("x", "a"), item("y", "a"), item("z")], Bounds(limit=9, resources=UNITS), FailurePolicy.STOP)
    assert take_all(schedule) == ["x", "z"]
    settle(schedule, "x")
    assert take_all(schedule) == ["y"]


def test_as_many_run_as_there_are_units() -> None:
    schedule = Schedule([item(name, "b") for name in "xyz"], Bounds(limit=9, resources=UNITS), FailurePolicy.STOP)
    assert take_all(schedule) == ["x", "y"]


def test_who_waits_for_two_resources_is_not_overtaken_by_those_who_need_one_of_them() -> None:
    items = [item("first", "a"), item("both", "a", "b"), item("later", "b"), item("free")]
    schedule = Schedule(items, Bounds(limit=9, resources=UNITS), FailurePolicy.STOP)
    assert take_all(schedule) == ["first", "free"]
    settle(schedule, "first")
    assert take_all(schedule) == ["both", "later"]


def test_a_resource_that_is_named_twice_is_taken_once() -> None:
    schedule = Schedule([item("x", "a", "a")], Bounds(limit=1, resources=UNITS), FailurePolicy.STOP)
    assert take_all(schedule) == ["x"]
    settle(schedule, "x")
    assert schedule.over


# Slots -------------------------------------------------------------------------------------------------------------


def test_runs_that_share_slots_never_use_more_of_them_together() -> None:
    slots = Slots(2)
    one, other = (Schedule([item(name) for name in "xyz"], Bounds(limit=2, slots=slots), FailurePolicy.STOP) for _ in range(2))
    assert take_all(one) == ["x", "y"]
    assert (take_all(other), other.startable, other.over) == ([], 0, False)
    settle(one, "x")
    assert take_all(other) == ["x"]
    assert take_all(one) == []


def test_who_works_through_another_run_leaves_the_slot_to_it() -> None:
    slots = Slots(1)
    parent = Schedule([item("child"), item("x")], Bounds(limit=2, slots=slots, slotless=frozenset({"child"})), FailurePolicy.STOP)
    child = Schedule([item("y")], Bounds(limit=1, slots=slots), FailurePolicy.STOP)
    assert parent.take() == item("child")
    assert child.take() == item("y")
    assert parent.take() is None
    settle(child, "y")
    assert parent.take() == item("x")


def test_what_was_given_out_and_is_lost_keeps_no_slot() -> None:
    slots = Slots(1)
    lost = Schedule([item("x")], Bounds(limit=1, slots=slots), FailurePolicy.STOP)
    assert take_all(lost) == ["x"]
    lost.give_up()
    assert slots.free == 1


# Deadlines ---------------------------------------------------------------------------------------------------------


def test_what_the_deadline_of_the_run_kept_from_starting_is_skipped_and_counts_as_timed_out() -> None:
    schedule = Schedule([item("x"), item("y")], Bounds(limit=1), FailurePolicy.STOP)
    schedule.take()
    cause = StopCause(StopKind.TIMEOUT, "5 s for the whole run")
    schedule.stop(cause)
    (kept_back,) = schedule.unstarted()
    assert (kept_back.outcome, kept_back.skip_reason, kept_back.cause) == (Outcome.SKIPPED, SkipReason.DEADLINE, cause)
    assert kept_back.counted is Outcome.TIMED_OUT


# Whatever the plan -------------------------------------------------------------------------------------------------


@st.composite
def plans(draw: st.DrawFn) -> list[PlanItem]:
    items = []
    for place in range(draw(st.integers(1, 8))):
        needs = draw(st.lists(st.integers(0, place - 1), max_size=2)) if place else []
        resources = draw(st.lists(st.sampled_from(sorted(UNITS)), max_size=2))
        items.append(PlanItem(id=f"s{place}", policy=SubtaskPolicy(needs=[f"s{need}" for need in needs], resources=resources)))
    return items


@given(st.lists(plans(), min_size=1, max_size=3), st.integers(1, 3), st.sets(st.sampled_from(["s0", "s1", "s2"])), st.data())
def test_bounds_are_never_exceeded_and_everything_runs(
    several: list[list[PlanItem]], limit: int, slotless: set[str], data: st.DataObject
) -> None:
    slots = Slots(limit)
    bounds = Bounds(limit=limit, slots=slots, slotless=frozenset(slotless), resources=UNITS)
    schedules = [Schedule(items, bounds, FailurePolicy.CONTINUE) for items in several]
    running: list[tuple[int, PlanItem]] = []
    done = 0
    while not all(schedule.over for schedule in schedules):
        for number, schedule in enumerate(schedules):
            most = schedule.startable
            while (one := schedule.take()) is not None:
                running.append((number, one))
                most -= 1
            assert most >= 0
        assert running, "nothing runs and nothing can start: a deadlock"
        assert sum(one.id not in slotless for _, one in running) <= limit
        for number in range(len(schedules)):
            mine = [one for owner, one in running if owner == number]
            assert len(mine) <= limit
            held = Counter(name for one in mine for name in set(one.policy.resources))
            assert all(held[name] <= UNITS[name] for name in held)
        owner, ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
        settle(schedules[owner], ended.id)
        done += 1
    assert done == sum(len(items) for items in several)
    assert slots.taken == 0


@given(plans(), st.integers(1, 3), st.data())
def test_who_is_ready_is_overtaken_at_a_resource_only_by_those_in_front_of_it(
    items: list[PlanItem], limit: int, data: st.DataObject
) -> None:
    """Among those that wait for a start, a later one never takes what an earlier ready one names."""
    schedule = Schedule(items, Bounds(limit=limit, resources=UNITS), FailurePolicy.CONTINUE)
    running: list[str] = []
    ended: set[str] = set()
    started: set[str] = set()
    while not schedule.over:
        while (one := schedule.take()) is not None:
            ready = [other for other in items if other.id not in started and set(other.policy.needs) <= ended]
            in_front = ready[: ready.index(one)]
            assert not any(set(other.policy.resources) & set(one.policy.resources) for other in in_front)
            running.append(one.id)
            started.add(one.id)
        name = running.pop(data.draw(st.integers(0, len(running) - 1)))
        ended.add(name)
        settle(schedule, name)
