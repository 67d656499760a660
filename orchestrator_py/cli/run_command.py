"""`run` and `resume`: run a pipeline, tell its progress, leave its report, end with the code of its verdict."""

import logging
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta
from functools import partial

import anyio

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import TRACEBACK_VARIABLE, say
from orchestrator_py.cli.ending import die_by, outlast_signals
from orchestrator_py.cli.exit_codes import NOT_RECORDED, code_of_outcome
from orchestrator_py.cli.failures import tell_defect, tell_error
from orchestrator_py.cli.progress import Progress, create_progress
from orchestrator_py.cli.run_arguments import processors
from orchestrator_py.cli.run_outputs import RunOutputs, choose_outputs
from orchestrator_py.cli.selection import select_stages
from orchestrator_py.cli.signals import StopSignals
from orchestrator_py.cli.workspace import Workspace, open_workspace, select_task, select_work
from orchestrator_py.errors import NotRecordedError, OrchestratorError, StoreError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.outcome import FailurePolicy, StopKind
from orchestrator_py.model.policy import VerdictRules

TYPE_CHECKING = False  # who runs commands here does not pay for it
if TYPE_CHECKING:
    from argparse import Namespace

    from orchestrator_py.app.elsewhere import Elsewhere

Work = Callable[[PipelineRunner], Awaitable[PipelineReport]]


def run(arguments: "Namespace") -> int:
    """Run a pipeline. The exit code; ends by the signal that cut the run short, if one did."""
    workspace = open_workspace(arguments)
    pipeline, target = select_work(workspace, arguments)
    selection = select_stages(workspace.configuration, pipeline, arguments)
    return _work(workspace, arguments, lambda runner: runner.run(pipeline, target=target, selection=selection))


def resume(arguments: "Namespace") -> int:
    """Run again what did not succeed of an earlier run, under its id. Answers as `run` does."""
    workspace = open_workspace(arguments)
    run_id = parse_run_id(arguments.run)
    return _work(workspace, arguments, lambda runner: runner.resume(run_id, token=arguments.token))


def _work(workspace: Workspace, arguments: "Namespace", work: Work) -> int:
    settings = PipelineSettings(
        layout=workspace.layout,
        configuration=workspace.configuration,
        task_id=select_task(arguments, workspace.environment),
        jobs=arguments.jobs or processors(),
        on_failure=FailurePolicy(arguments.on_failure),
        grace=Grace(timedelta(seconds=arguments.grace)),
        environment=workspace.environment,
        timeout=None if arguments.timeout is None else timedelta(seconds=arguments.timeout),
        rules=VerdictRules(strict=arguments.strict, fail_on_flaky=arguments.fail_on_flaky),
    )
    progress = create_progress(arguments, os.environ)
    _tell_warnings(progress.say)
    outputs = choose_outputs(arguments, os.environ)
    elsewhere = _choose_elsewhere(arguments, workspace)
    site = PipelineSite(settings=settings, clock=SystemClock(), listen=progress.listen, trace=outputs.trace)
    number = None
    with outputs.opened(site, say):
        try:
            with progress.printer:
                report, trouble = anyio.run(partial(_run, work, site, progress, outputs, elsewhere))
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
            code = code_of_outcome(report.outcome) if number is None else 128 + number
            if trouble is not None:
                say(f"{trouble} The run itself is on record, as its report says.")
                code = code or NOT_RECORDED
            code = outputs.report(report, code)
    code = outputs.code(code)
    outlast_signals()
    outputs.finish_telemetry()
    if number is not None:
        die_by(number)
    return code


def _choose_elsewhere(arguments: "Namespace", workspace: Workspace) -> "Elsewhere | None":
    """None, and nothing imported, if commands run here."""
    if (arguments.executor or workspace.configuration.executor.kind.value) == "local":
        return None
    from orchestrator_py.cli.executor_choice import choose_elsewhere

    return choose_elsewhere(arguments, workspace, processors())


async def _run(
    work: Work, site: PipelineSite, progress: Progress, outputs: RunOutputs, elsewhere: "Elsewhere | None"
) -> tuple[PipelineReport, StoreError | None]:
    """The report; and what went wrong afterwards, when the history was brought up to date with a run that is on record."""
    report = None
    service = RunService(site.settings.layout, site.clock)
    with StopSignals(service, site.settings.grace, progress.say).heeded():
        try:
            async with (
                nullcontext(site) if elsewhere is None else elsewhere.opened(site, service.tell_placed) as site,
                service,
            ):
                service.subscribe(progress.reader(site))
                for subscriber in outputs.subscribers:
                    service.subscribe(subscriber)
                report = await work(PipelineRunner(site, service, ear=outputs.news.hear))
        except StoreError as error:
            if report is None:
                raise
            return report, error
    return report, None


def _deadly_signal(report: PipelineReport) -> signal.Signals | None:
    """The signal that cut at least one stage short."""
    cause = report.summary.cause
    return signal.Signals[cause.detail] if report.cut_short and cause is not None and cause.kind is StopKind.SIGNAL else None


def _tell_warnings(tell: Callable[[str], object]) -> None:
    """What the library logs as a warning is told; what it logs as an error is told by who catches it, its trace to who asks for it."""
    told = logging.StreamHandler() if os.environ.get(TRACEBACK_VARIABLE) else _Warnings(tell)
    logging.getLogger("orchestrator_py").addHandler(told)


class _Warnings(logging.Handler):
    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            self._tell(f"warning: {record.getMessage()}")
