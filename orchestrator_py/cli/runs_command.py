"""`runs`: the newest command-line runs of all tasks, without a look at older ones than are asked for, and embedded runs in flight."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from orchestrator_py.cli.console import print_json, print_lines
from orchestrator_py.cli.reading_place import find_place, now, runs_in_flight, say_unreadable
from orchestrator_py.cli.runs_text import runs_data, runs_lines
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import InputError
from orchestrator_py.model.timestamp import format_timestamp
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.lookup import newest_runs
from orchestrator_py.reading.run import WORDS, Run

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace

_LAST = re.compile("([0-9]{1,6})([mhdw]?)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def runs(arguments: "Namespace") -> int:
    """0, whatever stands there: what cannot be read is named on stderr."""
    most, since = _parse_last(arguments.last)
    word = _parse_word(arguments.status)
    place = find_place(arguments)
    problems: list[UnreadableError] = []
    found: list[Run] = []
    newest = newest_runs(place.runs_root, place.tasks, problems, runs_in_flight(place, problems))
    for run in _since(newest, since):
        if word in (None, run.word):
            found.append(run)
        if len(found) == most:
            break
    say_unreadable(problems)
    if arguments.format == "json":
        return print_json(runs_data(found, problems, now()), 0)
    return print_lines(runs_lines(found, now()), 0)


def _since(newest: Iterator[Run], since: str) -> Iterator[Run]:
    """Those that started at that time or later; with the first older one it is over."""
    for run in newest:
        if since and run.text("started_at") < since:
            return
        yield run


def _parse_last(text: str) -> tuple[int | None, str]:
    """How many, or since when."""
    parsed = _LAST.fullmatch(text)
    if parsed is None or int(parsed[1]) == 0:
        raise InputError(f"argument --last: {text!r} is neither a number of runs nor a time like 7d, 12h, 30m, 2w.")
    number, unit = int(parsed[1]), parsed[2]
    if not unit:
        return number, ""
    try:
        since = datetime.now(UTC) - timedelta(**{_UNITS[unit]: number})
    except OverflowError:
        return None, ""
    return None, format_timestamp(since)


def _parse_word(text: str | None) -> str | None:
    word = None if text is None else text.replace(" ", "_")
    if word is not None and word not in WORDS:
        raise InputError(f"argument --status: no run is ever {text!r}{suggest(word, WORDS)}.")
    return word
