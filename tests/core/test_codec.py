"""The contract's values as JSON and back: nothing is lost, nothing is coerced, unknown keys are kept only where they may be."""

import re
from datetime import timedelta
from enum import Enum
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.blocks import OFTEN, block_printer
from orchestrator_py.core.codec.contract import contract_converter, from_json, to_json
from orchestrator_py.core.codec.printable import find_unprintable
from orchestrator_py.core.codec.printing import Texts, pretty_pieces, print_compact, print_pretty
from orchestrator_py.core.codec.strict import written_shape
from orchestrator_py.core.json_text import Printer, compact_json, parse_json, pretty_json, print_other
from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, ResumeEvent, RunStatus
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildArtifact, BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.summary import GroupEntry, GroupSummary, RunSummary
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp
from tests.core.conversations import closed, conversation, hear, open_pipeline_run, reports_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.from_regex("[a-z][a-z0-9-]{0,8}", fullmatch=True)
maybe = st.one_of(st.none(), texts)
flags = st.one_of(st.none(), st.booleans(), st.just(ABSENT))
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), texts)
json_values = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)), max_leaves=6
)
extras = st.dictionaries(st.text("xyz", min_size=4, max_size=6), json_values, max_size=2)
objects = st.dictionaries(texts, json_values, max_size=3)
stamps = st.just(Timestamp("2025-01-02T03:04:05.678Z"))
modes = st.sampled_from(Mode)

tasks = st.builds(TaskContext, id=names, title=texts, description=maybe, metadata=objects, extra=extras)
plan_items = st.builds(
    PlanItem,
    id=texts,
    description=st.one_of(texts, st.just(ABSENT)),
    requires_cloud=flags,
    requires_cloud_alias=flags,
    runnable=flags,
    metadata=st.one_of(st.none(), objects, st.just(ABSENT)),
    selected=flags,
    policy=st.just(SubtaskPolicy()),
    extra=extras,
)
plan_results = st.builds(
    PlanResult,
    items=st.lists(plan_items, max_size=3),
    notes=st.one_of(maybe, st.just(ABSENT)),
    target_id=st.one_of(maybe, st.just(ABSENT)),
    extra=extras,
)
artifacts = st.builds(BuildArtifact, path=texts, description=texts)
builds = st.builds(
    BuildResult,
    subtask_id=texts,
    artifacts=st.lists(artifacts, max_size=2),
    mode=modes,
    run_id=texts.map(RunId),
    success=st.booleans(),
    notes=maybe,
    extra=extras,
    execution=st.none(),
)
checks = st.builds(TestReport, name=texts, status=st.sampled_from(["passed", "failed"]), details=maybe)
tests = st.builds(
    TestResult,
    subtask_id=texts,
    success=st.booleans(),
    reports=st.lists(checks, max_size=2),
    run_id=texts.map(RunId),
    extra=extras,
    execution=st.none(),
)
reviews = st.builds(
    ReviewResult,
    summary=texts,
    decision=st.builds(ReviewDecision, approved=st.booleans(), feedback=maybe),
    extra=extras,
    execution=st.none(),
)
entries = st.builds(
    GroupEntry,
    index=st.integers(1, 99),
    subtask_id=texts,
    mode=modes,
    build_success=st.booleans(),
    test_success=st.booleans(),
    review_approved=st.booleans(),
    status=st.sampled_from(["succeeded", "failed"]),
)
groups = st.builds(
    GroupSummary,
    enabled=st.booleans(),
    size=st.integers(0, 9),
    processed=st.integers(0, 9),
    entries=st.lists(entries, max_size=2).map(tuple),
)


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.lists(values, max_size=2).map(tuple))


summaries = st.builds(
    RunSummary,
    task_id=names.map(TaskId),
    run_id=names.map(RunId),
    mode=modes,
    plan=plan_results,
    build=builds,
    test=tests,
    review=reviews,
    timestamp=stamps,
    group=st.one_of(st.none(), groups),
    builds=_some(builds),
    tests=_some(tests),
    reviews=_some(reviews),
    scheduler=st.one_of(st.none(), objects),
    extra=extras,
    outcome=st.none(),
    cause=st.none(),
    subtasks=st.just(()),
)
commands = st.builds(
    CommandRecord,
    index=st.integers(1, 99),
    id=texts,
    title=texts,
    command=maybe,
    kind=st.sampled_from(["command", "subpipeline"]),
    status=st.sampled_from(CommandStatus),
    started_at=st.one_of(st.none(), stamps),
    completed_at=st.one_of(st.none(), stamps),
    exit_code=st.one_of(st.none(), st.integers(0, 255)),
    summary=maybe,
    log_path=maybe,
    error_file=maybe,
    sub_run_id=st.one_of(st.none(), names.map(RunId)),
)
children = st.builds(ChildRun, run_id=names.map(RunId), pipeline_id=texts, status=st.sampled_from(RunStatus), manifest=texts)
resumes = st.builds(
    ResumeEvent, actor=texts, reason=texts, outcome=st.sampled_from(["accepted", "blocked"]), detail=maybe, timestamp=stamps
)


@given(st.one_of(tasks, plan_items, plan_results, builds, tests, reviews, entries, groups, summaries, commands, children, resumes))
def test_every_value_comes_back_from_its_json_text(value: object) -> None:
    text = pretty_json(to_json(value))
    assert from_json(type(value), parse_json(text)) == value
    assert pretty_json(to_json(from_json(type(value), parse_json(text)))) == text


@given(st.one_of(tasks, plan_items, plan_results, builds, tests, reviews, entries, groups, summaries, commands, children, resumes))
def test_a_value_printed_piece_by_piece_is_the_same_text(value: object) -> None:
    assert print_pretty(value) == pretty_json(to_json(value))
    assert print_compact(value) == compact_json(to_json(value))
    kept = Texts()
    for texts in (None, kept, kept):
        assert "".join(pretty_pieces(value, texts)) == print_pretty(value)


@given(st.one_of(tasks, plan_items, plan_results, builds, tests, reviews, entries, groups, summaries, commands, children, resumes))
def test_a_value_that_is_printed_often_stays_the_same_text(value: object) -> None:
    assert {print_pretty(value) for _ in range(OFTEN + 2)} == {pretty_json(to_json(value))}


@given(st.lists(st.integers(0, 1), max_size=40))
def test_items_of_a_list_that_are_one_object_hide_no_others(places: list[int]) -> None:
    same = [TestReport(name=name, status="passed") for name in "ab"]
    value = TestResult(subtask_id="s", success=True, reports=[same[place] for place in places])
    assert "".join(pretty_pieces(value)) == pretty_json(to_json(value))


def test_the_code_of_a_shape_is_made_once() -> None:
    form, value = written_shape(contract_converter(), TestReport), TestReport(name="unit", status="passed")
    assert form is not None
    printers: dict[type, Printer] = {}
    first = printers[TestReport] = block_printer(form, printers, repr, print_other)
    assert {first(value, "\n") for _ in range(OFTEN + 1)} == {print_pretty(value)}
    made = printers[TestReport]
    assert made is not first
    assert first(value, "\n") == made(value, "\n") == print_pretty(value)  # whoever still holds the first one
    assert printers[TestReport] is made


@given(st.lists(st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.ERROR]), min_size=1, max_size=4))
def test_the_manifest_of_a_whole_run_comes_back_at_every_moment(words: list[Outcome]) -> None:
    opening = open_pipeline_run(len(words))
    effects = hear(conversation(opening, reports_of(opening, words)))
    for text in (*effects[0].before[0].pieces(), *effects[-1].after[0].pieces()):
        manifest = from_json(Manifest, parse_json(text))
        assert pretty_json(to_json(manifest)).encode() + b"\n" == text
    assert from_json(Manifest, parse_json(text)) == closed(effects).manifest


def test_the_exact_words_stay_with_the_python_object() -> None:
    opening = open_pipeline_run(2)
    summary = closed(hear(conversation(opening, reports_of(opening, [Outcome.SUCCEEDED, Outcome.FAILED])))).summary
    data: Any = to_json(summary)
    assert summary.outcome is Outcome.FAILED
    assert list(data) == [
        "taskId",
        "runId",
        "mode",
        "plan",
        "build",
        "test",
        "review",
        "timestamp",
        "group",
        "builds",
        "tests",
        "reviews",
        "scheduler",
    ]
    assert list(data["group"]["entries"][0]) == [
        "index",
        "subtaskId",
        "mode",
        "buildSuccess",
        "testSuccess",
        "reviewApproved",
        "status",
    ]


def test_policies_and_executions_are_not_written() -> None:
    item = PlanItem(id="a", policy=SubtaskPolicy(needs=("b",), timeout=timedelta(seconds=1)))
    assert to_json(item) == {"id": "a"}


KEPT: list[tuple[type[object], dict[str, object]]] = [
    (TaskContext, {"id": "t", "title": "T"}),
    (PlanItem, {"id": "a"}),
    (PlanResult, {"items": []}),
    (BuildResult, {"subtaskId": "a", "artifacts": [], "mode": "mcp", "runId": "r", "success": True}),
    (TestResult, {"subtaskId": "a", "success": True, "reports": [], "runId": "r"}),
    (ReviewResult, {"summary": "s", "decision": {"approved": True}}),
]
REFUSED: list[tuple[type[object], dict[str, object]]] = [
    (BuildArtifact, {"path": "p", "description": "d"}),
    (TestReport, {"name": "n", "status": "passed"}),
    (ReviewDecision, {"approved": True}),
    (GroupSummary, {"enabled": True, "size": 1, "processed": 1, "entries": []}),
    (ChildRun, {"run_id": "r", "pipeline_id": "p", "status": "failed", "manifest": "m"}),
]


@pytest.mark.parametrize(("cls", "data"), KEPT)
def test_unknown_keys_are_kept_where_the_contract_says_so(cls: type[object], data: dict[str, object]) -> None:
    assert to_json(from_json(cls, data | {"unheardOf": [1, {"a": None}]})) == data | {"unheardOf": [1, {"a": None}]}


@pytest.mark.parametrize(("cls", "data"), REFUSED)
def test_unknown_keys_are_refused_elsewhere(cls: type[object], data: dict[str, object]) -> None:
    assert to_json(from_json(cls, data)) == data
    with pytest.raises(DecodeError, match="unheardOf"):
        from_json(cls, data | {"unheardOf": 1})


class Level(float, Enum):
    LOW = 1.0
    ENDLESS = inf


@pytest.mark.parametrize("word", [Level.LOW, re.I, re.I | re.M, re.NOFLAG])
def test_a_number_that_belongs_to_an_enum_is_printed_as_the_number(word: object) -> None:
    build = BuildResult(subtask_id="a", success=True, extra={"word": word, "words": [word]})
    assert find_unprintable(build) is None
    assert print_pretty(build) == pretty_json(to_json(build))
    assert print_compact(build) == compact_json(to_json(build))


def test_an_extra_key_hides_no_field() -> None:
    build = BuildResult(subtask_id="a", success=False, extra={"success": True, "subtaskId": "b", "more": 1})
    assert to_json(build) == {"subtaskId": "a", "artifacts": [], "mode": "mcp", "runId": "", "success": False, "more": 1}


@pytest.mark.parametrize(
    ("cls", "data", "place"),
    [
        (BuildResult, {"subtaskId": 7, "success": True}, "$.subtaskId"),
        (BuildResult, {"subtaskId": "a", "success": "yes"}, "$.success"),
        (BuildResult, {"subtaskId": "a", "success": True, "artifacts": [{"path": 1}]}, "$.artifacts[0].path"),
        (PlanResult, {"items": {"id": "a"}}, "$.items"),
        (PlanResult, {"items": [{}]}, "$.items[0]"),
        (TaskContext, {"id": "a/b", "title": "T"}, "slashes are not allowed"),
        (ReviewResult, {"summary": None, "decision": {"approved": 1}}, "$.decision.approved"),
        (GroupEntry, [], "$"),
    ],
)
def test_nothing_is_coerced_and_each_wrong_place_is_named(cls: type[object], data: object, place: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        from_json(cls, data)
    assert place in str(refusal.value)


def test_what_cannot_be_printed_is_found_and_named() -> None:
    holds_itself: dict[str, object] = {}
    holds_itself["again"] = holds_itself
    assert find_unprintable(PlanItem(id="a", metadata={"n": float("nan")}))
    assert find_unprintable(PlanItem(id="a", metadata={"s": {1}}))
    assert find_unprintable(PlanItem(id="a", metadata=holds_itself))
    assert find_unprintable(PlanItem(id="a", metadata={"fine": [1, "\ud800", None]})) is None
    assert find_unprintable(SubtaskId("plain")) is None


def nested(levels: int, kind: type) -> object:
    value: object = "core"
    for _ in range(levels):
        value = {"in": value} if kind is dict else kind([value])
    return value


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_what_is_nested_too_deeply_to_be_read_again_is_refused_long_before_that(kind: type) -> None:
    for levels in (129, 250, 300, 100_000):
        assert find_unprintable(PlanItem(id="a", metadata={"m": nested(levels, kind)})), levels
    build = BuildResult(subtask_id="a", success=True, extra={"m": nested(126, kind)})
    assert find_unprintable(build) is None
    assert parse_json(print_pretty(build)) == parse_json(print_compact(build))


odd_leaves = st.one_of(leaves, st.integers(), st.just(10**400), st.floats(), st.just({1}), st.just(Mode.MCP), st.just(("in", "a tuple")))
odd_values = st.recursive(
    odd_leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(texts, st.integers()), inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(texts, odd_values, max_size=3), st.integers(0, 20))
def test_what_is_found_unprintable_is_what_the_printer_refuses_and_in_its_words(extra: dict[str, object], depth: int) -> None:
    for _ in range(depth):
        extra = {"below": [extra]}
    build = BuildResult(subtask_id="a", success=True, extra=extra)
    refusal = None
    try:
        compact_json(to_json(build))
    except (TypeError, ValueError) as error:
        refusal = str(error)
    assert find_unprintable(build) == refusal


def test_an_extra_that_is_no_mapping_is_found_unprintable() -> None:
    odd: Any = None
    assert find_unprintable(ReviewResult(summary="fine", decision=ReviewDecision(approved=True), extra=odd))
