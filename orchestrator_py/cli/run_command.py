"""`run` and `resume`: run a pipeline, tell its progress, leave its report, end with the code of its verdict."""

import logging
import os
import signal
from argparse import Namespace
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import anyio
from attrs import evolve

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import TRACEBACK_VARIABLE, print_json, print_lines, say
from orchestrator_py.cli.ending import die_by, outlast_signals
from orchestrator_py.cli.exit_codes import NOT_RECORDED, code_of_outcome
from orchestrator_py.cli.line_printer import LinePrinter
from orchestrator_py.cli.progress import PlainProgress
from orchestrator_py.cli.run_text import run_data, run_lines
from orchestrator_py.cli.signals import StopSignals
from orchestrator_py.cli.workspace import Workspace, open_workspace, select_task, select_work
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import NotRecordedError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.model.messages import ClosedRun
from orchestrator_py.model.outcome import FailurePolicy, StopKind
from orchestrator_py.stages.grace import Grace

Work = Callable[[PipelineRunner], Awaitable[PipelineReport]]


def run(arguments: Namespace) -> int:
    """Run a pipeline. The exit code; ends by the signal that cut the run short, if one did."""
    workspace = open_workspace(arguments)
    pipeline, target = select_work(workspace, arguments)
    return _work(workspace, arguments, lambda runner: runner.run(pipeline, target=target))


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
    )
    _keep_log_records_quiet()
    try:
        with LinePrinter() as printer:
            report = anyio.run(partial(_run, work, settings, printer))
    except NotRecordedError as error:
        return _tell_not_recorded(error, arguments)
    code = code_of_outcome(report.outcome)
    code = print_json(run_data(report), code) if arguments.format == "json" else print_lines(run_lines(report), code)
    if (number := _deadly_signal(report)) is not None:
        die_by(number)
    outlast_signals()
    return code


async def _run(work: Work, settings: PipelineSettings, printer: LinePrinter) -> PipelineReport:
    clock = SystemClock()
    site = PipelineSite(settings=settings, clock=clock)
    service = RunService(settings.layout, clock)
    with StopSignals(service, settings.grace, printer.print).heeded():
        async with service:
            service.subscribe(PlainProgress(printer.print, site))
            return await work(PipelineRunner(site, service))


def _tell_not_recorded(error: NotRecordedError, arguments: Namespace) -> int:
    """The verdict, and the entry to record later, though neither could be put on record."""
    closed = error.report
    if not isinstance(closed, ClosedRun) or closed.manifest is None:
        raise error
    manifest = evolve(closed.manifest, metrics_recorded=False)
    report = PipelineReport(summary=closed.summary, manifest=manifest, cut_short=False)
    say(f"{error} Put the last line of this report into a file and record it with `orchestrator-py metrics record FILE`.")
    if arguments.format == "json":
        entry = parse_json(error.entry)
        return print_json({"error": str(error), "exit_code": NOT_RECORDED, **run_data(report), "entry": entry}, NOT_RECORDED)
    return print_lines([*run_lines(report), error.entry.decode()], NOT_RECORDED)


def _deadly_signal(report: PipelineReport) -> signal.Signals | None:
    """The signal that cut at least one stage short."""
    cause = report.summary.cause
    return signal.Signals[cause.detail] if report.cut_short and cause is not None and cause.kind is StopKind.SIGNAL else None


def _keep_log_records_quiet() -> None:
    """What the library logs for its embedders is told here as an error; the trace of a defect is shown to who asks for it."""
    if not os.environ.get(TRACEBACK_VARIABLE):
        logging.getLogger("orchestrator_py").addHandler(logging.NullHandler())
