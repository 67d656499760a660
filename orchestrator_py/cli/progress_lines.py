"""What is said of a subtask that ended: a sentence for a log, a row for a terminal, and what a failed one said last."""

from orchestrator_py.cli.paint import Ink, Line, Said, Span, cut, ink_of, last_stroke
from orchestrator_py.cli.progress_board import duration
from orchestrator_py.core.command_records import deciding_execution
from orchestrator_py.core.tally import why, word
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.pipeline import CommandStage
from orchestrator_py.model.summary import SubtaskReport

TAIL_LINES = 10
_WORD_WIDTH = len("not started")
TIME_WIDTH = len("59 m 59 s")


def finished_line(report: SubtaskReport) -> Line:
    """`p:build failed in 1.2 s: exit code 1`."""
    reason = why(report)
    ending = f": {reason}" if reason else ""
    if not report.started:
        return f"{report.subtask_id} not started{ending}"
    return (f"{report.subtask_id} ", _word(report), f" in {_time(report)}{ending}", *_marks(report))


def finished_row(report: SubtaskReport, name_width: int) -> Line:
    """The same in columns: who, how, how long, why."""
    name = f"{report.subtask_id:{name_width}}  "
    if not report.started:
        return (name, Span(f"{'not started':{_WORD_WIDTH}}{'':{TIME_WIDTH + 4}}{why(report)}".rstrip(), Ink.FAINT))
    gap = " " * (_WORD_WIDTH - len(word(report.outcome)))
    reason = f"  {why(report)}" if why(report) else ""
    return (name, _word(report), f"{gap}  {_time(report):>{TIME_WIDTH}}{reason}", *_marks(report))


def failure_details(stage: CommandStage, report: SubtaskReport, log: str) -> list[Line]:
    """The command that decided it, the end of its output, and where the whole of it is. Nothing, if no command did."""
    execution = deciding_execution(report)
    if execution is None:
        return []
    return [f"    $ {cut(_command(stage, execution, report))}", *_tail(execution), f"    log: {log}"]


def _word(report: SubtaskReport) -> Span:
    return Span(word(report.outcome), Ink.DOUBTFUL if report.waived else ink_of(report.outcome))


def _time(report: SubtaskReport) -> str:
    return duration(sum(attempt.elapsed.total_seconds() for attempt in report.attempts), exact=True)


def _marks(report: SubtaskReport) -> tuple[str | Span, ...]:
    waived = (", ", Span("waived", Ink.DOUBTFUL)) if report.waived else ()
    flaky = (", ", Span("flaky", Ink.DOUBTFUL), f" ({len(report.attempts)} attempts)") if report.flaky else ()
    return (*waived, *flaky)


def _command(stage: CommandStage, execution: Execution, report: SubtaskReport) -> str:
    """Which of the stage's three commands it was."""
    if report.test is not None and report.test.execution is execution:
        return stage.test or stage.command
    if report.review is not None and report.review.execution is execution:
        return stage.review or stage.command
    return stage.command


def _tail(execution: Execution) -> list[Line]:
    lines = [*_last_lines(execution.stdout.tail), *_last_lines(execution.stderr.tail)]
    return [("    | ", Said(cut(line))) for line in lines]


def _last_lines(text: str) -> list[str]:
    return [last_stroke(line) for line in text.rstrip().split("\n")[-TAIL_LINES:] if line.strip()]
