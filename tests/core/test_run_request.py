"""What a run asks of the scheduler."""

from typing import Any

import pytest

from orchestrator_py.core.codec.run_request import run_request_to_data
from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.core.run_request import create_run_request, is_enabled
from orchestrator_py.errors import ConfigurationError
from orchestrator_py.ids import RunId, parse_task_id
from orchestrator_py.model.pipeline import Pipeline
from orchestrator_py.model.run_request import RunRequest
from orchestrator_py.model.task import TaskContext
from orchestrator_py.model.timestamp import Timestamp
from tests.core.recorded import recorded_cases

CASES = recorded_cases("run-request")


def _pipeline(data: dict[str, Any]) -> Pipeline:
    """A stage may run a pipeline that is not on record: it is put beside it."""
    others = [{"id": stage["pipeline"], "stages": []} for stage in data["stages"] if stage["kind"] == "subpipeline"]
    return parse_configuration({"pipelines": [data, *others]}, source="recorded").pipelines[0]


def _request(pipeline: Pipeline, environment: dict[str, str], manifest_group_size: float | None = None) -> RunRequest:
    return create_run_request(
        pipeline,
        run_id=RunId("r1"),
        task=TaskContext(id=parse_task_id("t"), title="T", metadata={"slug": "s"}),
        environment=environment,
        requested_at=Timestamp("2025-12-21T14:02:47.637Z"),
        artifact_root=".runs/t/cli/r",
        runs_root="/r/.runs",
        out_root="/r/out",
        manifest_group_size=manifest_group_size,
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_request_is_the_one_on_record(case: dict[str, Any]) -> None:
    pipeline, environment = _pipeline(case["input"]["pipeline"]), case["input"]["env"]
    group_size = (case["input"]["manifest_tfgrpo"] or {}).get("group_size")
    if error := case["expected"]["error"]:
        with pytest.raises(ConfigurationError) as refused:
            _request(pipeline, environment, group_size)
        assert str(refused.value) == error["message"]
    else:
        data = run_request_to_data(_request(pipeline, environment, group_size))
        assert data == case["expected"]["request"]
        assert compact_json(data) == compact_json(case["expected"]["request"])


TWO = Pipeline(id="p", title="P", tags=("x", "y"), stages=())


@pytest.mark.parametrize("size", ["1", "1.9", "+1x"])
def test_a_group_of_one_is_refused(size: str) -> None:
    with pytest.raises(ConfigurationError, match=r"TF-GRPO groupSize guardrail violated \(expected ≥ 2\)\."):
        _request(TWO, {"TFGRPO_GROUP_SIZE": size})


@pytest.mark.parametrize("size", ["", " ", "x", "-3", "0x10", "٢"])
def test_a_size_that_is_no_number_above_zero_is_no_size(size: str) -> None:
    assert _request(TWO, {"TFGRPO_GROUP_SIZE": size}).group is None


def test_a_size_of_five_thousand_digits_is_only_too_large() -> None:
    with pytest.raises(ConfigurationError, match="exceeds available scheduling capacity"):
        _request(TWO, {"TFGRPO_GROUP_SIZE": "9" * 5000})


@pytest.mark.parametrize(("text", "temperature"), [("1e-2", 0.01), (".5abc", 0.5), ("1e999", 0.7), ("Infinity", 0.7), ("0", 0.0)])
def test_a_temperature_is_the_number_that_its_text_begins_with(text: str, temperature: float) -> None:
    group = _request(TWO, {"TFGRPO_TRAIN_TEMP": text, "TFGRPO_EPOCHS": "1"}).group
    assert group is not None
    assert group.train_temperature == temperature


@pytest.mark.parametrize("word", ["1", " TRUE ", "yes", "On"])
def test_a_switch_is_on_for_four_words(word: str) -> None:
    assert is_enabled({"FEATURE": word}, "FEATURE")


@pytest.mark.parametrize("environment", [{}, {"FEATURE": ""}, {"FEATURE": "enabled"}, {"FEATURE": "0"}])
def test_a_switch_is_off_for_everything_else(environment: dict[str, str]) -> None:
    assert not is_enabled(environment, "FEATURE")


def test_a_task_without_metadata_has_no_key_for_it() -> None:
    request = create_run_request(
        TWO,
        run_id=RunId("r"),
        task=TaskContext(id=parse_task_id("t"), title="T", description="D"),
        environment={},
        requested_at=Timestamp("now"),
        artifact_root="a",
        runs_root="r",
        out_root="o",
    )
    data = run_request_to_data(request)
    assert data["task"] == {"id": "t", "title": "T", "description": "D", "tags": ["x", "y"]}
    assert data["metadata"] == {"artifactRoot": "a", "runsRoot": "r", "outRoot": "o", "pipelineId": "p", "taskSlug": None}
