"""Where a subtask runs, under both policies."""

from typing import Any

import pytest

from orchestrator_py.core.mode import default_mode, pipeline_mode
from orchestrator_py.ids import parse_task_id
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.task import Mode, PlanItem, TaskContext
from tests.core.recorded import recorded_cases

PARALLEL = TaskContext(id=parse_task_id("t"), title="T", metadata={"execution": {"parallel": True}})
PLAIN = TaskContext(id=parse_task_id("t"), title="T")
GROUPS = {
    name: case
    for name, case in recorded_cases("manager-groups").items()
    if case["input"]["mode_policy"] == "default" and case["expected"]["calls"] and "items" in case["input"]["plan"]
}


def _item(**said: Any) -> PlanItem:
    return PlanItem(id="a", **said)


def _from_json(item: dict[str, Any]) -> PlanItem:
    return PlanItem(
        id=item["id"],
        requires_cloud=item.get("requires_cloud", ABSENT),
        requires_cloud_alias=item.get("requiresCloud", ABSENT),
        metadata=item.get("metadata", ABSENT),
    )


@pytest.mark.parametrize("case", GROUPS.values(), ids=GROUPS.keys())
def test_builders_were_called_in_the_mode_that_the_default_policy_gives(case: dict[str, Any]) -> None:
    items = {item["id"]: _from_json(item) for item in case["input"]["plan"]["items"]}
    task = TaskContext(id=case["input"]["task"]["id"], title="T", metadata=case["input"]["task"].get("metadata", {}))
    for stage, item_id, mode in case["expected"]["calls"]:
        if stage == "build":
            assert default_mode(task, items[item_id]).value == mode


@pytest.mark.parametrize("word", ["cloud", " Cloud ", "TRUE", "1", "yes"])
def test_the_default_policy_knows_four_words_for_the_cloud(word: str) -> None:
    assert default_mode(PLAIN, _item(metadata={"mode": word})) is Mode.CLOUD


@pytest.mark.parametrize("word", ["mcp", "false", "0", "No"])
def test_the_default_policy_knows_four_words_against_it(word: str) -> None:
    assert default_mode(PLAIN, _item(metadata={"mode": word, "executionMode": "cloud"})) is Mode.MCP


def test_the_pipeline_policy_knows_only_cloud_and_mcp_and_takes_them_as_they_are_written() -> None:
    assert pipeline_mode(PLAIN, _item(metadata={"executionMode": "Cloud"})) is Mode.CLOUD
    assert pipeline_mode(PLAIN, _item(metadata={"executionMode": " cloud "})) is Mode.MCP
    assert pipeline_mode(PLAIN, _item(metadata={"executionMode": "yes"})) is Mode.MCP


def test_the_policies_read_the_two_metadata_keys_in_opposite_order() -> None:
    item = _item(metadata={"mode": "cloud", "executionMode": "mcp"})
    assert default_mode(PLAIN, item) is Mode.CLOUD
    assert pipeline_mode(PLAIN, item) is Mode.MCP


def test_a_no_of_the_item_holds_against_a_parallel_task_only_under_the_pipeline_policy() -> None:
    item = _item(requires_cloud=False)
    assert default_mode(PARALLEL, item) is Mode.CLOUD
    assert pipeline_mode(PARALLEL, item) is Mode.MCP


def test_an_item_that_says_nothing_follows_a_parallel_task_under_both() -> None:
    assert default_mode(PARALLEL, _item()) is Mode.CLOUD
    assert pipeline_mode(PARALLEL, _item(metadata=None)) is Mode.CLOUD


def test_the_first_flag_that_is_true_or_false_wins_over_every_word() -> None:
    item = _item(requires_cloud=None, requires_cloud_alias=True, metadata={"mode": "mcp", "executionMode": "mcp"})
    assert default_mode(PLAIN, item) is Mode.CLOUD
    assert pipeline_mode(PLAIN, item) is Mode.CLOUD


@pytest.mark.parametrize(
    ("parallel", "mode"), [([], Mode.CLOUD), ({}, Mode.CLOUD), (1, Mode.CLOUD), (0, Mode.MCP), ("", Mode.MCP), (None, Mode.MCP)]
)
def test_parallel_is_truthy_as_consumers_mean_it(parallel: object, mode: Mode) -> None:
    task = TaskContext(id=parse_task_id("t"), title="T", metadata={"execution": {"parallel": parallel}})
    assert default_mode(task, _item()) is mode


@pytest.mark.parametrize("metadata", [{"execution": None}, {"execution": "parallel"}, {"execution": []}])
def test_a_task_without_execution_settings_does_not_run_in_parallel(metadata: dict[str, object]) -> None:
    assert default_mode(TaskContext(id=parse_task_id("t"), title="T", metadata=metadata), _item()) is Mode.MCP
