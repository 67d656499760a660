"""Agents whose methods are called elsewhere: what is lost there becomes a crash, never a "no"."""

from typing import TypeVar

from orchestrator_py.actors.agents import Agents
from orchestrator_py.core.command_summary import command_summary
from orchestrator_py.lean import frozen
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.result import (
    BuildInput,
    BuildResult,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    TestInput,
    TestReport,
    TestResult,
)
from orchestrator_py.ports import Builder, Executor, Reviewer, Tester

T = TypeVar("T")


def remote_agents(agents: Agents, executor: Executor) -> Agents:
    """The same agents, working where the executor says."""
    return Agents(
        builder=_RemoteBuilder(executor, agents.builder),
        tester=_RemoteTester(executor, agents.tester),
        reviewer=_RemoteReviewer(executor, agents.reviewer),
    )


@frozen
class _RemoteBuilder:
    executor: Executor
    agent: Builder

    async def build(self, input: BuildInput, /) -> BuildResult:
        answer = await self.executor.call(self.agent.build, input)
        if isinstance(answer, Execution):
            return BuildResult(subtask_id=input.target.id, success=False, notes=_say(answer), execution=answer)
        return answer  # type: ignore[return-value]  # whatever the agent answered, who asked it looks at it


@frozen
class _RemoteTester:
    executor: Executor
    agent: Tester

    async def test(self, input: TestInput, /) -> TestResult:
        answer = await self.executor.call(self.agent.test, input)
        if isinstance(answer, Execution):
            report = TestReport(name="tests", status="failed", details=_say(answer))
            return TestResult(subtask_id=input.target.id, success=False, reports=(report,), execution=answer)
        return answer  # type: ignore[return-value]  # as above


@frozen
class _RemoteReviewer:
    executor: Executor
    agent: Reviewer

    async def review(self, input: ReviewInput, /) -> ReviewResult:
        answer = await self.executor.call(self.agent.review, input)
        if isinstance(answer, Execution):
            said = _say(answer)
            return ReviewResult(summary=said, decision=ReviewDecision(approved=False, feedback=said), execution=answer)
        return answer  # type: ignore[return-value]  # as above


def _say(execution: Execution) -> str:
    return command_summary(execution, hint=None)
