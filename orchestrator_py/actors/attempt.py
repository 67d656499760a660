"""One attempt at a subtask: build, test, review, and what each of them answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio.lowlevel import checkpoint_if_cancelled
from attrs import define, evolve, field

from orchestrator_py.actors.agents import Agents, SubtaskOrder
from orchestrator_py.actors.outlast import is_being_cancelled
from orchestrator_py.core import fixed_texts
from orchestrator_py.core.answers import is_build, is_review, is_test, what_is_wrong
from orchestrator_py.core.outcome import build_outcome, review_outcome, test_outcome
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.result import BuildInput, BuildResult, ReviewInput, ReviewResult, TestInput, TestResult

_log = logging.getLogger("orchestrator_py")
T = TypeVar("T")


@define
class Attempt:
    """While it runs, and after: `outcome` is None until every stage that had to run has answered, `error` is what an agent raised."""

    order: SubtaskOrder
    agents: Agents
    number: int
    build: BuildResult | None = field(default=None, init=False)
    test: TestResult | None = field(default=None, init=False)
    review: ReviewResult | None = field(default=None, init=False)
    error: Exception | None = field(default=None, init=False)
    outcome: Outcome | None = field(default=None, init=False)

    async def run(self) -> None:
        """The first stage that is not `succeeded` decides. None begins after the attempt was cancelled."""
        await checkpoint_if_cancelled()
        build, outcome = await self._build()
        if outcome is Outcome.SUCCEEDED:
            await checkpoint_if_cancelled()
            test, outcome = await self._test(build)
            if outcome is Outcome.SUCCEEDED:
                await checkpoint_if_cancelled()
                outcome = await self._review(build, test)
        self.outcome = outcome

    async def _build(self) -> tuple[BuildResult, Outcome]:
        order = self.order
        given = BuildInput(task=order.task, plan=order.plan, target=order.item, mode=order.mode, run_id=order.run_id, attempt=self.number)
        answer = await self._call(self.agents.builder.build, given)
        problem = what_is_wrong(answer)
        if is_build(answer) and problem is None:
            build = self.build = evolve(answer, mode=order.mode, run_id=order.run_id)
            return build, build_outcome(build)
        message = problem or (fixed_texts.BUILD_WITHOUT_SUCCESS if is
