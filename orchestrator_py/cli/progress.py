"""Progress on stderr: each subtask when it ends, below a failed one what it said last; and, if that is wanted, more or less of it."""

import sys
from collections.abc import Callable, Mapping

from orchestrator_py.app.pipeline_site import PipelineSite
from orchestrator_py.cli.line_printer import LinePrinter
from orchestrator_py.cli.paint import Ink, Line, Span
from orchestrator_py.cli.progress_board import Board
from orchestrator_py.cli.progress_lines import failure_details, finished_line, finished_row
from orchestrator_py.cli.progress_manner import Loudness, Manner, choose_manner
from orchestrator_py.core.configuration import select_pipeline
from orchestrator_py.core.plan import item_id, stages_by_item
from orchestrator_py.core.tally import word
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import define, evolve, field
from orchestrator_py.model.events import AttemptFailed, Event, RunStarted, SubtaskFinished, SubtaskStarted
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Configuration, Pipeline, Stage, SubpipelineStage
from orchestrator_py.model.summary import SubtaskReport

TYPE_CHECKING = False  # who does not look at what commands say does not pay for it
if TYPE_CHECKING:
    from argparse import Namespace

    from orchestrator_py.cli.progress_output import LastLines, SpokenLines

WIDEST_NAME = 32


@define(eq=False)
class Progress:
    """Joins what a run tells, what its commands say, and the printer that shows it."""

    manner: Manner
    board: Board
    printer: LinePrinter
    last_lines: "LastLines | None" = None
    _spoken: "SpokenLines | None" = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        if self.manner.loudness >= Loudness.VERBOSE:
            from orchestrator_py.cli.progress_output import SpokenLines

            self._spoken = SpokenLines(self.printer.print, self.printer.waiting)

    @property
    def listen(self) -> Callable[[RunId, SubtaskId, str], None] | None:
        """Who gets the output of the commands; None if nobody looks at it."""
        return None if self.last_lines is None and self._spoken is None else self._hear

    def reader(self, site: PipelineSite) -> Callable[[Event], None]:
        """A subscriber for the news of the site's runs."""
        tell = Teller(self.printer.print, site, self.manner, self.board)

        def read(event: Event) -> None:
            self.board(event)
            if isinstance(event, SubtaskFinished):
                self._forget(event.run_id, event.report.subtask_id)
            tell(event)
            if isinstance(event, SubtaskStarted) and self._spoken is not None:
                self._spoken.start((event.run_id, event.subtask_id))

        return read

    def say(self, line: str) -> None:
        """An answer to whoever asked for something, by a signal for instance."""
        if self.manner.loudness > Loudness.SILENT:
            self.printer.print(line)

    def _hear(self, run_id: RunId, name: SubtaskId, text: str) -> None:
        for hearer in (self.last_lines, self._spoken):
            if hearer is not None:
                hearer.hear(run_id, name, text)

    def _forget(self, run_id: RunId, name: SubtaskId) -> None:
        for hearer in (self.last_lines, self._spoken):
            if hearer is not None:
                hearer.forget((run_id, name))


def create_progress(arguments: "Namespace", environment: Mapping[str, str]) -> Progress:
    """As the flags, the environment and stderr want it. The printer is to be entered."""
    manner, board = choose_manner(arguments, environment, terminal=sys.stderr.isatty()), Board()
    if manner.live and _has_rich():
        from orchestrator_py.cli.live import LivePrinter
        from orchestrator_py.cli.progress_output import LastLines

        last_lines = LastLines()
        return Progress(manner, board, LivePrinter(colour=manner.colour, board=board, last_lines=last_lines), last_lines)
    manner = evolve(manner, live=False)
    printer = LinePrinter(colour=manner.colour, silence=manner.heartbeat or None, heartbeat=board.heartbeat)
    return Progress(manner, board, printer)


@define(eq=False)
class Teller:
    """A subscriber of news. `tell` gets lines that belong together."""

    _tell: Callable[..., object]
    _site: PipelineSite
    _manner: Manner
    _board: Board
    _pipelines: dict[RunId, Pipeline] = field(factory=dict, init=False)
    _stages: dict[RunId, Mapping[str, Stage]] = field(factory=dict, init=False)

    def __call__(self, event: Event) -> None:
        """Tell what is worth a line."""
        loudness = self._manner.loudness
        match event:
            case RunStarted(run_id=run_id, pipeline_id=pipeline_id):
                self._begin(run_id, pipeline_id)
            case SubtaskStarted(subtask_id=name) if loudness >= Loudness.VERBOSE:
                self._tell(f"{name} started")
            case SubtaskFinished(report=report) if loudness >= Loudness.NORMAL or (loudness == Loudness.QUIET and _is_bad(report)):
                self._tell(self._finished(event), *self._details(event.run_id, report))
            case AttemptFailed(attempt=attempt, subtask_id=name) if loudness >= Loudness.NORMAL:
                self._tell(f"{name}: attempt {attempt.number} {word(attempt.outcome)}, trying again")
            case _:
                pass

    def _begin(self, run_id: RunId, pipeline_id: str) -> None:
        pipeline = select_pipeline(self._site.settings.configuration, pipeline_id)
        self._pipelines[run_id], self._stages[run_id] = pipeline, stages_by_item(pipeline)
        if self._manner.live:
            self._board.name_width = max(self._board.name_width, name_width(self._site.settings.configuration, pipeline))

    def _finished(self, event: SubtaskFinished) -> Line:
        if self._manner.live:
            return finished_row(event.report, self._board.name_width)
        line = finished_line(event.report)
        return (Span(f"[{event.done}/{event.planned}] ", Ink.FAINT), *((line,) if isinstance(line, str) else line))

    def _details(self, run_id: RunId, report: SubtaskReport) -> list[Line]:
        stage = self._stages[run_id].get(report.subtask_id)
        if report.outcome is Outcome.SUCCEEDED or not isinstance(stage, CommandStage):
            return []
        return failure_details(stage, report, self._site.stage_log_path(run_id, self._pipelines[run_id], stage))


def name_width(configuration: Configuration, pipeline: Pipeline) -> int:
    """Of the longest name among the pipeline's stages and those of its sub-pipelines, so that no column moves later."""
    seen, waiting, longest = {pipeline.id}, [pipeline], 0
    while waiting:
        one = waiting.pop()
        longest = max([longest, *(len(item_id(one, stage.id)) for stage in one.stages)])
        children = {stage.pipeline for stage in one.stages if isinstance(stage, SubpipelineStage)} - seen
        waiting += (select_pipeline(configuration, child) for child in children)
        seen |= children
    return min(longest, WIDEST_NAME)


def _is_bad(report: SubtaskReport) -> bool:
    return report.started and report.outcome is not Outcome.SUCCEEDED


def _has_rich() -> bool:
    from importlib.util import find_spec

    return find_spec("rich") is not None
