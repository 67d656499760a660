"""Plans: their items, their target, and what is chosen from them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.core.plan import create_plan, order_group, select_single, select_target, stages_by_item, validate_needs
from orchestrator_py.errors import ConfigurationError, PlanError
from orchestrator_py.model.pipeline import CommandStage, Pipeline, PlanHints
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy
from orchestrator_py.model.task import PlanItem, PlanResult
from tests.core.recorded import recorded_cases

PLANS = recorded_cases("planner")
UNIQUE = {name: case for name, case in PLANS.items() if name != "duplicate-stage-ids"}
TARGETS = recorded_cases("target-stage")
GROUPS = recorded_cases("manager-groups")
PLANNED_GROUPS = {name: case for name, case in GROUPS.items() if "items" in case["input"]["plan"]}


def _pipeline(data: dict[str, Any]) -> Pipeline:
    """A stage may run a pipeline that is not on record: it is put beside it."""
    others = [{"id": stage["pipeline"], "stages": []} for stage in data["stages"] if stage["kind"] == "subpipeline"]
    return parse_configuration({"pipelines": [data, *others]}, source="recorded").pipelines[0]


def _stage(name: str, **said: Any) -> CommandStage:
    return CommandStage(id=name, title=name.title(), command="true", **said)


# Making a plan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", UNIQUE.values(), ids=UNIQUE.keys())
def test_the_plan_is_the_one_on_record(case: dict[str, Any]) -> None:
    plan = create_plan(_pipeline(case["input"]["pipeline"]), target=case["input"]["target_stage_id"])
    assert to_json(plan) == case["expected"]["plan"]
    assert compact_json(to_json(plan)) == compact_json(case["expected"]["plan"])


def test_two_stages_with_one_id_are_refused_though_the_reference_selects_both() -> None:
    case = PLANS["duplicate-stage-ids"]
    assert [item["selected"] for item in case["expected"]["plan"]["items"]] == [True, True]
    with pytest.raises(ConfigurationError, match=r"stages\[1\]\.id: the id 'a' belongs to another stage"):
        _pipeline(case["input"]["pipeline"])


@pytest.mark.parametrize("case", TARGETS.values(), ids=TARGETS.keys())
def test_the_target_comes_from_where_it_came_on_record(case: dict[str, Any]) -> None:
    asked = case["input"]
    assert select_target(asked["explicit"], asked["fallback"], asked["env_target"]) == case["expected"]


@pytest.mark.parametrize("target", ["p:b", "b", "B", "other:b", "second", "SECOND", "x:y:Second"])
def test_a_stage_is_named_by_its_item_its_id_or_an_alias_whatever_the_case(target: str) -> None:
    pipeline = Pipeline(id="p", title="P", stages=(_stage("a"), _stage("b", hints=PlanHints(aliases=("second",)))))
    assert create_plan(pipeline, target=target).target_id == "p:b"


def test_a_whole_item_id_wins_over_the_stage_that_its_last_part_would_name() -> None:
    pipeline = Pipeline(id="p", title="P", stages=(_stage("b"), _stage("a:b")))
    assert create_plan(pipeline, target="p:a:b").target_id == "p:a:b"


def test_a_stage_whose_id_has_a_colon_is_named_by_it_whatever_the_case() -> None:
    pipeline = Pipeline(id="p", title="P", stages=(_stage("check"), _stage("docs:check")))
    assert create_plan(pipeline, target="docs:check").target_id == "p:docs:check"
    assert create_plan(pipeline, target="Docs:Check").target_id == "p:docs:check"
    assert create_plan(pipeline, target="other:check").target_id == "p:check"


def test_a_stage_that_cannot_run_may_be_named_all_the_same() -> None:
    pipeline = Pipeline(id="p", title="P", stages=(_stage("a"), _stage("b", hints=PlanHints(runnable=False))))
    assert create_plan(pipeline, target="b").target_id == "p:b"


def test_a_description_becomes_the_notes_and_aliases_stand_in_the_metadata() -> None:
    pipeline = Pipeline(id="p", title="P", description="Why.", stages=(_stage("a", hints=PlanHints(aliases=("x",))),))
    plan = create_plan(pipeline, target=None)
    assert plan.notes == "Why."
    assert plan.items[0].metadata == {
        "pipelineId": "p",
        "stageId": "a",
        "stageKind": "command",
        "index": 0,
        "aliases": ["x"],
        "requiresCloud": False,
    }


def test_an_item_carries_the_rules_of_its_stage_with_needs_as_item_ids() -> None:
    policy = SubtaskPolicy(needs=("a",), allow_failure=True, retry=RetryPolicy(max_attempts=3), timeout=timedelta(seconds=5))
    plan = create_plan(Pipeline(id="p", title="P", stages=(_stage("a"), _stage("b", policy=policy))), target=None)
    assert plan.items[0].policy == SubtaskPolicy()
    assert plan.items[1].policy == SubtaskPolicy(
        needs=("p:a",), allow_failure=True, retry=RetryPolicy(max_attempts=3), timeout=timedelta(seconds=5)
    )


def test_the_order_of_a_sequential_pipeline_is_not_turned_into_needs() -> None:
    plan = create_plan(Pipeline(id="p", title="P", stages=(_stage("a"), _stage("b"))), target=None)
    assert [item.policy.needs for item in plan.items] == [(), ()]


def test_every_item_leads_back_to_its_stage() -> None:
    pipeline = Pipeline(id="p", title="P", stages=(_stage("a"), _stage("b")))
    assert [stages_by_item(pipeline)[item.id].id for item in create_plan(pipeline, target=None).items] == ["a", "b"]


# Choosing from a plan ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", PLANNED_GROUPS.values(), ids=PLANNED_GROUPS.keys())
def test_subtasks_are_chosen_in_the_order_on_record(case: dict[str, Any]) -> None:
    """The reference stops at the first failure, so what it called is a beginning of the order."""
    plan = from_json(PlanResult, case["input"]["plan"])
    grouped = case["input"]["env"].get("FEATURE_TFGRPO_GROUP", "").strip().lower() in ("1", "true")
    if error := case["expected"]["error"]:
        with pytest.raises(PlanError) as refused:
            order_group(plan) if grouped else select_single(plan)
        assert str(refused.value) == error["message"]
        return
    order = [item.id for item in (order_group(plan) if grouped else (select_single(plan),))]
    built = [item_id for stage, item_id, _ in case["expected"]["calls"] if stage == "build"]
    assert order[: len(built)] == built
    if group := case["expected"]["summary"].get("group"):
        assert len(order) == group["size"]


def test_several_candidates_without_a_selection_are_refused_by_name() -> None:
    plan = PlanResult(items=(PlanItem(id="a"), PlanItem(id="b"), PlanItem(id="c", runnable=False)))
    with pytest.raises(PlanError) as refused:
        select_single(plan)
    assert str(refused.value) == (
        "Planner returned multiple runnable subtasks without a selection (a, b). "
        "Specify a target stage or update the planner configuration."
    )


def test_a_target_is_taken_before_the_only_runnable_item() -> None:
    plan = PlanResult(items=(PlanItem(id="a"), PlanItem(id="b", runnable=False)), target_id="b")
    assert select_single(plan).id == "b"


def test_a_target_or_selection_that_cannot_run_does_not_lead_the_group() -> None:
    items = (PlanItem(id="a"), PlanItem(id="b", runnable=False, selected=True), PlanItem(id="c", selected=True))
    assert [item.id for item in order_group(PlanResult(items=items, target_id="b"))] == ["c", "a"]


_items = st.builds(
    PlanItem, id=st.sampled_from("abcd"), runnable=st.sampled_from([True, False, None]), selected=st.sampled_from([True, False, None])
)


@given(st.lists(_items, max_size=6), st.sampled_from([None, "a", "b", "zz"]))
def test_a_group_holds_every_runnable_id_once_and_the_target_leads(items: list[PlanItem], target: str | None) -> None:
    runnable = [item for item in items if item.runnable is not False]
    plan = PlanResult(items=tuple(items), target_id=target)
    if not runnable:
        with pytest.raises(PlanError):
            order_group(plan)
        return
    order = order_group(plan)
    ids = [item.id for item in order]
    assert sorted(ids) == sorted({item.id for item in runnable})
    assert all(any(item is candidate for candidate in runnable) for item in order)
    rest = [name for name in dict.fromkeys(item.id for item in runnable) if name != ids[0]]
    assert ids[1:] == rest
    if target in ids:
        assert ids[0] == target


# Checking a plan ---------------------------------------------------------------------------------------------------


def _needing(name: str, *needs: str) -> PlanItem:
    return PlanItem(id=name, policy=SubtaskPolicy(needs=needs))


def test_a_plan_without_circles_may_run() -> None:
    validate_needs((_needing("a"), _needing("b", "a"), _needing("c", "a", "b")))


def test_everything_wrong_with_the_needs_of_a_plan_is_told_at_once() -> None:
    items = (_needing("build"), _needing("build"), _needing("test", "biuld"), _needing("x", "y"), _needing("y", "x"), _needing("z", "z"))
    with pytest.raises(PlanError) as refused:
        validate_needs(items)
    message = str(refused.value)
    assert "the id 'build' occurs 2 times" in message
    assert "'test' needs 'biuld', which is not in the plan; did you mean 'build'?" in message
    assert "'x' needs 'y' needs 'x'" in message or "'y' needs 'x' needs 'y'" in message
    assert "'z' needs 'z'" in message
