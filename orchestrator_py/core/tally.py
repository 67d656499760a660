"""The sentence that a run comes down to: how many subtasks ended how, and which of them need a second look."""

from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator_py.model.outcome import Outcome
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


def marks(reports: Iterable[SubtaskReport]) -> tuple[str, ...]:
    """A line for each success that is less than it looks: `waived: lint (failed)`, `flaky: test (2 attempts)`."""
    lines = []
    for report in reports:
        if report.waived:
            lines.append(f"waived: {report.subtask_id} ({word(report.outcome)})")
        if report.flaky:
            lines.append(f"flaky: {report.subtask_id} ({len(report.attempts)} attempts)")
    return tuple(lines)


def why(report: SubtaskReport) -> str:
    """What to say behind a subtask's word: by whom it was stopped, why it never started; empty if the word says all."""
    if report.skip_reason is not None:
        return {"upstream": "something it needs did not succeed"}.get(report.skip_reason.value, report.skip_reason.value)
    return "" if report.cause is None else str(report.cause)
