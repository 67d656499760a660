"""Every recorded case of the manager: calls, events and summary are the reference's, but for what is different on purpose."""

import json
from collections.abc import Mapping
from typing import Any, cast

import anyio
import pytest
from attrs import define, field

from orchestrator_py.app.task_manager import TaskManager
from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import pretty_json
from orchestrator_py.core.run_request import is_enabled
from orchestrator_py.errors import PlanError
from orchestrator_py.model.events import (
    BuildCompleted,
    Event,
    PlanCompleted,
    ReviewCompleted,
    RunCompleted,
    TestCompleted,
)
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.result import BuildInput, BuildResult, ReviewInput, ReviewResult, TestInput, TestResult
from orchestrator_py.model.summary import RunSummary
from orchestrator_py.model.task import PlanResult, TaskContext
from tests.core.recorded import recorded_cases

CASES = recorded_cases("manager-groups")

# Values that only the reference's language can throw: here the agent raises an error with these words.
ONLY_THERE = {
    "group-builder-throws-object": '{"code":7,"why":"x"}',
    "group-builder-throws-null": "null",
    "group-builder-throws-undefined": "undefined",
}
# A rejected review decides the run; the reference shows the last subtask, or all as succeeded.
REVIEW_DECIDES = {"group-reviewer-rejects-first": "a"}
# A plan of which nothing can run raises before a run exists: an event stream always begins with a run and ends with its verdict.
NO_RUN = {"group-empty-plan", "single-none-runnable", "single-empty"}


class ThrownError(Exception):
    """What a scripted agent throws."""


@define(eq=False)
class Scripted:
    """The four agents of a recorded case, as the fixtures' description has them."""

    case: Mapping[str, Any]
    calls: list[list[str]] = field(factory=list)

    async def plan(self, task: TaskContext) -> PlanResult:
        plan = self.case["plan"]
        if "throw" in plan:
            raise thrown(plan["throw"])
        return from_json(PlanResult, plan)

    async def build(self, input: BuildInput) -> BuildResult:
        step = self.step("build", input)
        data = {
            "subtaskId": step.get("subtaskId", input.target.id),
            "artifacts": step.get("artifacts", []),
            "mode": step.get("mode", input.mode.value),
            "runId": step.get("runId", input.run_id),
            "success": step.get("success", True),
            **({"notes": step["notes"]} if "notes" in step else {}),
            **step.get("extra", {}),
        }
        if step.get("omit_subtask"):
            return cast(BuildResult, data)
        result = from_json(BuildResult, data)
        if step.get("omit_success"):
            return BuildResult(subtask_id=result.subtask_id, success=cast(bool, None))
        return result

    async def test(self, input: TestInput) -> TestResult:
        step = self.step("test", input)
        if step.get("omit_success"):
            return cast(TestResult, {"subtaskId": input.build.subtask_id})
        success = step.get("success", True)
        data = {"subtaskId": input.build.subtask_id, "success": bool(success), "reports": step.get("reports", []), "runId": input.run_id}
        result = from_json(TestResult, data)
        return TestResult(subtask_id=result.subtask_id, success=success, reports=result.reports, run_id=result.run_id)

    async def review(self, input: ReviewInput) -> ReviewResult:
        step = self.step("review", input)
        if step.get("omit_decision"):
            return ReviewResult(summary="", decision=cast(Any, None))
        decision = {"approved": step.get("approved", True), **({"feedback": step["feedback"]} if "feedback" in step else {})}
        return from_json(ReviewResult, {"summary": step.get("summary", f"Reviewed {input.target.id}"), "decision": decision})

    def step(self, stage: str, input: BuildInput | TestInput | ReviewInput) -> dict[str, Any]:
        self.calls.append([stage, input.target.id, input.mode.value])
        script = self.case["script"]
        step = {**script.get("*", {}).get(stage, {}), **script.get(input.target.id, {}).get(stage, {})}
        if "throw" in step:
            raise thrown(step["throw"])
        return step


def thrown(what: Mapping[str, Any]) -> ThrownError:
    match what["kind"]:
        case "json":
            return ThrownError(json.dumps(what["value"], separators=(",", ":")))
        case "undefined":
            return ThrownError("undefined")
        case _:
            return ThrownError(what.get("message", what.get("value", "")))


@define(eq=False)
class Played:
    """What came of a case here."""

    agents: Scripted
    events: list[Event] = field(factory=list)
    summary: RunSummary | None = None
    error: Exception | None = None


async def play(case: Mapping[str, Any]) -> Played:
    agents = Scripted(case)
    played = Played(agents)
    manager = TaskManager(
        planner=agents,
        builder=agents,
        tester=agents,
        reviewer=agents,
        max_concurrency=1,
        on_failure="stop",
        group=is_enabled(case["env"], "FEATURE_TFGRPO_GROUP"),
        run_id_factory=lambda task: f"{task.id}-run",
    )
    with anyio.fail_after(10):
        async with manager:
            manager.subscribe(played.events.append)
            try:
                played.summary = await manager.execute(from_json(TaskContext, case["task"]))
            except PlanError as error:
                played.error = error
    return played


def bus_events(events: list[Event]) -> list[list[str | None]]:
    """The events that the contract knows, as the recording names them."""
    told: list[list[str | None]] = []
    for event in events:
        match event:
            case PlanCompleted():
                told.append(["plan:completed", None])
            case BuildCompleted(build=build):
                told.append(["build:completed", build.subtask_id])
            case TestCompleted(test=test):
                told.append(["test:completed", test.subtask_id])
            case ReviewCompleted():
                told.append(["review:completed", None])
            case RunCompleted():
                told.append(["run:completed", None])
    return told


def ours(summary: RunSummary | None) -> dict[str, Any]:
    assert summary is not None
    return cast(dict[str, Any], to_json(summary)) | {"timestamp": "<timestamp>"}


def keys_in_our_order(case: Mapping[str, Any]) -> bool:
    """Items of a plan whose keys come in another order, or behind keys of ours, are compared as JSON only."""
    plan = case["plan"]
    return pretty_json(plan) == pretty_json(to_json(from_json(PlanResult, plan))) if "items" in plan else True


@pytest.mark.parametrize("name", [name for name in CASES if name not in NO_RUN])
async def test_a_recorded_case_makes_the_same_calls_and_tells_the_same_events(name: str) -> None:
    expected = CASES[name]["expected"]
    played = await play(CASES[name]["input"])
    assert played.agents.calls == expected["calls"]
    assert bus_events(played.events) == [[kind, None if kind == "review:completed" else subtask] for kind, subtask in expected["events"]]


@pytest.mark.parametrize("name", [name for name in CASES if name not in NO_RUN | set(REVIEW_DECIDES)])
async def test_a_recorded_case_gives_the_same_summary(name: str) -> None:
    expected = CASES[name]["expected"]
    summary = ours((await play(CASES[name]["input"])).summary)
    assert summary == expected["summary"]
    if keys_in_our_order(CASES[name]["input"]):
        assert pretty_json(summary) == expected["summary_text"]


@pytest.mark.parametrize("name", sorted(NO_RUN))
async def test_a_plan_that_cannot_run_raises_the_contract_s_words_and_opens_no_run(name: str) -> None:
    expected = CASES[name]["expected"]
    played = await play(CASES[name]["input"])
    assert str(played.error) == expected["error"]["message"]
    assert played.agents.calls == expected["calls"] == []
    assert expected["events"] == [["plan:completed", None]]
    assert played.events == []


@pytest.mark.parametrize(("name", "rejected"), REVIEW_DECIDES.items())
async def test_a_rejected_review_decides_the_run_where_the_reference_hides_it(name: str, rejected: str) -> None:
    expected = CASES[name]["expected"]["summary"]
    played = await play(CASES[name]["input"])
    summary = ours(played.summary)
    place = [entry["subtaskId"] for entry in summary["group"]["entries"]].index(rejected)
    top = {"build": summary["builds"][place], "test": summary["tests"][place], "review": summary["reviews"][place]}
    assert summary == expected | top
    assert summary["review"]["decision"]["approved"] is False
    assert expected["review"]["decision"]["approved"] is True
    assert played.summary is not None
    assert played.summary.outcome is Outcome.REJECTED


@pytest.mark.parametrize(("name", "words"), ONLY_THERE.items())
async def test_what_only_that_language_can_throw_reads_as_the_reference_prints_it(name: str, words: str) -> None:
    summary = ours((await play(CASES[name]["input"])).summary)
    assert summary["build"]["notes"] == f"Builder stage error: {words}"
