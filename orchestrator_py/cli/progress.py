"""Progress as plain lines on stderr: one for each subtask that ended, and for a failed one what its command said last."""

import sys
from typing import TextIO

from attrs import define

from orchestrator_py.core.manifest import deciding_execution
from orchestrator_py.core.tally import why, word
from orchestrator_py.model.events import AttemptFailed, Event, RunStopping, SubtaskFinished
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport

TAIL_LINES = 10


@define
class PlainProgress:
    """A subscriber of events. A stderr that is gone does not end the run."""

    _stream: TextIO = sys.stderr

    def __call__(self, event: Event) -> None:
        """Tell what is worth a line."""
        match event:
            case SubtaskFinished(report=report):
                self._print(f"[{event.done}/{event.planned}] {_line(report)}", *_details(report))
            case AttemptFailed(attempt=attempt):
                self._print(f"{event.subtask_id}: attempt {attempt.number} {word(attempt.outcome)}, trying again")
            case RunStopping(cause=cause):
                self._print(f"stopping ({cause})")
            case _:
                pass

    def _print(self, *lines: str) -> None:
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()


def _line(report: SubtaskReport) -> str:
    reason = f" ({why(report)})" if why(report) else ""
    if not report.started:
        return f"{report.subtask_id} not started{reason}"
    waived = ", waived" if report.waived else ""
    flaky = f", flaky ({len(report.attempts)} attempts)" if report.flaky else ""
    seconds = sum(attempt.elapsed.total_seconds() for attempt in report.attempts)
    return f"{report.subtask_id} {word(report.outcome)}{reason} in {seconds:.1f} s{waived}{flaky}"


def _details(report: SubtaskReport) -> list[str]:
    """Of a failure: how the command ended, and the end of its output."""
    if not report.started or report.outcome is Outcome.SUCCEEDED:
        return []
    if report.outcome is Outcome.REJECTED and report.review is not None:
        return [f"    {line}" for line in (report.review.decision.feedback or "no feedback").splitlines()[:TAIL_LINES]]
    execution = deciding_execution(report)
    return [] if execution is None else [f"    {_end(execution)}", *_tail(execution)]


def _end(execution: Execution) -> str:
    if execution.spawn_error is not None:
        return f"could not be started: {execution.spawn_error}"
    if execution.child_outcome is not None:
        return f"child run {execution.child_run_id} {word(execution.child_outcome)}"
    leak = "; its process group is still there" if execution.leaked else ""
    if execution.signal is not None:
        return f"ended by {execution.signal}{leak}"
    return f"exit code {execution.exit_code}{leak}"


def _tail(execution: Execution) -> list[str]:
    lines = [*_last_lines(execution.stdout.tail), *_last_lines(execution.stderr.tail)]
    return [f"    | {line}" for line in lines]


def _last_lines(text: str) -> list[str]:
    return [_printable(line) for line in text.rstrip().split("\n")[-TAIL_LINES:] if line.strip()]


def _printable(line: str) -> str:
    """A child's output cannot move the cursor or colour what follows."""
    return "".join(character if character.isprintable() or character == "\t" else "�" for character in line.rstrip("\r"))
