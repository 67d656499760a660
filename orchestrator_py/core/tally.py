"""The sentence that a run comes down to: how many subtasks ended how, and which of them need a second look."""

from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator_py.core.command_records import deciding_execution
from orchestrator_py.core.outcome import build_outcome, test_outcome
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.summary import SubtaskReport

_ORDER = (
    Outcome.SUCCEEDED,
    Outcome.FAILED,
    Outcome.REJECTED,
    Outcome.TIMED_OUT,
    Outcome.CRASHED,
    Outcome.CANCELLED,
    Outcome.ERROR,
)

_SKIP_REASONS = {SkipReason.UPSTREAM: "something it needs did not succeed", SkipReason.NOT_SELECTED: "not selected"}


def word(outcome: Outcome) -> str:
    """The outcome as a reader says it: `timed out`."""
    return outcome.value.replace("_", " ")


def tally(reports: Sequence[SubtaskReport]) -> str:
    """`succeeded 7, failed 1, not started 2 of 10`; a waived failure is counted as succeeded and named by `marks`."""
    started = Counter(report.counted for report in reports if report.started)
    parts = [f"{word(outcome)} {started[outcome]}" for outcome in _ORDER if started[outcome]]
    unstarted = sum(not report.started for report in reports)
    if unstarted:
        parts.append(f"not started {unstarted}")
    return f"{', '.join(parts) or 'nothing planned'} of {len(reports)}"


def counts(reports: Sequence[SubtaskReport]) -> dict[str, int]:
    """How many ended how, by the word that the verdict is made of; they add up to `planned`."""
    started = Counter(report.counted for report in reports if report.started)
    words = {outcome.value: started[outcome] for outcome in _ORDER}
    return {"planned": len(reports), **words, "not_started": len(reports) - started.total()}


def marks(reports: Iterable[SubtaskReport]) -> tuple[str, ...]:
    """A line for each success that is less than it looks: `waived: lint (failed)`, `flaky: test (2 attempts)`.

    The rules of the run may not let it pass: `flaky: test (2 attempts), counts as failed`.
    """
    lines = []
    for report in reports:
        if report.waived:
            lines.append(f"waived: {report.subtask_id} ({word(report.outcome)}){_judged(report)}")
        if report.flaky:
            lines.append(f"flaky: {report.subtask_id} ({len(report.attempts)} attempts){_judged(report)}")
    return tuple(lines)


def _judged(report: SubtaskReport) -> str:
    return "" if report.counts_as is None else f", counts as {word(report.counts_as)}"


def why(report: SubtaskReport) -> str:
    """What to say behind a subtask's word: why it never started, who ended it, how its command ended; empty if the word says all."""
    if report.skip_reason is SkipReason.DEADLINE and report.cause is not None:
        return f"the time was up, {report.cause.detail}"
    if report.flaky and report.counts_as is not None:
        return f"a success at attempt {len(report.attempts)} counts as {word(report.counts_as)}"
    if report.skip_reason is not None:
        return _SKIP_REASONS.get(report.skip_reason, report.skip_reason.value)
    execution = deciding_execution(report)
    if report.cause is not None and report.cause.outcome is report.outcome:
        leak = "; its process group is still there" if execution is not None and execution.leaked else ""
        return by_whom(report.cause) + leak
    if report.outcome is Outcome.REJECTED and report.review is not None:
        return _first_line(report.review.decision.feedback or "no feedback")
    if report.outcome is Outcome.SUCCEEDED:
        return ""
    return _first_line(_answer(report)) if execution is None else _end(execution)


def by_whom(cause: StopCause) -> str:
    """A stop, as a reader says it: `SIGINT`, `its limit is 5 s`, `since diagnostics:build failed`."""
    match cause.kind:
        case StopKind.TIMEOUT:
            return f"its limit is {cause.detail}"
        case StopKind.FAILURE_POLICY:
            return f"since {cause.detail}"
        case _:
            return cause.detail or cause.kind.value


def _answer(report: SubtaskReport) -> str:
    """What the agent that did not succeed said: no command of its own tells how it ended."""
    build, test, review = report.build, report.test, report.review
    if build is not None and build_outcome(build) is not Outcome.SUCCEEDED:
        return build.notes or ""
    if test is not None and test_outcome(test) is not Outcome.SUCCEEDED:
        return next((entry.details for entry in test.reports if entry.details), "")
    return "" if review is None else review.summary


def _end(execution: Execution) -> str:
    if execution.spawn_error is not None:
        return f"could not be started: {execution.spawn_error}"
    if execution.loss is not None:
        return str(execution.loss)
    if execution.child_outcome is not None:
        return f"child run {execution.child_run_id} {word(execution.child_outcome)}"
    if execution.signal is not None:
        return f"ended by {execution.signal}"
    return "ended without an exit code" if execution.exit_code is None else f"exit code {execution.exit_code}"


def _first_line(text: str) -> str:
    first, *more = text.strip().split("\n")
    return f"{first} …" if more else first
