"""What an agent answered is on record as it answered it, whatever it does with it afterwards."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from orchestrator_py import (
    BuildInput,
    BuildResult,
    PlanItem,
    PlanResult,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    TaskContext,
    TaskManager,
    TestInput,
    TestResult,
)
from orchestrator_py.model.events import BuildCompleted, Event, PlanCompleted, ReviewCompleted, SubtaskFinished, TestCompleted
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import Mode
from tests.app.agents import TASK, Crew, built, checked, items, reviewed

pytestmark = pytest.mark.anyio


class Changing:
    """All four agents; each goes on to change what it has answered when the next one is asked, and at the end again."""

    def __init__(self) -> None:
        self.held: dict[str, object] = {"deep": [{"said": "before"}]}

    def change(self) -> None:
        self.held["deep"] = "after"
        self.held |= {str(number): number for number in range(1_000)}

    def answer(self) -> dict[str, object]:
        self.held = {"deep": [{"said": "before"}]}
        return self.held

    async def plan(self, task: TaskContext) -> PlanResult:
        return PlanResult(items=[PlanItem(id="s", metadata=self.held, extra=self.held)], extra=self.held)

    async def build(self, input: BuildInput) -> BuildResult:
        self.change()
        return BuildResult(subtask_id=input.target.id, success=True, extra=self.answer())

    async def test(self, input: TestInput) -> TestResult:
        self.change()
        return TestResult(subtask_id=input.target.id, success=True, extra=self.answer())

    async def review(self, input: ReviewInput) -> ReviewResult:
        self.change()
        return ReviewResult(summary="", decision=ReviewDecision(approved=True), extra=self.answer())


class Writing:
    """All four agents; each writes into whatever it is given."""

    def __init__(self, value: object) -> None:
        self.value = value

    def write(self, *given: Any) -> None:
        for one in given:
            one["deep"][0]["said"] = one["new"] = self.value

    async def plan(self, task: TaskContext) -> PlanResult:
        said = {"deep": [{"said": "before"}]}
        return PlanResult(items=[PlanItem(id=name, metadata=said, extra=said) for name in "ab"], extra=said)

    async def build(self, input: BuildInput) -> BuildResult:
        self.write(input.target.metadata, input.target.extra, input.plan.extra, *(item.metadata for item in input.plan.items))
        return BuildResult(subtask_id=input.target.id, success=True, extra={"deep": [{"said": "before"}]})

    async def test(self, input: TestInput) -> TestResult:
        self.write(input.build.extra)
        return TestResult(subtask_id=input.target.id, success=True, extra={"deep": [{"said": "before"}]})

    async def review(self, input: ReviewInput) -> ReviewResult:
        self.write(input.build.extra, input.test.extra, input.plan.extra)
        return ReviewResult(summary="", decision=ReviewDecision(approved=True))

    def mode(self, task: TaskContext, item: PlanItem) -> Mode:
        self.write(item.metadata, item.extra)
        return Mode.MCP


@pytest.mark.parametrize("value", ["after", object()], ids=["text", "what no summary could hold"])
async def test_what_an_agent_writes_into_what_it_was_given_is_not_on_record(tmp_path: Path, value: object) -> None:
    agents = Writing(value)
    async with TaskManager(
        planner=agents, builder=agents, tester=agents, reviewer=agents, root=tmp_path, mode_policy=agents.mode
    ) as manager:
        summary = await manager.execute(TaskContext(id="t", title="T"))
    said = {"deep": [{"said": "before"}]}
    assert summary.outcome is Outcome.SUCCEEDED
    recorded = json.loads((tmp_path / ".runs" / "t" / summary.run_id / "manifest.json").read_text())
    assert [recorded["plan"]["deep"], *(item["metadata"] for item in recorded["plan"]["items"])] == [said["deep"], said, said]
    assert [one["deep"] for stage in ("builds", "tests") for one in recorded[stage]] == [said["deep"]] * 4


@pytest.mark.parametrize("value", ["after", object()], ids=["text", "what no summary could hold"])
async def test_what_a_subscriber_writes_into_what_it_is_told_is_not_on_record(tmp_path: Path, value: object) -> None:
    before, told = {"deep": [{"said": "before"}]}, anyio.Event()

    def write(event: Event) -> None:
        match event:
            case PlanCompleted(plan=plan):
                held: list[Any] = [item.metadata for item in plan.items]
            case BuildCompleted(build=result) | TestCompleted(test=result) | ReviewCompleted(review=result):
                held = [result.extra]
            case SubtaskFinished(report=SubtaskReport(build=build, test=test, review=review)):
                held = [result.extra for result in (build, test, review) if result is not None]
                told.set()
            case _:
                held = []
        for one in held:
            one["deep"][0]["said"] = one["new"] = value

    async def build(input: BuildInput) -> object:
        if input.target.id == "second":
            await told.wait()  # of the first one, whose results are on record only at the end
        return evolve(built(input), extra=before)

    async def test(input: TestInput) -> object:
        return evolve(checked(input), extra=before)

    async def review(input: ReviewInput) -> object:
        return evolve(reviewed(input), extra=before)

    plan = tuple(evolve(item, metadata=before) for item in items("first", "second"))
    with anyio.fail_after(20):
        async with Crew(plan, on_build=build, on_test=test, on_review=review).manager(root=tmp_path) as manager:
            manager.subscribe(write)
            summary = await manager.execute(TASK)
    assert summary.outcome is Outcome.SUCCEEDED
    recorded = json.loads((tmp_path / ".runs" / TASK.id / summary.run_id / "manifest.json").read_text())
    assert [item["metadata"] for item in recorded["plan"]["items"]] == [before] * 2
    assert [one["deep"] for stage in ("builds", "tests", "reviews") for one in recorded[stage]] == [before["deep"]] * 6
    assert "new" not in json.dumps(recorded)


class Adding(Changing):
    """All four agents; each says nothing more at first, and adds something to that when the next one is asked, and at the end again."""

    def answer(self) -> dict[str, object]:
        self.held = {}
        return self.held

    async def plan(self, task: TaskContext) -> PlanResult:
        self.answer()
        return PlanResult(items=[PlanItem(id="s", extra=self.held)], extra=self.held)


async def test_what_an_agent_adds_to_an_answer_that_said_nothing_more_is_not_on_record(tmp_path: Path) -> None:
    agents = Adding()
    async with TaskManager(planner=agents, builder=agents, tester=agents, reviewer=agents, root=tmp_path) as manager:
        manager.subscribe(lambda _: agents.change())
        summary = await manager.execute(TaskContext(id="t", title="T"))
    assert summary.outcome is Outcome.SUCCEEDED
    answers: list[Any] = [summary.plan, *summary.plan.items, summary.build, summary.test, summary.review]
    assert [answer.extra for answer in answers] == [{}] * 5
    assert "deep" not in (tmp_path / ".runs" / "t" / summary.run_id / "manifest.json").read_text()


async def test_an_agent_that_adds_to_what_others_have_said_is_told_that_it_cannot(tmp_path: Path) -> None:
    async def test(input: TestInput) -> object:
        extra: Any = input.build.extra
        extra["seen"] = True
        return checked(input)

    async with Crew(items("a"), on_test=test).manager(root=tmp_path) as manager:
        summary = await manager.execute(TASK)
    assert summary.outcome is Outcome.FAILED
    assert "attrs.evolve" in json.dumps([report.test.reports[0].details for report in summary.subtasks if report.test])
    assert [report.build.extra for report in summary.subtasks if report.build] == [{}]


@pytest.mark.parametrize("summaries", [True, False])
async def test_what_an_agent_changes_after_its_answer_is_not_on_record(tmp_path: Path, summaries: bool) -> None:
    agents = Changing()
    async with TaskManager(
        planner=agents, builder=agents, tester=agents, reviewer=agents, root=tmp_path, keep_summaries=summaries
    ) as manager:
        manager.subscribe(lambda _: agents.change())  # told before the caller is answered, and while the summary may be written
        summary = await manager.execute(TaskContext(id="t", title="T"))
    said = {"deep": [{"said": "before"}]}
    assert [summary.plan.extra, summary.plan.items[0].metadata, summary.plan.items[0].extra] == [said] * 3
    assert [summary.build.extra, summary.test.extra, summary.review.extra] == [said] * 3
    if summaries:
        recorded = json.loads((tmp_path / ".runs" / "t" / summary.run_id / "manifest.json").read_text())
        assert [recorded[stage]["deep"] for stage in ("plan", "build", "test", "review")] == [said["deep"]] * 4
