"""Events as JSON: every one can be read back, as far as it is written."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import compact_json, parse_json
from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import InstanceId, RunId, SubtaskId, TaskId
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.events import (
    EVENT_TYPES,
    AttemptFailed,
    BuildCompleted,
    Event,
    PlanCompleted,
    ReviewCompleted,
    RunCompleted,
    RunStarted,
    RunStopping,
    SubtaskFinished,
    SubtaskStarted,
    TestCompleted,
)
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildArtifact, BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.summary import AttemptReport, GroupEntry, GroupSummary, RunSummary, SubtaskReport
from orchestrator_py.model.task import Mode, PlanItem, PlanResult
from orchestrator_py.model.timestamp import Timestamp

# What is written ---------------------------------------------------------------------------------------------------

text = st.text(max_size=5)
count = st.integers(0, 1000)
times = text.map(Timestamp)
modes = st.sampled_from(Mode)
outcomes = st.sampled_from(Outcome)
json_data: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | count | text, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2)
)
more = st.dictionaries(text.map("more {}".format), json_data, max_size=2)  # no key of ours has a blank


def several(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=2).map(tuple)


items = st.builds(
    PlanItem,
    id=text,
    description=text | st.just(ABSENT),
    requires_cloud=st.none() | st.booleans() | st.just(ABSENT),
    runnable=st.none() | st.booleans() | st.just(ABSENT),
    metadata=st.none() | st.dictionaries(text, json_data, max_size=2) | st.just(ABSENT),
    extra=more,
)
plans = st.builds(
    PlanResult, items=several(items), notes=st.none() | text | st.just(ABSENT), target_id=st.none() | text | st.just(ABSENT), extra=more
)
builds = st.builds(
    BuildResult,
    subtask_id=text,
    artifacts=several(st.builds(BuildArtifact, path=text, description=text)),
    mode=modes,
    run_id=text.map(RunId),
    success=st.booleans(),
    notes=st.none() | text,
    extra=more,
)
tests = st.builds(
    TestResult,
    subtask_id=text,
    success=st.booleans(),
    reports=several(st.builds(TestReport, name=text, status=text, details=st.none() | text)),
    run_id=text.map(RunId),
    extra=more,
)
reviews = st.builds(
    ReviewResult,
    summary=text,
    decision=st.builds(ReviewDecision, approved=st.booleans(), feedback=st.none() | text),
    extra=more,
)
attempts = st.builds(
    AttemptReport,
    number=count,
    outcome=outcomes,
    started_at=times,
    completed_at=times,
    elapsed=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10_000)),
)
causes = st.builds(StopCause, kind=st.sampled_from(StopKind), detail=text)
reports = st.builds(
    SubtaskReport,
    subtask_id=text.map(SubtaskId),
    outcome=outcomes,
    cause=st.none() | causes,
    skip_reason=st.none() | st.sampled_from(SkipReason),
    started_at=st.none() | times,
    completed_at=st.none() | times,
    attempts=several(attempts),
    waived=st.booleans(),
    counts_as=st.none() | outcomes,
)
entries = st.builds(
    GroupEntry,
    index=count,
    subtask_id=text,
    mode=modes,
    build_success=st.booleans(),
    test_success=st.booleans(),
    review_approved=st.booleans(),
    status=text,
)
summaries = st.builds(
    RunSummary,
    task_id=text.map(TaskId),
    run_id=text.map(RunId),
    mode=modes,
    plan=plans,
    build=builds,
    test=tests,
    review=reviews,
    timestamp=times,
    group=st.none() | st.builds(GroupSummary, size=count, processed=count, entries=several(entries)),
    builds=st.none() | several(builds),
    tests=st.none() | several(tests),
    reviews=st.none() | several(reviews),
    scheduler=st.none() | st.dictionaries(text, json_data, max_size=2),
    extra=more,
)

TOLD: dict[type[Event], dict[str, st.SearchStrategy[Any]]] = {
    RunStarted: {"pipeline_id": text, "planned": count},
    PlanCompleted: {"plan": plans},
    SubtaskStarted: {"subtask_id": text.map(SubtaskId), "instance_id": text.map(InstanceId)},
    AttemptFailed: {"subtask_id": text.map(SubtaskId), "attempt": attempts},
    BuildCompleted: {"build": builds},
    TestCompleted: {"test": tests},
    ReviewCompleted: {"subtask_id": text.map(SubtaskId), "review": reviews},
    SubtaskFinished: {"report": reports, "done": count, "planned": count},
    RunStopping: {"cause": causes},
    RunCompleted: {"outcome": outcomes, "summary": summaries},
}


def events_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    base = {"seq": count, "timestamp": times, "task_id": text.map(TaskId), "run_id": text.map(RunId)}
    return st.builds(kind, **base, **TOLD[kind])


# There and back ----------------------------------------------------------------------------------------------------


def test_every_type_of_event_is_tried_below() -> None:
    assert TOLD.keys() == EVENT_TYPES.keys()


@pytest.mark.parametrize("kind", TOLD, ids=EVENT_TYPES.get)
@given(st.data())
def test_an_event_can_be_read_back_by_its_type_and_by_its_class(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events_of(kind))
    written = parse_json(compact_json(to_json(event)))
    assert from_json(Event, written) == event
    assert from_json(kind, written) == event


@pytest.mark.parametrize("kind", TOLD, ids=EVENT_TYPES.get)
@given(st.data())
def test_the_type_stands_first_and_the_base_keys_follow(kind: type[Event], data: st.DataObject) -> None:
    written: Any = to_json(data.draw(events_of(kind)))
    assert list(written)[:5] == ["type", "seq", "timestamp", "taskId", "runId"]
    assert written["type"] == EVENT_TYPES[kind]


# Examples ----------------------------------------------------------------------------------------------------------

BASE: dict[str, Any] = {"seq": 1, "timestamp": Timestamp("t"), "task_id": TaskId("task"), "run_id": RunId("run")}
STARTED = RunStarted(**BASE, pipeline_id="p", planned=2)
ATTEMPT = AttemptReport(
    number=1, outcome=Outcome.FAILED, started_at=Timestamp("a"), completed_at=Timestamp("b"), elapsed=timedelta(seconds=1.25)
)
REPORT = SubtaskReport(
    subtask_id=SubtaskId("s"),
    outcome=Outcome.SUCCEEDED,
    attempts=(ATTEMPT, evolve(ATTEMPT, number=2, outcome=Outcome.SUCCEEDED)),
    cause=StopCause(StopKind.TIMEOUT, "2 s"),
)
FINISHED = SubtaskFinished(**BASE, report=REPORT, done=1, planned=2)


def test_a_report_tells_how_a_subtask_ended_and_what_follows_from_that() -> None:
    data: Any = to_json(FINISHED)
    attempts = data["report"].pop("attempts")
    assert attempts[0] == {"number": 1, "outcome": "failed", "startedAt": "a", "completedAt": "b", "durationSeconds": 1.25}
    assert data["report"] == {
        "subtaskId": "s",
        "outcome": "succeeded",
        "cause": {"kind": "timeout", "detail": "2 s"},
        "skipReason": None,
        "startedAt": None,
        "completedAt": None,
        "waived": False,
        "countsAs": None,
        "counted": "succeeded",
        "flaky": True,
    }


def test_the_cause_of_a_stop_is_an_object_wherever_it_stands() -> None:
    cause = StopCause(StopKind.SIGNAL)
    stopping: Any = to_json(RunStopping(**BASE, cause=cause))
    finished: Any = to_json(evolve(FINISHED, report=evolve(REPORT, cause=cause)))
    assert stopping["cause"] == finished["report"]["cause"] == {"kind": "signal", "detail": ""}


def test_what_is_never_written_is_absent_afterwards() -> None:
    build = BuildResult(subtask_id="s", success=True, execution=Execution(exit_code=0))
    report = evolve(REPORT, mode=Mode.CLOUD, build=build, error=RuntimeError("x"))
    told: Any = from_json(Event, to_json(evolve(FINISHED, report=report)))
    assert (told.report.mode, told.report.build, told.report.error) == (Mode.MCP, None, None)
    built: Any = from_json(Event, to_json(BuildCompleted(**BASE, build=build)))
    assert built.build == evolve(build, execution=None)
    item = PlanItem(id="a", policy=SubtaskPolicy(needs=("b",)))
    planned: Any = from_json(Event, to_json(PlanCompleted(**BASE, plan=PlanResult(items=(item,)))))
    assert planned.plan.items == (PlanItem(id="a"),)


# Refusals ----------------------------------------------------------------------------------------------------------


def problems(kind: type[Event], data: object) -> list[str]:
    with pytest.raises(DecodeError) as refused:
        from_json(kind, data)
    return str(refused.value).splitlines()


def changed(event: Event, **members: object) -> dict[str, Any]:
    data: Any = to_json(event)
    return {**data, **members}


@pytest.mark.parametrize("kind", [Event, RunStarted])
@pytest.mark.parametrize("data", [None, 7, "text", []])
def test_what_is_no_object_is_no_event(kind: type[Event], data: object) -> None:
    assert problems(kind, data)[0].startswith("$: expected an object, got ")


@pytest.mark.parametrize("kind", [Event, RunStarted])
def test_an_event_without_a_type_is_refused(kind: type[Event]) -> None:
    assert problems(kind, {"seq": 1}) == ["$: the key 'type' is missing"]


@pytest.mark.parametrize("word", ["run:vanished", 7, None, []])
def test_an_unknown_type_is_refused_and_the_known_ones_are_named(word: object) -> None:
    (problem,) = problems(Event, changed(STARTED, type=word))
    assert problem.startswith("$.type: expected ")
    assert all(repr(known) in problem for known in EVENT_TYPES.values())


def test_an_event_of_another_class_than_the_one_asked_for_is_refused() -> None:
    assert problems(RunStarted, to_json(FINISHED)) == ["$.type: expected 'run:started', got 'subtask:finished'"]


def test_every_wrong_place_is_named() -> None:
    report = {**changed(FINISHED)["report"], "outcome": "great", "attempts": [{"number": "1"}]}
    told = problems(Event, changed(FINISHED, done=1.5, surprise=1, report=report))
    assert "$.done: expected a whole number, got 1.5" in told
    assert "$.report.attempts[0].number: expected a whole number, got '1'" in told
    assert "$.report.attempts[0]: the key 'outcome' is missing" in told
    assert any(problem.startswith("$.report.outcome: expected one of ") for problem in told)
    assert any(problem.startswith("$.surprise: unknown key") for problem in told)


@pytest.mark.parametrize(("key", "word"), [("counted", "failed"), ("flaky", False), ("flaky", 1)])
def test_a_report_that_contradicts_itself_is_refused(key: str, word: object) -> None:
    report = {**changed(FINISHED)["report"], key: word}
    (problem,) = problems(Event, changed(FINISHED, report=report))
    assert problem.startswith(f"$.report.{key}: expected ")


@pytest.mark.parametrize("seconds", [-1, True, "1", None, 1e300])
def test_a_duration_that_is_none_is_refused(seconds: object) -> None:
    attempt = {"number": 1, "outcome": "failed", "startedAt": "a", "completedAt": "b", "durationSeconds": seconds}
    (problem,) = problems(Event, changed(AttemptFailed(**BASE, subtask_id=SubtaskId("s"), attempt=ATTEMPT), attempt=attempt))
    assert problem.startswith("$.attempt.durationSeconds: expected a number of seconds")
