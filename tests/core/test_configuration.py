"""The configuration file: what may stand in it, and how everything else is refused."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.configuration import MINIMAL_CONFIGURATION, parse_configuration, select_pipeline
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.plan import create_plan, validate_needs
from orchestrator_py.errors import ConfigurationError
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Configuration, PlanHints, SubpipelineStage
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy

FILE = "codex.orchestrator.json"


def _command(name: str, **said: Any) -> dict[str, Any]:
    return {"kind": "command", "id": name, "command": f"make {name}", **said}


def _one(*stages: Any, **said: Any) -> dict[str, Any]:
    return {"pipelines": [{"id": "p", "stages": list(stages), **said}]}


def _parse(data: object) -> Configuration:
    return parse_configuration(data, source=FILE)


def _problems(data: object) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        _parse(data)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{FILE}: $") for line in lines)
    return [line.removeprefix(f"{FILE}: ") for line in lines]


# What may stand in it ----------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "defaultPipeline": "main",
    "runtimeMode": "cli",
    "stageSets": {
        "guards": [_command("spec-guard", title="Guard", plan={"runnable": False})],
        "checks": [_command("lint", needs=["spec-guard"]), _command("unit", allowFailure=True, summaryHint="advisory")],
    },
    "pipelines": [
        {
            "id": "main",
            "title": "Main",
            "description": "All of it.",
            "tags": ["x", "y"],
            "guardrailsRequired": False,
            "parallel": True,
            "timeoutSeconds": 600,
            "resources": {"port": 1, "db": 2},
            "metadata": {"anything": ["goes", {"here": None}]},
            "stages": [
                {"kind": "stage-set", "ref": "guards"},
                {"kind": "stage-set", "ref": "checks"},
                _command(
                    "build",
                    cwd="packages/core",
                    env={"CI": "1", "EMPTY": ""},
                    test="make test",
                    review="make review",
                    timeoutSeconds=1.5,
                    timeoutMs=9000,
                    retry={
                        "maxAttempts": 3,
                        "backoffSeconds": 0.25,
                        "backoffFactor": 2,
                        "maxBackoffSeconds": 30,
                        "jitter": True,
                        "on": ["timed_out", "crashed"],
                    },
                    resources=["db", "port", "db"],
                    session={"id": "s1", "reuse": True, "persist": False},
                    plan={"defaultTarget": True, "aliases": ["b"], "executionMode": " Cloud ", "cloudEnvId": "e"},
                ),
                {"kind": "subpipeline", "id": "more", "pipeline": "other", "optional": True, "needs": ["build", "build"], "timeoutMs": 250},
            ],
        },
        {"id": "other", "stages": [_command("s", mode="cloud", requires_cloud=False)]},
    ],
}


def test_a_stage_says_all_that_it_may_say() -> None:
    main = _parse(EVERYTHING).pipelines[0]
    assert main.stages[3] == CommandStage(
        id="build",
        title="build",
        command="make build",
        test="make test",
        review="make review",
        cwd="packages/core",
        env={"CI": "1", "EMPTY": ""},
        session_id="s1",
        hints=PlanHints(default_target=True, aliases=("b",), requires_cloud=True, execution_mode="cloud"),
        policy=SubtaskPolicy(
            timeout=timedelta(seconds=1.5),
            retry=RetryPolicy(
                max_attempts=3,
                backoff=timedelta(seconds=0.25),
                backoff_factor=2.0,
                max_backoff=timedelta(seconds=30),
                jitter=True,
                on=frozenset({Outcome.TIMED_OUT, Outcome.CRASHED}),
            ),
            resources=("db", "port"),
        ),
    )


def test_a_sub_pipeline_is_a_stage_whose_failure_may_be_optional() -> None:
    assert _parse(EVERYTHING).pipelines[0].stages[4] == SubpipelineStage(
        id="more",
        title="more",
        pipeline="other",
        policy=SubtaskPolicy(needs=("build",), allow_failure=True, timeout=timedelta(milliseconds=250)),
    )


def test_stage_sets_are_put_in_where_they_are_referred_to() -> None:
    main = _parse(EVERYTHING).pipelines[0]
    assert [stage.id for stage in main.stages] == ["spec-guard", "lint", "unit", "build", "more"]
    assert (main.title, main.description, main.tags, main.guardrails_required, main.parallel) == (
        "Main",
        "All of it.",
        ("x", "y"),
        False,
        True,
    )


def test_what_is_accepted_without_effect_is_told_in_one_text() -> None:
    (warning,) = _parse(EVERYTHING).warnings
    assert warning == (
        f"{FILE}: these keys are known but have no effect here: runtimeMode (at $), metadata (at $.pipelines[0]), "
        "plan.cloudEnvId (at $.pipelines[0].stages[2]), session (at $.pipelines[0].stages[2])."
    )


def test_a_pipeline_says_how_long_it_may_take_and_of_what_there_is_how_much() -> None:
    main, other = _parse(EVERYTHING).pipelines
    assert (main.timeout, main.resources) == (timedelta(minutes=10), {"port": 1, "db": 2})
    assert (other.timeout, other.resources) == (None, {})


def test_the_same_key_without_effect_in_many_places_is_told_once() -> None:
    data = _one(*(_command(f"s{number}", session={"id": "x"}) for number in range(40)))
    assert _parse(data).warnings == (
        f"{FILE}: these keys are known but have no effect here: session (at $.pipelines[0].stages[0] and 39 more).",
    )


def test_a_file_that_says_everything_can_be_planned() -> None:
    configuration = _parse(EVERYTHING)
    for pipeline in configuration.pipelines:
        plan = create_plan(select_pipeline(configuration, pipeline.id), target=None)
        validate_needs(plan.items)
        assert len(plan.items) == len(pipeline.stages)


def test_what_is_not_said_has_its_usual_value() -> None:
    configuration = _parse(_one(_command("a")))
    (pipeline,) = configuration.pipelines
    assert configuration.warnings == ()
    assert (pipeline.title, pipeline.description, pipeline.guardrails_required, pipeline.sequential) == ("p", None, True, True)
    assert pipeline.stages == (CommandStage(id="a", title="a", command="make a"),)


def test_null_is_nothing_said_where_a_key_is_optional() -> None:
    optional = "title cwd env test review allowFailure summaryHint session plan timeoutSeconds timeoutMs mode requiresCloud"
    nothing = dict.fromkeys(optional.split())
    assert _parse(_one(_command("a", **nothing))) == _parse(_one(_command("a")))


def test_the_smallest_file_that_messages_show_is_one_that_works() -> None:
    assert select_pipeline(_parse(parse_json(MINIMAL_CONFIGURATION)), None).id == "diagnostics"


# How everything else is refused ------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[object, str]] = {
    "no object": ([], "$: expected an object, got a list"),
    "an unknown key of the file": ({"pipelins": []}, "$.pipelins: unknown key; did you mean 'pipelines'?"),
    "pipelines that are no list": ({"pipelines": {}}, "$.pipelines: expected a list, got an object"),
    "a pipeline that is none": ({"pipelines": [3]}, "$.pipelines[0]: expected an object, got 3"),
    "a pipeline without stages": ({"pipelines": [{"id": "p"}]}, "$.pipelines[0]: the key 'stages' is missing"),
    "a pipeline with an unknown key": (_one(paralel=True), "$.pipelines[0].paralel: unknown key; did you mean 'parallel'?"),
    "parallel that is no switch": (_one(parallel="yes"), "$.pipelines[0].parallel: expected true or false, got 'yes'"),
    "no time": (_one(timeoutSeconds=0), "$.pipelines[0].timeoutSeconds: expected a time of at least a millisecond, got 0"),
    "a resource without a unit": (_one(resources={"db": 0}), "$.pipelines[0].resources.db: expected a whole number, at least 1, got 0"),
    "half a unit": (_one(resources={"a b": 0.5}), '$.pipelines[0].resources["a b"]: expected a whole number, at least 1, got 0.5'),
    "a resource without a name": (_one(resources={" ": 1}), '$.pipelines[0].resources[" "]: expected a text that is not empty'),
    "an unknown resource": (
        _one(_command("a", resources=["prot"]), resources={"port": 1}),
        "$.pipelines[0].stages[0].resources: pipeline 'p' has no resource 'prot'; did you mean 'port'?",
    ),
    "a resource without a number": (
        _one(_command("a", resources=["port"])),
        "$.pipelines[0].stages[0].resources: pipeline 'p' has no resource 'port'; add it to the pipeline: \"resources\": {\"port\": 1}",
    ),
    "an unknown resource of a stage in a set": (
        _one({"kind": "stage-set", "ref": "s"}, resources={"port": 1}) | {"stageSets": {"s": [_command("a", resources=["prot"])]}},
        "$.stageSets.s[0].resources: pipeline 'p' has no resource 'prot'; did you mean 'port'?",
    ),
    "an empty tag": (_one(tags=["a", ""]), "$.pipelines[0].tags[1]: expected a text that is not empty, got ''"),
    "an unknown need": (
        _one(_command("build"), _command("test", needs=["biuld"])),
        "$.pipelines[0].stages[1].needs: pipeline 'p' has no stage 'biuld'; did you mean 'build'?",
    ),
    "an id twice": (
        _one(_command("a"), _command("b"), _command("a")),
        "$.pipelines[0].stages[2].id: the id 'a' belongs to another stage of pipeline 'p', at $.pipelines[0].stages[0]; give each its own",
    ),
    "a pipeline twice": (
        {"pipelines": [{"id": "p", "stages": []}, {"id": "p", "stages": []}]},
        "$.pipelines[1].id: the id 'p' belongs to another pipeline, at $.pipelines[0]; give each its own",
    ),
    "an unknown default": (
        {"defaultPipeline": "mian", "pipelines": [{"id": "main", "stages": []}]},
        "$.defaultPipeline: no pipeline has the id 'mian'; did you mean 'main'?",
    ),
    "a pipeline that runs itself": (
        _one({"kind": "subpipeline", "id": "a", "pipeline": "p"}),
        "$.pipelines[0].stages: 'p' runs itself; it would never end",
    ),
    "an unknown stage set": (
        _one({"kind": "stage-set", "ref": "chekcs"}) | {"stageSets": {"checks": []}},
        "$.pipelines[0].stages[0].ref: no stage set is called 'chekcs'; did you mean 'checks'?",
    ),
    "a stage set that is no list": ({"stageSets": {"a b": {}}}, '$.stageSets["a b"]: expected a list, got an object'),
    "a stage set in a stage set": (
        {"stageSets": {"a": [], "b": [{"kind": "stage-set", "ref": "a"}]}},
        "$.stageSets.b[0].kind: a stage set cannot refer to a stage set; write its stages here",
    ),
}


@pytest.mark.parametrize(("data", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_run_is_refused_with_place_and_expectation(data: object, problem: str) -> None:
    (line,) = _problems(data)
    assert line.startswith(problem)


STAGES_REFUSED: dict[str, tuple[object, str]] = {
    "no object": ("make", ": expected an object, got 'make'"),
    "no kind": ({"id": "a"}, ": the key 'kind' is missing, or no text; expected one of 'command', 'subpipeline', 'stage-set'"),
    "an unknown kind": ({"kind": "comand", "id": "a"}, ".kind: no kind of stage is called 'comand'; did you mean 'command'?"),
    "no id": ({"kind": "command", "command": "x"}, ": the key 'id' is missing"),
    "an unknown key": (_command("a", comand="x"), ".comand: unknown key; did you mean 'command'?"),
    "a key of the other kind": ({"kind": "subpipeline", "id": "a", "pipeline": "q", "test": "x"}, ".test: unknown key"),
    "an unknown sub-pipeline": ({"kind": "subpipeline", "id": "a", "pipeline": "r"}, ".pipeline: no pipeline has the id 'r'; known: p, q"),
    "an empty command": (_command("a", command=" \t"), ".command: expected a text that is not empty"),
    "an empty test": (_command("a", test=""), ".test: expected a text that is not empty, got ''"),
    "a command that no process takes": (_command("a", command="a\0b"), ".command: expected a text without NUL"),
    "half a surrogate pair": (_command("a", cwd="\ud800"), ".cwd: expected a text without NUL characters and lone surrogates"),
    "an environment of numbers": (_command("a", env={"A": 1}), ".env.A: expected a text without NUL"),
    "a variable without a name": (_command("a", env={"": "x"}), '.env[""]: expected the name of a variable'),
    "a variable with = in its name": (_command("a", env={"A=B": "x"}), '.env["A=B"]: expected the name of a variable'),
    "no time": (_command("a", timeoutSeconds=0), ".timeoutSeconds: expected a time of at least a millisecond, got 0"),
    "less than no time": (_command("a", timeoutMs=-5), ".timeoutMs: expected a time of at least a millisecond, got -5"),
    "too much time": (_command("a", timeoutSeconds=1e300), ".timeoutSeconds: expected a smaller number"),
    "time in words": (_command("a", timeoutSeconds="5"), ".timeoutSeconds: expected a time of at least a millisecond, got '5'"),
    "no attempt": (_command("a", retry={"maxAttempts": 0}), ".retry.maxAttempts: expected a whole number, at least 1, got 0"),
    "half an attempt": (_command("a", retry={"maxAttempts": 1.5}), ".retry.maxAttempts: expected a whole number"),
    "a pause below nothing": (_command("a", retry={"backoffSeconds": -1}), ".retry.backoffSeconds: expected 0 or a greater number"),
    "a pause that shrinks": (_command("a", retry={"backoffFactor": 0.5}), ".retry.backoffFactor: expected a number, at least 1, got 0.5"),
    "a pause without end": (_command("a", retry={"backoffFactor": float("inf")}), ".retry.backoffFactor: expected a number, at least 1"),
    "no longest pause": (
        _command("a", retry={"maxBackoffSeconds": 0}),
        ".retry.maxBackoffSeconds: expected a time of at least a millisecond, got 0",
    ),
    "jitter that is no switch": (_command("a", retry={"jitter": "full"}), ".retry.jitter: expected true or false, got 'full'"),
    "a resource that is no list": (_command("a", resources="db"), ".resources: expected a list, got 'db'"),
    "a retry after a cancel": (
        _command("a", retry={"on": ["failed", "cancelled"]}),
        ".retry.on[1]: expected one of 'crashed', 'failed', 'timed_out', got 'cancelled'",
    ),
    "a need of itself": (_command("a", needs=["a"]), ".needs: in pipeline 'p', 'a' needs itself; none of them could ever start"),
}


@pytest.mark.parametrize(("stage", "problem"), STAGES_REFUSED.values(), ids=STAGES_REFUSED.keys())
def test_a_stage_that_cannot_run_is_refused_with_place_and_expectation(stage: object, problem: str) -> None:
    pipelines = [{"id": "p", "stages": [stage]}, {"id": "q", "stages": []}]
    (line,) = _problems({"pipelines": pipelines})
    assert line.startswith(f"$.pipelines[0].stages[0]{problem}")


def test_circles_are_named_along_their_way() -> None:
    (needs,) = _problems(_one(_command("a", needs=["c"]), _command("b", needs=["a"]), _command("c", needs=["b"])))
    walks = ["'a' needs 'c' needs 'b' needs 'a'", "'b' needs 'a' needs 'c' needs 'b'", "'c' needs 'b' needs 'a' needs 'c'"]
    assert any(walk in needs for walk in walks)
    pipelines = [{"id": name, "stages": [{"kind": "subpipeline", "id": "s", "pipeline": other}]} for name, other in ("qr", "rq")]
    (runs,) = _problems({"pipelines": pipelines})
    assert "'q' runs 'r' runs 'q'" in runs or "'r' runs 'q' runs 'r'" in runs


def test_problems_of_every_kind_are_told_at_once() -> None:
    data = _one(_command("a", comand="x"), _command("b", needs=["c"]), _command("c", needs=["b"]), _command("d", command=""), paralel=1)
    lines = _problems(data | {"defaultPipeline": "z", "extra": 1, "stageSets": {"s": 1}})
    assert [line.split(": ")[0] for line in lines] == [
        "$.extra",
        "$.stageSets.s",
        "$.pipelines[0].paralel",
        "$.pipelines[0].stages[0].comand",
        "$.pipelines[0].stages[3].command",
        lines[5].split(": ")[0],
        "$.defaultPipeline",
    ]
    assert "needs" in lines[5]


def test_of_very_many_problems_the_first_are_told_and_the_others_counted() -> None:
    lines = _problems(_one(*(_command(f"s{number}", comand="x") for number in range(800))))
    assert [line.split(": ")[0] for line in lines[:-1]] == [f"$.pipelines[0].stages[{number}].comand" for number in range(50)]
    assert lines[-1] == "$: and 750 more; mend these first."


def test_a_need_of_a_stage_that_cannot_be_read_is_not_called_unknown() -> None:
    assert len(_problems(_one(_command("a", command=""), _command("b", needs=["a"])))) == 1
    assert len(_problems(_one({"kind": "stage-set", "ref": "gone"}, _command("b", needs=["in-the-set"])))) == 1


def test_resources_that_cannot_be_read_are_not_called_unknown() -> None:
    assert len(_problems(_one(_command("a", resources=["db"]), resources={"db": 0}))) == 1


def test_what_is_wrong_in_a_stage_set_is_told_once_however_often_it_is_used() -> None:
    pipelines = [{"id": name, "stages": [{"kind": "stage-set", "ref": "s"}]} for name in "pqr"]
    assert len(_problems({"stageSets": {"s": [_command("a", command="")]}, "pipelines": pipelines})) == 1


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_a_pipeline_whose_name_no_stage_could_be_given_is_refused(name: str) -> None:
    (problem,) = _problems({"pipelines": [{"id": name, "stages": [_command("a")]}]})
    assert problem.startswith("$.pipelines[0].id: expected a text without NUL characters and lone surrogates")


@pytest.mark.parametrize("path", [" ../outside", " /tmp/x", "a/.. ", "\t..\n"])
def test_a_guarded_path_does_not_leave_the_repository_behind_blanks(path: str) -> None:
    (problem,) = _problems({**_one(_command("a")), "guardrails": {"docRoots": [path]}})
    assert problem.startswith("$.guardrails.docRoots[0]: expected a path inside the repository")


# Which pipeline ----------------------------------------------------------------------------------------------------


def _file(*names: str, default: str | None = None) -> Configuration:
    return _parse({"pipelines": [{"id": name, "stages": []} for name in names], **({"defaultPipeline": default} if default else {})})


@pytest.mark.parametrize(
    ("configuration", "asked", "chosen"),
    [
        (_file("a", "b", default="a"), "b", "b"),
        (_file("a", "b", default="b"), None, "b"),
        (_file("a", "diagnostics"), None, "diagnostics"),
        (_file("a", "diagnostics", default="a"), None, "a"),
        (_file("only"), None, "only"),
        (_file("only"), "", "only"),
    ],
)
def test_a_pipeline_is_the_one_asked_for_or_the_default(configuration: Configuration, asked: str | None, chosen: str) -> None:
    assert select_pipeline(configuration, asked).id == chosen


@pytest.mark.parametrize(
    ("configuration", "asked", "message"),
    [
        (_file("lint", "test"), "tset", f"Pipeline 'tset' not found. Looked in {FILE}; did you mean 'test'?"),
        (_file("lint", "test"), "zzz", f"Pipeline 'zzz' not found. Looked in {FILE}; known: lint, test"),
        (_file("lint", "test"), None, f"Pipeline 'diagnostics' not found. Looked in {FILE}; known: lint, test"),
        (
            _file(),
            None,
            f"Pipeline 'diagnostics' not found. Looked in {FILE}; add it to \"pipelines\", for example {MINIMAL_CONFIGURATION}",
        ),
    ],
)
def test_a_pipeline_that_is_not_there_is_refused_with_those_that_are(configuration: Configuration, asked: str | None, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        select_pipeline(configuration, asked)
    assert str(refused.value) == message


# Whatever it is ----------------------------------------------------------------------------------------------------

_keys = st.sampled_from(
    ["pipelines", "stageSets", "stages", "id", "kind", "command", "needs", "ref", "pipeline", "retry", "plan", "env", "session"]
)
_words = st.sampled_from(["a", "b", "command", "subpipeline", "stage-set", ""])
_data = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | _words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=5),
    max_leaves=30,
)
_stages = st.lists(
    _data
    | st.fixed_dictionaries(
        {"kind": st.just("command"), "id": _words, "command": _words}, optional={"needs": st.lists(_words, max_size=2), "plan": _data}
    )
    | st.fixed_dictionaries({"kind": st.just("subpipeline"), "id": _words, "pipeline": _words})
    | st.fixed_dictionaries({"kind": st.just("stage-set"), "ref": _words}),
    max_size=4,
)
_files = _data | st.fixed_dictionaries(
    {"pipelines": st.lists(st.fixed_dictionaries({"id": _words, "stages": _stages}), max_size=3)},
    optional={"stageSets": st.dictionaries(_words, _stages, max_size=2), "defaultPipeline": _words},
)


@given(_files)
def test_any_data_can_either_be_planned_or_is_a_configuration_error(data: object) -> None:
    try:
        configuration = _parse(data)
    except ConfigurationError:
        return
    for pipeline in configuration.pipelines:
        validate_needs(create_plan(pipeline, target=None).items)
