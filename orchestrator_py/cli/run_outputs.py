"""What a call of `run` or `resume` leaves besides its record: an answer on stdout, test reports, notes for a workflow."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from orchestrator_py.app.pipeline_runner import PipelineReport
from orchestrator_py.app.pipeline_site import PipelineSite
from orchestrator_py.app.run_news import RunNews
from orchestrator_py.cli.console import heed_workflow_commands, print_json, print_text, say, write_commands
from orchestrator_py.cli.exit_codes import NOT_RECORDED
from orchestrator_py.cli.failures import tell_error
from orchestrator_py.cli.finished_runs import FinishedRun, FinishedRuns
from orchestrator_py.cli.paint import Line, painted
from orchestrator_py.cli.progress_manner import choose_colour
from orchestrator_py.cli.run_text import run_data, run_lines
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import NotRecordedError, StoreError
from orchestrator_py.lean import define, evolve, field
from orchestrator_py.model.messages import ClosedRun

TYPE_CHECKING = False  # only who asks for a test report pays for it
if TYPE_CHECKING:
    from argparse import Namespace

    from orchestrator_py.cli.event_printer import EventPrinter
    from orchestrator_py.cli.junit import JunitFile
    from orchestrator_py.exports.telemetry import Telemetry
    from orchestrator_py.model.events import Event
    from orchestrator_py.stages.environment import Trace

STREAMS_VARIABLE = "CODEX_ORCHESTRATOR_EMIT_COMMAND_STREAMS"
_YES = ("1", "true", "yes", "on")
_COLLECTORS = tuple(f"OTEL_EXPORTER_OTLP_{name}ENDPOINT" for name in ("", "TRACES_", "METRICS_"))


@define(eq=False)
class RunOutputs:
    """Made before anything starts: what cannot be written is refused then, with InputError."""

    format: str
    colour: bool
    with_logs: bool
    github: bool
    junit: "JunitFile | None"
    telemetry: "Telemetry | None" = None
    finished: FinishedRuns = field(factory=FinishedRuns, init=False)
    news: RunNews = field(init=False)
    _printer: "EventPrinter | None" = field(default=None, init=False)

    @contextmanager
    def opened(self, site: PipelineSite, tell: Callable[[str], object]) -> Iterator["RunOutputs"]:
        """Events are written and shown inside; when it is left they all are."""
        with ExitStack() as stack:
            self.news = RunNews(site, tell, with_logs=self.with_logs)
            if self.format == "jsonl":
                from orchestrator_py.cli.event_printer import EventPrinter

                self._printer = stack.enter_context(EventPrinter())
                self.news.show, self.news.backlog = self._printer.print, self._printer.backlog
            stack.enter_context(self.news)
            yield self

    @property
    def subscribers(self) -> "tuple[Callable[[Event], object], ...]":
        """All that want to hear of the run."""
        always = (self.finished, self.news)
        return always if self.telemetry is None else (*always, self.telemetry)

    @property
    def trace(self) -> "Trace | None":
        """What tells stages of the trace that they work in."""
        return None if self.telemetry is None else self.telemetry.stage_environment

    def finish_telemetry(self) -> None:
        """Everything else is out. What did not reach the collector is said; it changes no code."""
        trouble = None if self.telemetry is None else self.telemetry.finish()
        if trouble is not None:
            say(trouble)

    # How it ended: each answers the code to end with ------------------------------------------------------------

    def report(self, report: PipelineReport, code: int) -> int:
        """The verdict is on record, `code` says so; by a signal, if it is beyond 128."""
        runs = self._family(FinishedRun(report.manifest, report.summary))
        code = self._write_junit(runs, code)
        match self.format:
            case "json":
                code = print_json(run_data(report, code), code)
            case "text":
                code = self._print(run_lines(report), code)
        self._tell_github(runs)
        self.news.complete(code)  # last: it tells the code
        return code

    def not_recorded(self, error: NotRecordedError) -> int:
        """The verdict, and the entry to record later, though neither could be put on record."""
        closed = error.report
        if not isinstance(closed, ClosedRun) or closed.manifest is None:
            return tell_error(error, self.fail)
        manifest = evolve(closed.manifest, metrics_recorded=False)
        report = PipelineReport(summary=closed.summary, manifest=manifest, cut_short=False)
        say(f"{error} Put the entry, which ends this report, into a file and record it with `orchestrator-py metrics record FILE`.")
        data = {**run_data(report, NOT_RECORDED), "entry": parse_json(error.entry)}
        self.news.fail(str(error), NOT_RECORDED, {key: data[key] for key in ("outcome", "entry")})
        match self.format:
            case "json":
                print_json({"error": str(error), **data}, NOT_RECORDED)
            case "text":
                self._print([*run_lines(report), error.entry.decode()], NOT_RECORDED)
        runs = self._family(FinishedRun(manifest, closed.summary))
        self._tell_github(runs)
        return self._write_junit(runs, NOT_RECORDED)

    def fail(self, message: str, code: int) -> int:
        """No verdict is known."""
        self.news.fail(message, code)
        return print_json({"error": message, "exit_code": code}, code) if self.format == "json" else code

    def code(self, code: int) -> int:
        """What is left to say when everything is out."""
        return code if self._printer is None else self._printer.code(code)

    def _print(self, lines: list[Line], code: int) -> int:
        return print_text(painted(lines, colour=self.colour), code)

    def _family(self, run: FinishedRun) -> tuple[FinishedRun, ...]:
        return tuple(self.finished.family(run))

    def _tell_github(self, runs: tuple[FinishedRun, ...]) -> None:
        if self.github:
            _tell_github(runs)

    def _write_junit(self, runs: tuple[FinishedRun, ...], code: int) -> int:
        if self.junit is None:
            return code
        try:
            self.junit.write(runs)
        except StoreError as error:
            say(f"--junit-xml {error}")
            return code or NOT_RECORDED
        return code


def choose_outputs(arguments: "Namespace", environment: Mapping[str, str]) -> RunOutputs:
    """As the flags and the environment want it. InputError if a test report cannot be written."""
    github = environment.get("GITHUB_ACTIONS") == "true" if arguments.github is None else arguments.github
    if github:
        heed_workflow_commands()
    return RunOutputs(
        format=arguments.format,
        colour=choose_colour(arguments.color, environment, terminal=sys.stdout.isatty()),
        with_logs=arguments.stream_logs or environment.get(STREAMS_VARIABLE, "").strip().lower() in _YES,
        github=github,
        junit=None if arguments.junit_xml is None else _junit_file(arguments.junit_xml),
        telemetry=_telemetry(environment) if any(map(environment.get, _COLLECTORS)) else None,
    )


def _junit_file(name: str) -> "JunitFile":
    from orchestrator_py.cli.junit import JunitFile

    return JunitFile.at(name)


def _telemetry(environment: Mapping[str, str]) -> "Telemetry | None":
    from orchestrator_py.exports.telemetry import open_telemetry

    return open_telemetry(environment, say)


def _tell_github(runs: tuple[FinishedRun, ...]) -> None:
    from orchestrator_py.cli.github import SUMMARY_VARIABLE, annotations, append_summary, groups

    write_commands([*groups(runs), *annotations(runs)])
    path = os.environ.get(SUMMARY_VARIABLE)
    if path:
        try:
            append_summary(path, runs)
        except OSError as error:
            say(f"warning: {path}: cannot append the summary of the run: {error.strerror or error}.")
