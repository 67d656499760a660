"""Where the runs of one configuration lie, and the parts that each of them is made of."""

import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from orchestrator_py.actors.agents import Agents
from orchestrator_py.core.names import create_run_id
from orchestrator_py.core.run_opening import RunPaths
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.outcome import FailurePolicy
from orchestrator_py.model.pipeline import Configuration, Pipeline, Stage
from orchestrator_py.model.policy import LENIENT, VerdictRules
from orchestrator_py.model.result import BuildArtifact
from orchestrator_py.ports import Clock, CommandRunner
from orchestrator_py.stages.agents import Listen, RunChild, StageBuilder, StageCommands, StageLogs, StageReviewer, StageTester
from orchestrator_py.stages.command import run_command
from orchestrator_py.stages.environment import RunPlace, Trace
from orchestrator_py.store.event_log import EventLog, command_log_name, open_event_log
from orchestrator_py.store.layout import Layout, RunLayout, TaskLayout


@frozen(kw_only=True)
class PipelineSettings:
    """How pipelines are run: where, how many stages at once, what a failure does, what a stopped stage gets before KILL.

    `jobs` bounds all stages of one call together, those of sub-pipelines included. `timeout` is for the run that is asked for, and wins
    over what its pipeline says; `rules` hold for all runs.
    """

    layout: Layout
    configuration: Configuration
    task_id: TaskId
    jobs: int
    on_failure: FailurePolicy = FailurePolicy.STOP
    grace: Grace = field(factory=Grace)
    timeout: timedelta | None = None
    rules: VerdictRules = LENIENT
    environment: Mapping[str, str] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class Workplace:
    """Where commands run, if not here: who runs them, where the repository is there, and what of our environment is passed on."""

    runner: CommandRunner
    root: Path
    environment: Mapping[str, str] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class PipelineSite:
    """Makes ids, paths, logs and agents for the runs of one task. `listen` hears what their commands say, `trace` tells them of a trace."""

    settings: PipelineSettings
    clock: Clock
    listen: Listen | None = None
    trace: Trace | None = None
    workplace: Workplace | None = None

    @property
    def task(self) -> TaskLayout:
        """The files of the task."""
        return self.settings.layout.task(self.settings.task_id)

    def create_run_id(self) -> RunId:
        """A new one: it names the run's folder."""
        return create_run_id(self.clock.now(), os.urandom(4).hex())

    def folder(self, run_id: RunId) -> RunLayout:
        """The run's folder and the files in it."""
        return self.task.cli_run(run_id)

    def manifest_path(self, run_id: RunId) -> str:
        """The path of the run's manifest, as other documents name it."""
        return self.settings.layout.relative(self.folder(run_id).manifest)

    def stage_log_path(self, run_id: RunId, pipeline: Pipeline, stage: Stage) -> str:
        """The path of the log of one of the pipeline's stages, as other documents name it."""
        name = command_log_name(pipeline.stages.index(stage) + 1, stage.id)
        return self.settings.layout.relative(self.folder(run_id).commands / name)

    def open_log(self, run_id: RunId) -> AbstractAsyncContextManager[EventLog]:
        """The run's event logs, open while it runs."""
        folder = self.folder(run_id)
        return open_event_log(runner_path=folder.runner_log, commands_folder=folder.commands, clock=self.clock)

    def paths(self, run_id: RunId) -> RunPaths:
        """The run's paths, as its documents name them."""
        layout, folder = self.settings.layout, self.folder(run_id)
        return RunPaths(
            artifact_root=layout.relative(folder.folder),
            runs_root=str(layout.runs_root),
            out_root=str(layout.out_root),
            compat_path=layout.relative(self.task.mcp_pointer(run_id).parent),
            log_path=layout.relative(folder.runner_log),
        )

    def agents(self, pipeline: Pipeline, run_id: RunId, logs: StageLogs, run_child: RunChild) -> Agents:
        """The agents that run the pipeline's commands."""
        commands = StageCommands(
            pipeline=pipeline,
            place=self._place(pipeline, run_id),
            logs=logs,
            clock=self.clock,
            grace=self.settings.grace,
            listen=self.listen,
            runner=run_command if self.workplace is None else self.workplace.runner,
        )
        return Agents(
            builder=StageBuilder(commands=commands, run_child=run_child, artifacts=self._artifacts(run_id)),
            tester=StageTester(commands=commands),
            reviewer=StageReviewer(commands=commands),
        )

    def _place(self, pipeline: Pipeline, run_id: RunId) -> RunPlace:
        layout, folder = self.settings.layout, self.folder(run_id)
        return RunPlace(
            task_id=self.settings.task_id,
            run_id=run_id,
            pipeline_id=pipeline.id,
            manifest_path=folder.manifest,
            run_dir=folder.folder,
            runs_dir=layout.runs_root,
            out_dir=layout.out_root,
            repo_root=layout.root if self.workplace is None else self.workplace.root,
            environ=self.settings.environment if self.workplace is None else self.workplace.environment,
            trace=self.trace,
        )

    def _artifacts(self, run_id: RunId) -> tuple[BuildArtifact, ...]:
        runner_log = self.settings.layout.relative(self.folder(run_id).runner_log)
        return (
            BuildArtifact(path=self.manifest_path(run_id), description="CLI run manifest"),
            BuildArtifact(path=runner_log, description="Runner log (ndjson)"),
        )
