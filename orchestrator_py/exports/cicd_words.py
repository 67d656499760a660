"""Our words for how work ended, in the words of OpenTelemetry's conventions for CI/CD. docs/exports.md has them in one table."""

from datetime import UTC, datetime, timedelta

from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.timestamp import parse_timestamp

RESULTS = {
    Outcome.SUCCEEDED: "success",
    Outcome.FAILED: "failure",
    Outcome.REJECTED: "failure",
    Outcome.TIMED_OUT: "timeout",
    Outcome.CRASHED: "error",
    Outcome.CANCELLED: "cancellation",
    Outcome.SKIPPED: "skip",
    Outcome.ERROR: "error",
}
"""For runs and for their subtasks."""

NO_ERRORS = frozenset({Outcome.SUCCEEDED, Outcome.CANCELLED, Outcome.SKIPPED})
"""What somebody wanted. Everything else is an error, of the type that our own word names."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def error_type(outcome: Outcome) -> str | None:
    """The value of `error.type`, None if there is no error."""
    return None if outcome in NO_ERRORS else outcome.value


def nanoseconds(timestamp: object) -> int | None:
    """Since 1970; None for what is no time."""
    moment = parse_timestamp(timestamp)
    return None if moment is None else (moment - _EPOCH) // timedelta(milliseconds=1) * 1_000_000


def utf8(text: str) -> str:
    """The text as UTF-8 can hold it: a name of a folder, or an argument, need not be any."""
    return text.encode("utf-8", "backslashreplace").decode()
