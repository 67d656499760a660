"""Points in time as the contract writes them: ISO-8601, UTC, three decimals and `Z`."""

import math
from datetime import UTC, datetime

TYPE_CHECKING = False  # type checkers read the name; who only reads records is spared the import
if TYPE_CHECKING:
    from typing import NewType

    Timestamp = NewType("Timestamp", str)
else:
    Timestamp = str


def format_timestamp(moment: datetime) -> Timestamp:
    """`2025-12-21T14:02:47.637Z`; the moment has a time zone, microseconds are cut, not rounded."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return Timestamp(utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z")


def parse_timestamp(value: object) -> datetime | None:
    """The moment that an ISO-8601 text names, or None for anything else; a text without a zone is read as UTC.

    It can be written by `format_timestamp`: a moment that is in no year from 1 to 9999 in UTC is none.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not UTC and moment.tzinfo is not None:
            moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_between(started_at: object, completed_at: object) -> float | None:
    """max(0, completed - started) in seconds with millisecond steps; None if either is missing or no time."""
    started, completed = parse_timestamp(started_at), parse_timestamp(completed_at)
    if started is None or completed is None:
        return None
    milliseconds = math.floor((completed - started).total_seconds() * 1000 + 0.5)
    return max(0, milliseconds) / 1000
