"""`run`: run a pipeline, tell its progress, leave its report, end with the code of its verdict."""

import signal
import sys
from argparse import Namespace
from datetime import timedelta
from functools import partial

import anyio

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.ending import die_by
from orchestrator_py.cli.exit_codes import code_of_outcome
from orchestrator_py.cli.progress import PlainProgress
from orchestrator_py.cli.render import run_data, run_lines
from orchestrator_py.cli.signals import stopping_on_signals
from orchestrator_py.cli.workspace import Workspace, open_workspace, select_task
from orchestrator_py.core.json_text import pretty_json
from orchestrator_py.model.outcome import FailurePolicy, StopKind
from orchestrator_py.stages.grace import Grace


def run(arguments: Namespace) -> int:
    """The exit code; ends by the signal that cut the run short, if one did."""
    workspace = open_workspace(arguments)
    settings = PipelineSettings(
        layout=workspace.layout,
        configuration=workspace.configuration,
        task_id=select_task(arguments, workspace.environment),
        jobs=arguments.jobs,
        on_failure=FailurePolicy(arguments.on_failure),
        grace=Grace(timedelta(seconds=arguments.grace)),
        environment=workspace.environment,
    )
    report = anyio.run(partial(_run, workspace, settings))
    if arguments.format == "json":
        print(pretty_json(run_data(report)))
    else:
        print("\n".join(run_lines(report)))
    return _end(report)


async def _run(workspace: Workspace, settings: PipelineSettings) -> PipelineReport:
    clock = SystemClock()
    async with RunService(workspace.layout, clock) as service, stopping_on_signals(service, settings.grace):
        service.subscribe(PlainProgress(sys.stderr))
        runner = PipelineRunner(PipelineSite(settings=settings, clock=clock), service)
        return await runner.run(workspace.pipeline, target=workspace.target)


def _end(report: PipelineReport) -> int:
    cause = report.summary.cause
    if report.cut_short and cause is not None and cause.kind is StopKind.SIGNAL:
        die_by(signal.Signals[cause.detail])
    return code_of_outcome(report.outcome)
