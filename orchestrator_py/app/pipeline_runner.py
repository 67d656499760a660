"""A pipeline as a run: its stages become subtasks, its sub-pipelines child runs, and everything of it lands in the run's folder."""

import os
from datetime import timedelta

import anyio

from orchestrator_py.actors.agents import RunRules
from orchestrator_py.actors.run import Run
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.app.pipeline_site import PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.stage_news import Ear, HeardLogs
from orchestrator_py.app.system_chance import system_chance
from orchestrator_py.core.configuration import select_pipeline
from orchestrator_py.core.mode import pipeline_mode
from orchestrator_py.core.plan import create_plan, item_id
from orchestrator_py.core.resuming import refuse_to_resume
from orchestrator_py.core.run_opening import PipelineOptions, open_pipeline
from orchestrator_py.core.schedule import Bounds
from orchestrator_py.core.selection import EVERYTHING, Selection, stages_left_out
from orchestrator_py.core.slots import Slots
from orchestrator_py.errors import DefectError, InputError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.manifest import ChildRun, Manifest, RunStatus
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.pipeline import Pipeline, SubpipelineStage
from orchestrator_py.model.summary import RunSummary
from orchestrator_py.model.task import TaskContext
from orchestrator_py.stages.agents import StageLogs
from orchestrator_py.store.event_log import EventLog
from orchestrator_py.store.folders import make_task_folders
from orchestrator_py.store.live_runs import living
from orchestrator_py.store.manifest_file import read_manifest

HEARTBEAT = timedelta(seconds=5)


@frozen(kw_only=True)
class PipelineReport:
    """What is on record of one pipeline run. `cut_short`: the stop named in `summary.cause` ended or kept back at least one stage."""

    summary: RunSummary
    manifest: Manifest
    cut_short: bool

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        return self.summary.outcome or Outcome.ERROR


@frozen(kw_only=True)
class Origin:
    """Where a run comes from: the stage that was asked for, those that were not selected, the run whose stage it is, the manifest of the
    run that is taken up again."""

    target: str | None = None
    left_out: tuple[str, ...] = ()
    parent: Run | None = None
    earlier: Manifest | None = None


@frozen(kw_only=True, eq=False)
class _Beginning:
    """A run that nothing has refused; `limit` is what the call allows it."""

    opening: OpenRun
    clock: RunClock
    limit: timedelta | None


@define(eq=False)
class PipelineRunner:
    """Runs pipelines of one configuration, in one open service. The `ear` is told what its stages log."""

    site: PipelineSite
    service: RunService
    ear: Ear | None = None
    _slots: Slots = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._slots = Slots(self.site.settings.jobs)

    async def run(self, pipeline: Pipeline, *, target: str | None = None, selection: Selection = EVERYTHING) -> PipelineReport:
        """Run the pipeline and return what is on record. A need that is not selected counts as met.

        Raises InputError for a selection that names no stage, ConfigurationError, StoreError or DefectError.
        Ending it from outside is `service.stop`, or cancelling the call; either way the record is complete.
        """
        left_out = stages_left_out(pipeline, selection)
        run_id = self.site.create_run_id()
        beginning = self._begin(pipeline, run_id, Origin(target=target, left_out=left_out))
        make_task_folders(self.site.task)  # what cannot be recorded is not started
        with living(self.site.task, run_id):
            return await self._run(pipeline, beginning)

    async def resume(self, run_id: RunId, *, token: str | None = None) -> PipelineReport:
        """Run again what did not succeed, under the same id; the run counts once, with its last outcome.

        Raises RunHeldError if the run is alive, InputError if there is no such run, nothing of it is left to do, or the token is another's;
        ConfigurationError if its pipeline is not the one that was run.
        """
        self._read(run_id)
        with living(self.site.task, run_id):
            manifest = self._read(run_id)  # what a process that just ended has left, and no prune has taken
            pipeline = select_pipeline(self.site.settings.configuration, manifest.pipeline_id)
            refuse_to_resume(manifest, pipeline, self.site.settings.rules, token=token)
            return await self._run(pipeline, self._begin(pipeline, run_id, Origin(target=manifest.plan_target_id, earlier=manifest)))

    def _read(self, run_id: RunId) -> Manifest:
        manifest = read_manifest(self.site.task, run_id)
        if manifest is None:
            raise InputError(f"{self.site.folder(run_id).manifest}: there is no such run; look below {self.site.task.folder / 'cli'}.")
        return manifest

    async def _run(self, pipeline: Pipeline, beginning: "_Beginning") -> PipelineReport:
        run_id = beginning.opening.run_id
        async with self.site.open_log(run_id) as log:
            run = self._start(pipeline, log, beginning)
            closed = await self.service.wait(run)
        if closed.manifest is None:
            raise DefectError(f"Run {run_id} ended without a manifest.")
        return PipelineReport(summary=closed.summary, manifest=closed.manifest, cut_short=run.cut_short)

    def _begin(self, pipeline: Pipeline, run_id: RunId, origin: "Origin") -> "_Beginning":
        """Before anything is written: what is refused leaves nothing."""
        clock = RunClock(self.service.clock)
        return _Beginning(
            opening=self._opening(pipeline, run_id, clock, origin),
            clock=clock,
            limit=self.site.settings.timeout if origin.parent is None else None,
        )

    def _start(self, pipeline: Pipeline, log: EventLog, beginning: "_Beginning") -> Run:
        settings, run_id = self.site.settings, beginning.opening.run_id
        family = _Family(self)
        rules = RunRules(
            agents=self.site.agents(pipeline, run_id, self._heard(run_id, log), family.run_child),
            mode_policy=pipeline_mode,
            bounds=self._bounds(pipeline),
            on_failure=settings.on_failure,
            chance=system_chance,
            heartbeat=HEARTBEAT,
            timeout=beginning.limit or pipeline.timeout,
        )
        family.parent = self.service.start(beginning.opening, rules, beginning.clock)
        return family.parent

    def _heard(self, run_id: RunId, log: EventLog) -> StageLogs:
        if self.ear is None:
            return log
        return HeardLogs(logs=log, ear=self.ear, clock=self.site.clock, task_id=self.site.settings.task_id, run_id=run_id)

    def _bounds(self, pipeline: Pipeline) -> Bounds:
        """All runs of the call share its slots; a stage whose work is a child run leaves them to the child's stages."""
        return Bounds(
            limit=1 if pipeline.sequential else self.site.settings.jobs,
            slots=self._slots,
            slotless=frozenset(item_id(pipeline, stage.id) for stage in pipeline.stages if isinstance(stage, SubpipelineStage)),
            resources=pipeline.resources,
        )

    def _opening(self, pipeline: Pipeline, run_id: RunId, clock: RunClock, origin: "Origin") -> OpenRun:
        settings = self.site.settings
        return open_pipeline(
            run_id=run_id,
            task=TaskContext(id=settings.task_id, title=pipeline.title),
            plan=create_plan(pipeline, target=origin.target),
            options=PipelineOptions(
                pipeline=pipeline,
                jobs=settings.jobs,
                environment=settings.environment,
                resume_token=os.urandom(32).hex(),
                parent_run_id=None if origin.parent is None else origin.parent.run_id,
                earlier=origin.earlier,
                left_out=origin.left_out,
                rules=settings.rules,
            ),
            paths=self.site.paths(run_id),
            started_at=clock.started_at,
        )

    # Sub-pipelines -----------------------------------------------------------------------------------------------

    async def run_child(self, stage: SubpipelineStage, parent: Run) -> Execution:
        """The named pipeline as a run of its own. If its stage is ended, it is stopped, and its record is waited for."""
        pipeline = select_pipeline(self.site.settings.configuration, stage.pipeline)
        run_id, origin = self.site.create_run_id(), self.service.clock.monotonic()
        beginning = self._begin(pipeline, run_id, Origin(parent=parent))
        with living(self.site.task, run_id):
            return await self._run_child(pipeline, beginning, parent, origin)

    async def _run_child(self, pipeline: Pipeline, beginning: "_Beginning", parent: Run, origin: float) -> Execution:
        async with self.site.open_log(beginning.opening.run_id) as log:
            child = self._start(pipeline, log, beginning)
            with anyio.CancelScope(shield=True):
                await self._tell(parent, child, RunStatus.IN_PROGRESS)
            try:
                await child.finished.wait()
            except anyio.get_cancelled_exc_class():  # answered by the facts, as a stopped command is; it is delivered again
                child.stop(parent.cause or StopCause(StopKind.EMBEDDER, "its stage was ended"))
            with anyio.CancelScope(shield=True):
                await child.finished.wait()
                execution = await self._child_execution(child, parent, origin)
        return execution

    async def _child_execution(self, child: Run, parent: Run, origin: float) -> Execution:
        if child.left_by is not None:
            raise child.left_by
        if child.error is not None:
            raise child.error
        manifest = None if child.closed is None else child.closed.manifest
        outcome = None if child.closed is None else child.closed.summary.outcome
        await self._tell(parent, child, RunStatus.FAILED if manifest is None else manifest.status)
        return Execution(
            child_run_id=child.run_id,
            child_outcome=outcome or Outcome.ERROR,
            duration=timedelta(seconds=self.service.clock.monotonic() - origin),
        )

    async def _tell(self, parent: Run, child: Run, status: RunStatus) -> None:
        path = self.site.manifest_path(child.run_id)
        await parent.tell_child(ChildRun(run_id=child.run_id, pipeline_id=child.opening.pipeline_id, status=status, manifest=path))


@define(eq=False)
class _Family:
    """Tells the stages of a run whose children they start; the run exists only after its stages do."""

    runner: PipelineRunner
    parent: Run | None = field(default=None, init=False)

    async def run_child(self, stage: SubpipelineStage, run_id: RunId) -> Execution:
        if self.parent is None:
            raise DefectError(f"Run {run_id} starts the child run of stage {stage.id} before it has begun.")
        return await self.runner.run_child(stage, self.parent)
