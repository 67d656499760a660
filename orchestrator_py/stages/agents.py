"""The agents of a pipeline of stages: a stage's commands build, test and review. The plan itself is pure, and needs no agent.

One set of agents belongs to one run; nothing is shared between runs but what the caller puts into both.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol, assert_never

from orchestrator_py.core.command_summary import LONGEST_DETAIL, command_summary, cut, trim
from orchestrator_py.core.plan import item_id, stages_by_item
from orchestrator_py.errors import PlanError
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import evolve, field, frozen
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Pipeline, Stage, SubpipelineStage
from orchestrator_py.model.result import (
    BuildArtifact,
    BuildInput,
    BuildResult,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    TestInput,
    TestReport,
    TestResult,
)
from orchestrator_py.model.task import PlanItem
from orchestrator_py.ports import Clock, CommandRunner, Hear, StageLog
from orchestrator_py.stages.approvals import read_approvals
from orchestrator_py.stages.command import run_command
from orchestrator_py.stages.environment import RunPlace

RunChild = Callable[[SubpipelineStage, RunId], Awaitable[Execution]]
"""Runs the pipeline that a stage names as a run of its own, whose parent is the run with this id."""

Listen = Callable[[RunId, SubtaskId, str], object]
"""Gets what the commands of a subtask say, piece by piece; must neither raise nor wait."""


class StageLogs(Protocol):
    """Where the logs of a run's stages come from; `index` is the stage's place in its pipeline, from 1."""

    def open_stage(self, *, index: int, stage_id: str) -> AbstractAsyncContextManager[StageLog]: ...


@frozen(kw_only=True)
class StageCommands:
    """Runs the commands of the stages of one run, by the `runner`; `grace` is what a stopped one gets between SIGTERM and SIGKILL."""

    pipeline: Pipeline
    place: RunPlace
    logs: StageLogs
    clock: Clock
    grace: Grace
    listen: Listen | None = None
    runner: CommandRunner = run_command
    _stages: Mapping[str, Stage] = field(init=False)
    _places: Mapping[str, int] = field(init=False)

    @_stages.default
    def _all_stages(self) -> Mapping[str, Stage]:
        return stages_by_item(self.pipeline)

    @_places.default
    def _all_places(self) -> Mapping[str, int]:
        return {stage.id: index for index, stage in enumerate(self.pipeline.stages, start=1)}

    def stage_of(self, item: PlanItem) -> Stage:
        """The stage behind an item of the plan. PlanError for an item of another plan."""
        stage = self._stages.get(item.id)
        if stage is None:
            raise PlanError(f"Plan item '{item.id}' is no stage of pipeline '{self.pipeline.id}'; plan with the planner of that pipeline.")
        return stage

    async def run(self, stage: CommandStage, command: str, *, attempt: int) -> Execution:
        """One of the stage's three commands: all of them in its folder, with its environment, into its log."""
        index = self._places[stage.id]
        approvals = self.place.approvals_file(index)
        spec = CommandSpec(
            command=command,
            cwd=self.place.working_folder(stage),
            env=self.place.environment(stage, approvals),
            attempt=attempt,
            session_id=stage.session_id,
            run_id=self.place.run_id,
            subtask_id=SubtaskId(item_id(self.pipeline, stage.id)),
            asks=(*self.pipeline.tags, *stage.policy.resources),
        )
        async with self.logs.open_stage(index=index, stage_id=stage.id) as log:
            execution = await self.runner(spec, log, clock=self.clock, grace=self.grace, hear=self._hear(stage))
        given = read_approvals(approvals)
        return evolve(execution, approvals=given) if given else execution

    def _hear(self, stage: CommandStage) -> Hear | None:
        """None costs nothing: usually nobody listens."""
        return None if self.listen is None else partial(self.listen, self.place.run_id, SubtaskId(item_id(self.pipeline, stage.id)))


@frozen(kw_only=True)
class StageBuilder:
    """Runs a stage's command, or the pipeline that it names; exit code 0, or a child run that succeeded, is success."""

    commands: StageCommands
    run_child: RunChild
    artifacts: tuple[BuildArtifact, ...] = ()

    async def build(self, input: BuildInput, /) -> BuildResult:
        stage = self.commands.stage_of(input.target)
        execution = await self._run(stage, input)
        return BuildResult(
            subtask_id=input.target.id,
            success=_succeeded(execution),
            artifacts=self.artifacts,
            mode=input.mode,
            run_id=input.run_id,
            notes=f"{stage.title}: {_summarise(stage, execution)}",
            execution=execution,
        )

    async def _run(self, stage: Stage, input: BuildInput) -> Execution:
        match stage:
            case CommandStage():
                return await self.commands.run(stage, stage.command, attempt=input.attempt)
            case SubpipelineStage():
                return await self.run_child(stage, input.run_id)
            case _:
                assert_never(stage)


@frozen(kw_only=True)
class StageTester:
    """Runs a stage's test command; a stage without one is tested by how its build ended."""

    commands: StageCommands

    async def test(self, input: TestInput, /) -> TestResult:
        stage = self.commands.stage_of(input.target)
        if not isinstance(stage, CommandStage) or stage.test is None:
            return _test_result(input, input.build.success, "exit code", input.build.notes, None)
        execution = await self.commands.run(stage, stage.test, attempt=input.attempt)
        return _test_result(input, _succeeded(execution), "tests", command_summary(execution, hint=None), execution)


@frozen(kw_only=True)
class StageReviewer:
    """Runs a stage's review command: exit code 0 approves, any other rejects, and what it printed is the feedback.

    A stage without one is approved when it was built and tested. A review command that did not end by itself, or never started,
    says nothing: its `execution` tells, so that it is not taken for a "no".
    """

    commands: StageCommands

    async def review(self, input: ReviewInput, /) -> ReviewResult:
        stage = self.commands.stage_of(input.target)
        if not isinstance(stage, CommandStage) or stage.review is None:
            approved = input.build.success and input.test.success
            return ReviewResult(summary=f"{stage.title}: built and tested.", decision=ReviewDecision(approved=approved))
        execution = await self.commands.run(stage, stage.review, attempt=input.attempt)
        feedback = None if _succeeded(execution) else _feedback(execution)
        return ReviewResult(
            summary=f"{stage.title}: {command_summary(execution, hint=None)}",
            decision=ReviewDecision(approved=_succeeded(execution), feedback=feedback),
            execution=execution,
        )


def _succeeded(execution: Execution) -> bool:
    if execution.stopped:
        return False
    return execution.exit_code == 0 if execution.child_outcome is None else execution.child_outcome is Outcome.SUCCEEDED


def _summarise(stage: Stage, execution: Execution) -> str:
    match stage:
        case CommandStage():
            return command_summary(execution, hint=stage.summary_hint)
        case SubpipelineStage() if execution.child_outcome is not None:
            return f"Sub-pipeline '{stage.pipeline}' {execution.child_outcome.value}."
        case SubpipelineStage():
            return f"Sub-pipeline error: {execution.spawn_error or 'it ended without a verdict'}"
        case _:
            assert_never(stage)


def _test_result(input: TestInput, success: bool, name: str, details: str | None, execution: Execution | None) -> TestResult:
    report = TestReport(name=name, status="passed" if success else "failed", details=details)
    return TestResult(subtask_id=input.target.id, success=success, reports=(report,), run_id=input.run_id, execution=execution)


def _feedback(execution: Execution) -> str:
    """What the reviewer printed, or else how it ended."""
    printed = trim(execution.stdout.text) or trim(execution.stderr.text)
    return cut(printed, LONGEST_DETAIL) or command_summary(execution, hint=None)
