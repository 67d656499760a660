"""A program with a manager inside: its run lasts until stdin ends.

python -m tests.dashboard.embedded ROOT RUN_ID
"""

import asyncio
import subprocess
import sys
from pathlib import Path

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
from tests.cli.running import PROJECT, environment


class Agent:
    """Fetches at once, and reports when it is told to."""

    async def plan(self, _: TaskContext) -> PlanResult:
        return PlanResult(items=[PlanItem(id="fetch"), PlanItem(id="report", description="The report")])

    async def build(self, input: BuildInput) -> BuildResult:
        if input.target.id == "report":
            await asyncio.to_thread(sys.stdin.read)
        return BuildResult(subtask_id=input.target.id, success=True)

    async def test(self, input: TestInput) -> TestResult:
        return TestResult(subtask_id=input.build.subtask_id, success=True)

    async def review(self, _: ReviewInput) -> ReviewResult:
        return ReviewResult(summary="fine", decision=ReviewDecision(approved=True))


async def _run(root: Path, run_id: str) -> None:
    agent = Agent()
    async with TaskManager(
        planner=agent, builder=agent, tester=agent, reviewer=agent, root=root, run_id_factory=lambda _: run_id
    ) as manager:
        summary = await manager.execute(TaskContext(id="nightly", title="Nightly"))
        print(summary.outcome.value if summary.outcome else "", flush=True)


def start(root: Path, run_id: str) -> "subprocess.Popen[str]":
    """The run goes on until the process is told to `finish`."""
    words = [sys.executable, "-m", "tests.dashboard.embedded", str(root), run_id]
    return subprocess.Popen(words, cwd=PROJECT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> str:
    """The outcome of its run."""
    stdout, _ = process.communicate()
    assert process.returncode == 0
    return stdout.strip()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), sys.argv[2]))
