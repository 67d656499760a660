"""The shipped schema is that of the classes, and accepts and refuses what the program accepts and refuses."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from orchestrator_py.core.codec.configuration_schema import configuration_schema
from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.errors import ConfigurationError

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "orchestrator_py" / "schemas" / "codex.orchestrator.schema.json"

Data = dict[str, object]


def with_stage(**keys: object) -> Data:
    stage: Data = {"kind": "command", "id": "a", "command": "true", **keys}
    return {"pipelines": [{"id": "p", "stages": [{key: value for key, value in stage.items() if value is not ...}]}]}


def with_pipeline(**keys: object) -> Data:
    return {"pipelines": [{"id": "p", "stages": [{"kind": "command", "id": "a", "command": "true"}], **keys}]}


ACCEPTED: list[Data] = [
    with_stage(),
    with_stage(env={"A": "b"}, cwd="x", timeoutSeconds=0.5, retry={"maxAttempts": 2, "backoffSeconds": 0, "on": ["failed"]}),
    with_stage(plan={"runnable": False, "default": 1, "aliases": ["b"], "cloudEnvId": "c"}),
    with_stage(requiresCloud=True, execution_mode="cloud", title=None),
    with_pipeline(tags=["x"], parallel=True, guardrailsRequired=False, metadata={"a": 1}),
    {"$schema": "https://example.org/schema.json", **with_stage()},
    {"stageSets": {"s": [{"kind": "command", "id": "b", "command": "x"}]}, **with_stage()},
    {"guardrails": None, **with_stage()},
    {"guardrails": {"codePaths": ["lib/"], "specFolders": [], "maxAgeDays": 90, "docRoots": ["docs", "."], "ignoredPaths": ["a b/c"]}},
    {"guardrails": {"maxFiles": 1, "maxLines": 10_000, "review": {"command": "make review"}}},
    {"stageSets": {"s": []}, "pipelines": [{"id": "p", "stages": [{"kind": "stage-set", "ref": "s"}]}]},
]

REFUSED: list[Data] = [
    with_stage(command=...),
    with_stage(command="  "),
    with_stage(command="a\0b"),
    with_stage(command=["true"]),
    with_stage(kind="comand"),
    with_stage(commands="x"),
    with_stage(env={"A=B": "c"}),
    with_stage(env={"": "c"}),
    with_stage(env={"A": 1}),
    with_stage(timeoutSeconds=0),
    with_stage(timeoutSeconds="5"),
    with_stage(retry={"maxAttempts": 0}),
    with_stage(retry={"maxAttempts": 1.5}),
    with_stage(retry={"on": ["cancelled"]}),
    with_stage(retry={"attempts": 2}),
    with_stage(needs="b"),
    with_stage(pipeline="p"),
    with_pipeline(id=1),
    with_pipeline(parallel="yes"),
    with_pipeline(stages={}),
    {**with_stage(), "pipeline": []},
    {"guardrails": []},
    {"guardrails": {"codePath": ["lib/"]}},
    {"guardrails": {"codePaths": "lib/"}},
    {"guardrails": {"codePaths": ["/lib"]}},
    {"guardrails": {"docRoots": ["docs/../.."]}},
    {"guardrails": {"docRoots": ["  "]}},
    {"guardrails": {"maxFiles": 0}},
    {"guardrails": {"maxLines": 1.5}},
    {"guardrails": {"review": {"command": ""}}},
    {"guardrails": {"review": {}}},
    {**with_stage(), "defaultPipeline": ""},
]


def accepts(data: Data) -> bool:
    try:
        parse_configuration(data, source="test")
    except ConfigurationError:
        return False
    return True


def test_the_shipped_schema_is_that_of_the_classes() -> None:
    assert json.loads(SHIPPED.read_text()) == configuration_schema(), "run scripts/write_schema"


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(configuration_schema())


@pytest.mark.parametrize("data", ACCEPTED, ids=json.dumps)
def test_what_the_program_accepts_the_schema_accepts(data: Data) -> None:
    assert accepts(data)
    assert list(Draft202012Validator(configuration_schema()).iter_errors(data)) == []


@pytest.mark.parametrize("data", REFUSED, ids=repr)
def test_what_the_program_refuses_for_its_shape_the_schema_refuses(data: Data) -> None:
    assert not accepts(data)
    assert not Draft202012Validator(configuration_schema()).is_valid(data)


def test_every_configuration_of_the_project_fits() -> None:
    for file in (PROJECT / "codex.orchestrator.json", *PROJECT.glob("examples/**/codex.orchestrator.json")):
        Draft202012Validator(configuration_schema()).validate(json.loads(file.read_text()))
