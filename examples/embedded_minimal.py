"""The least that embeds the manager: one object with the four methods, one task, one summary. The report is in `.runs/greetings/`."""

import asyncio

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


class Greeter:
    async def plan(self, task: TaskContext) -> PlanResult:
        return PlanResult(items=[PlanItem(id=name, description=f"Greet {name}") for name in ("Ada", "Grace", "Edsger")])

    async def build(self, input: BuildInput) -> BuildResult:
        return BuildResult(subtask_id=input.target.id, success=True, notes=f"Hello, {input.target.id}!")

    async def test(self, input: TestInput) -> TestResult:
        return TestResult(subtask_id=input.build.subtask_id, success=True)

    async def review(self, input: ReviewInput) -> ReviewResult:
        return ReviewResult(summary="Friendly.", decision=ReviewDecision(approved=True))


async def main() -> None:
    agent = Greeter()
    async with TaskManager(planner=agent, builder=agent, tester=agent, reviewer=agent, root=".") as manager:
        summary = await manager.execute(TaskContext(id="greetings", title="Greet everybody"))
        print(summary.outcome, [build.notes for build in summary.builds or ()])


asyncio.run(main())
