"""Agents that do nothing, so that what is measured is ours."""

from orchestrator_py import (
    BuildInput,
    BuildResult,
    PlanItem,
    PlanResult,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    TaskContext,
    TestInput,
    TestResult,
)


class NoOp:
    """All four agents of a task with so many subtasks."""

    def __init__(self, subtasks: int) -> None:
        self.subtasks = subtasks

    async def plan(self, task: TaskContext) -> PlanResult:
        return PlanResult(items=[PlanItem(id=f"s{place}") for place in range(self.subtasks)])

    async def build(self, input: BuildInput) -> BuildResult:
        return BuildResult(subtask_id=input.target.id, success=True)

    async def test(self, input: TestInput) -> TestResult:
        return TestResult(subtask_id=input.build.subtask_id, success=True)

    async def review(self, input: ReviewInput) -> ReviewResult:
        return ReviewResult(summary="", decision=ReviewDecision(approved=True))
