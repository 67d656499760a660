"""Lines with colour: a line is made of spans, and only here do they become escape sequences.

So nothing that others wrote (a name, a message, a child's output) can move the cursor or colour what follows.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from orchestrator_py.cli.console import printable
from orchestrator_py.lean import frozen
from orchestrator_py.model.outcome import Outcome

LONGEST_LINE = 400
_RESET = "\x1b[0m"


class Ink(StrEnum):
    """A colour by its number in the terminal's own palette, which suits dark and light backgrounds."""

    GOOD = "32"
    BAD = "31"
    DOUBTFUL = "33"
    FAINT = "2"
    STRONG = "1"


@frozen
class Span:
    """Words of ours in a colour."""

    text: str
    ink: Ink


@frozen
class Said:
    """A line of a child, in its own colours if we have any."""

    text: str


Line = str | tuple[str | Span | Said, ...]


def ink_of(outcome: Outcome) -> Ink:
    """Good, bad, stopped, or never there."""
    match outcome:
        case Outcome.SUCCEEDED:
            return Ink.GOOD
        case Outcome.CANCELLED:
            return Ink.DOUBTFUL
        case Outcome.SKIPPED:
            return Ink.FAINT
        case _:
            return Ink.BAD


def painted(lines: Iterable[Line], *, colour: bool) -> str:
    """The lines as text for a stream."""
    return "".join(f"{_line(line, colour=colour)}\n" for line in lines)


def without_escapes(text: str) -> str:
    """What is left to read: colours, cursor movements and titles are taken out."""
    return _escapes().sub("", text) if "\x1b" in text else text


def colours_only(text: str) -> str:
    """What can be shown inside a line: colours stay, every other escape sequence and control character goes."""
    kept = _escapes().sub(lambda found: found[0] if re.fullmatch(_COLOUR, found[0]) else "", text) if "\x1b" in text else text
    return "\x1b".join(printable(part) for part in kept.split("\x1b"))


def last_stroke(line: str) -> str:
    """What a terminal shows of a line that was written over again and again, as progress bars do it."""
    return line.rstrip("\r").rpartition("\r")[2]


def cut(line: str) -> str:
    """A line that does not flood the screen."""
    line = without_escapes(line) if len(line) > LONGEST_LINE else line
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _line(line: Line, *, colour: bool) -> str:
    if isinstance(line, str):
        return "\n".join(printable(part) for part in line.split("\n"))
    return "".join(_span(span, colour=colour) for span in line)


def _span(span: str | Span | Said, *, colour: bool) -> str:
    match span:
        case Said(text=text) if colour and "\x1b" in text:
            return f"{colours_only(text)}{_RESET}"
        case Said(text=text):
            return printable(without_escapes(text))
        case Span(text=text, ink=ink) if colour:
            return f"\x1b[{ink}m{printable(text)}{_RESET}"
        case Span(text=text):
            return printable(text)
        case _:
            return printable(span)


_COLOUR = r"\x1b\[[0-9;:]*m"


@cache
def _escapes() -> re.Pattern[str]:
    """Control sequences, strings for the terminal (titles, links), and everything else that begins with ESC."""
    return re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)")
