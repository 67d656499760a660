"""Progress as plain lines: one for each subtask that ended; below a failed one its command, what it said last, where its log is."""

from collections.abc import Callable

from attrs import field

from orchestrator_py.app.pipeline_site import PipelineSite
from orchestrator_py.core.command_records import deciding_execution
from orchestrator_py.core.configuration import select_pipeline
from orchestrator_py.core.plan import stages_by_item
from orchestrator_py.core.tally import why, word
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define
from orchestrator_py.model.events import AttemptFailed, Event, RunStarted, SubtaskFinished
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Pipeline
from orchestrator_py.model.summary import SubtaskReport

TAIL_LINES = 10
LONGEST_LINE = 400


@define(eq=False)
class PlainProgress:
    """A subscriber of events. `tell` gets lines that belong together."""

    _tell: Callable[..., object]
    _site: PipelineSite
    _pipelines: dict[RunId, Pipeline] = field(factory=dict, init=False)

    def __call__(self, event: Event) -> None:
        """Tell what is worth a line."""
        match event:
            case RunStarted(run_id=run_id, pipeline_id=pipeline_id):
                self._pipelines[run_id] = select_pipeline(self._site.settings.configuration, pipeline_id)
            case SubtaskFinished(report=report):
                self._tell(f"[{event.done}/{event.planned}] {_line(report)}", *self._details(event.run_id, report))
            case AttemptFailed(attempt=attempt):
                self._tell(f"{event.subtask_id}: attempt {attempt.number} {word(attempt.outcome)}, trying again")
            case _:
                pass

    def _details(self, run_id: RunId, report: SubtaskReport) -> list[str]:
        """Of a command that did not succeed."""
        execution = deciding_execution(report)
        stage = stages_by_item(self._pipelines[run_id]).get(report.subtask_id)
        if execution is None or report.outcome is Outcome.SUCCEEDED or not isinstance(stage, CommandStage):
            return []
        log = self._site.stage_log_path(run_id, self._pipelines[run_id], stage)
        return [f"    $ {_cut(_command(stage, execution, report))}", *_tail(execution), f"    log: {log}"]


def _line(report: SubtaskReport) -> str:
    reason = why(report)
    if not report.started:
        return f"{report.subtask_id} not started{f': {reason}' if reason else ''}"
    waived = ", waived" if report.waived else ""
    flaky = f", flaky ({len(report.attempts)} attempts)" if report.flaky else ""
    seconds = sum(attempt.elapsed.total_seconds() for attempt in report.attempts)
    return f"{report.subtask_id} {word(report.outcome)} in {seconds:.1f} s{f': {reason}' if reason else ''}{waived}{flaky}"


def _command(stage: CommandStage, execution: Execution, report: SubtaskReport) -> str:
    """Which of the stage's three commands it was."""
    if report.test is not None and report.test.execution is execution:
        return stage.test or stage.command
    if report.review is not None and report.review.execution is execution:
        return stage.review or stage.command
    return stage.command


def _tail(execution: Execution) -> list[str]:
    lines = [*_last_lines(execution.stdout.tail), *_last_lines(execution.stderr.tail)]
    return [f"    | {_cut(line)}" for line in lines]


def _last_lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.rstrip().split("\n")[-TAIL_LINES:] if line.strip()]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
