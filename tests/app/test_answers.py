"""What an agent answered is on record as it answered it, whatever it does with it afterwards."""

import json
from pathlib import Path

import pytest

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
