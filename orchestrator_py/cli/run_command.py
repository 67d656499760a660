"""`run` and `resume`: run a pipeline, tell its progress, leave its report, end with the code of its verdict."""

import logging
import os
import signal
from argparse import Namespace
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import anyio

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import TRACEBACK_VARIABLE, say
from orchestrator_py.cli.ending import die_by, outlast_signals
from orchestrator_py.cli.exit_codes import code_of_outcome
from orchestrator_py.cli.failures import tell_defect, tell_error
from orchestrator_py.cli.progress import Progress, create_progress
from orchestrator_py.cli.run_outputs import RunOutputs, choose_outputs
from orchestrator_py.cli.selection import select_stages
from orchestrator_py.cli.signals import StopSignals
from orchestrator_py.cli.workspace import Workspace, open_workspace, select_task, select_work
from orchestrator_py.errors import NotRecordedError, OrchestratorError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.model.outcome import FailurePolicy, StopKind
from orchestrator_py.model.policy import VerdictRules
from orchestrator_py.stages.grace import Grace

Work = Callable[[PipelineRunner], Awaitable[PipelineReport]]


def run(arguments: Namespace) -> int:
    """Run a pipeline. The exit code; ends by the signal that cut the run short, if one did."""
    workspace = open_workspace(arguments)
    pipeline, target = select_work(workspace, arguments)
    selection = select_stages(workspace.configuration, pipeline, arguments)
    return _work(workspace, arguments, lambda runner: runner.run(pipeline, target=target, selection=selection))


def resume(arguments: Namespace) -> int:
    """Run again what did not succeed of an earlier run, under its id. Answers as `run` does."""
    workspace = open_workspace(arguments)
    run_id = parse_run_id(arguments.run)
    return _work(workspace, arguments, lambda runner: runner.resume(run_id, token=arguments.token))


def _work(workspace: Workspace, arguments: Namespace, work: Work) -> int:
    settings = PipelineSettings(
        layout=workspace.layout,
        configuration=workspace.configuration,
        task_id=select_task(arguments, workspace.environment),
        jobs=arguments.jobs,
        on_failure=FailurePolicy(arguments.on_failure),
        grace=Grace(timedelta(seconds=arguments.grace)),
        environment=workspace.environment,
        timeout=None if arguments.timeout is None else timedelta(seconds=arguments.timeout),
        rules=VerdictRules(strict=arguments.strict, fail_on_flaky=arguments.fail_on_flaky),
    )
    progress = create_progress(arguments, os.environ)
    _keep_log_records_quiet()
    outputs, site = choose_outputs(arguments, os.environ), PipelineSite(settings=settings, clock=SystemClock(), listen=progress.listen)
    number = None
    with outputs.opened(site, say):
        try:
            with progress.printer:
                report = anyio.run(partial(_run, work, site, progress, outputs))
        except NotRecordedError as error:
            code = outputs.not_recorded(error)
        except OrchestratorError as error:
            code = tell_error(error, outputs.fail)
        except KeyboardInterrupt:
            outputs.fail("interrupted before anything was started", 128 + signal.SIGINT)
            number, code = signal.SIGINT, 128 + signal.SIGINT
        except Exception as error:  # our defect, told like any other end of a call that has begun
            code = tell_defect(error, outputs.fail)
        else:
            number = _deadly_signal(report)
            code = outputs.report(report, code_of_outcome(report.outcome) if number is None else 128 + number)
    code = outputs.code(code)
    if number is not None:
        die_by(number)
    outlast_signals()
    return code


async def _run(work: Work, site: PipelineSite, progress: Progress, outputs: RunOutputs) -> PipelineReport:
    service = RunService(site.settings.layout, site.clock)
    with StopSignals(service, site.settings.grace, progress.say).heeded():
        async with service:
            for subscriber in (progress.reader(site), outputs.finished, outputs.news):
                service.subscribe(subscriber)
            return await work(PipelineRunner(site, service, ear=outputs.news.hear))


def _deadly_signal(report: PipelineReport) -> signal.Signals | None:
    """The signal that cut at least one stage short."""
    cause = report.summary.cause
    return signal.Signals[cause.detail] if report.cut_short and cause is not None and cause.kind is StopKind.SIGNAL else None


def _keep_log_records_quiet() -> None:
    """What the library logs for its embedders is told here as an error; the trace of a defect is shown to who asks for it."""
    if not os.environ.get(TRACEBACK_VARIABLE):
        logging.getLogger("orchestrator_py").addHandler(logging.NullHandler())
