"""What a value holds beside its fields: nothing, as a rule, and nobody can put something there for others."""

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from orchestrator_py import BuildResult, PlanItem, PlanResult, ReviewDecision, ReviewResult, TaskContext, TestResult
from orchestrator_py.model.extra import NO_EXTRA, NoExtra

CHANGES: list[Callable[[NoExtra], object]] = [
    lambda extra: extra.__setitem__("a", 1),
    lambda extra: extra.__delitem__("a"),
    lambda extra: extra.__ior__({"a": 1}),
    lambda extra: extra.update(a=1),
    lambda extra: extra.setdefault("a", 1),
    lambda extra: extra.pop("a", None),
    lambda extra: extra.popitem(),
    lambda extra: extra.clear(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_can_be_put_where_nothing_is(change: Callable[[NoExtra], object]) -> None:
    with pytest.raises(TypeError, match=r"make a value with an `extra` of its own: attrs.evolve\(value, extra=\{...\}\)"):
        change(NO_EXTRA)
    assert not NO_EXTRA


def test_whatever_changes_a_dict_is_refused() -> None:
    """A method that a later Python adds to dict shows here."""
    reading = {"copy", "fromkeys", "get", "items", "keys", "values"}
    changing = {name for name in vars(dict) if not name.startswith("__")} - reading | {"__setitem__", "__delitem__", "__ior__"}
    assert changing <= vars(NoExtra).keys()


@pytest.mark.parametrize(
    "value",
    [
        TaskContext(id="t", title="T"),
        PlanItem(id="a"),
        PlanResult(items=[]),
        BuildResult(subtask_id="a", success=True),
        TestResult(subtask_id="a", success=True),
        ReviewResult(summary="", decision=ReviewDecision(approved=True)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_say_nothing_more_share_it_and_so_do_their_copies(
    value: TaskContext | PlanItem | PlanResult | BuildResult | TestResult | ReviewResult,
) -> None:
    for same in (value, copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert same == value
        assert same.extra is NO_EXTRA


def test_whoever_reads_it_finds_an_empty_dict() -> None:
    assert NO_EXTRA == {}
    assert isinstance(NO_EXTRA, dict)
    assert json.dumps(NO_EXTRA) == "{}"
    assert NO_EXTRA | {"a": 1} == {"a": 1}
