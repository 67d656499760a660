"""Agents for tests: each stage does what a function says, and everything that was called is kept."""

from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import anyio
from attrs import define, field

from orchestrator_py.app.task_manager import TaskManager
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildInput, BuildResult, ReviewDecision, ReviewInput, ReviewResult, TestInput, TestResult
from orchestrator_py.model.task import PlanItem, PlanResult, TaskContext

TASK = TaskContext(id="task-1", title="Task one")


def items(*ids: str, **policies: SubtaskPolicy) -> tuple[PlanItem, ...]:
    """A plan's items; a policy is given by the id of its item."""
    return tuple(PlanItem(id=name, description=f"Do {name}", policy=policies.get(name, SubtaskPolicy())) for name in ids)


def built(input: BuildInput, success: bool = True) -> BuildResult:
    return BuildResult(subtask_id=input.target.id, success=success)


def checked(input: TestInput, success: bool = True) -> TestResult:
    return TestResult(subtask_id=input.build.subtask_id, success=success)


def reviewed(input: ReviewInput, approved: bool = True) -> ReviewResult:
    return ReviewResult(summary=f"Reviewed {input.target.id}", decision=ReviewDecision(approved=approved))


async def _build(input: BuildInput) -> object:
    return built(input)


async def _test(input: TestInput) -> object:
    return checked(input)


async def _review(input: ReviewInput) -> object:
    return reviewed(input)


@define(eq=False)
class Crew:
    """All four agents. A stage's function may return, raise or wait for anything; by default everything succeeds."""

    plan_items: Iterable[PlanItem] = ()
    on_build: Callable[[BuildInput], Awaitable[object]] = _build
    on_test: Callable[[TestInput], Awaitable[object]] = _test
    on_review: Callable[[ReviewInput], Awaitable[object]] = _review
    on_plan: Callable[[TaskContext], Awaitable[object]] | None = None
    calls: list[tuple[str, str]] = field(factory=list, init=False)
    running: dict[str, anyio.Event] = field(factory=dict, init=False)

    async def plan(self, task: TaskContext) -> PlanResult:
        if self.on_plan is not None:
            return cast(PlanResult, await self.on_plan(task))
        return PlanResult(items=tuple(self.plan_items))

    async def build(self, input: BuildInput) -> BuildResult:
        self.calls.append(("build", input.target.id))
        self.started(input.target.id).set()
        return cast(BuildResult, await self.on_build(input))

    async def test(self, input: TestInput) -> TestResult:
        self.calls.append(("test", input.target.id))
        return cast(TestResult, await self.on_test(input))

    async def review(self, input: ReviewInput) -> ReviewResult:
        self.calls.append(("review", input.target.id))
        return cast(ReviewResult, await self.on_review(input))

    def started(self, subtask: str) -> anyio.Event:
        """Set when the subtask's build was called."""
        return self.running.setdefault(subtask, anyio.Event())

    def manager(self, **options: object) -> TaskManager:
        """A manager with this crew."""
        make = cast(Callable[..., TaskManager], TaskManager)
        return make(planner=self, builder=self, tester=self, reviewer=self, **options)


async def forever(_: object) -> object:
    """An agent that never answers."""
    await anyio.sleep_forever()
    return None
