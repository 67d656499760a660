"""Output of stages, as it was printed, made harmless for a terminal, or as data."""

import os
import re
import sys
from collections.abc import Callable

from orchestrator_py.cli.console import commands_are_heeded, printable, without_commands
from orchestrator_py.cli.whole_lines import WholeLines
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.reading.stage_log import Piece

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROL = re.compile(
    r"(\x1b\[[0-9;:]*m)"  # colour, which may stay
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # the cursor, the screen
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-Z\\^-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_RESET = "\x1b[0m"


def harmless(line: str, *, colour: bool) -> str:
    """The line without anything that moves the cursor or speaks to the terminal; its colours end with it."""
    cleaned = _CONTROL.sub(lambda found: found[1] or "" if colour else "", line)
    return f"{cleaned}{_RESET}" if _COLOUR.search(cleaned) else cleaned


class Printer:
    """Prints pieces on stdout: JSON lines, or text. Text of one stage that goes to no terminal, and to no workflow, stays as it is."""

    def __init__(self, *, as_json: bool, width: int | None, write: Callable[[str], None]) -> None:
        """`width` is that of the stages' names in front of each line, None for no names."""
        self._as_json = as_json
        self._width = width
        self._write = write
        self._terminal = sys.stdout.isatty()
        self._colour = not os.environ.get("NO_COLOR")
        self._as_it_is = width is None and not self._terminal and not commands_are_heeded()
        self._begun: dict[tuple[str, str], WholeLines] = {}
        """By stage and stream."""

    def print(self, piece: Piece) -> None:
        if self._as_json:
            self._write(without_commands(f"{compact_json(_piece_data(piece))}\n", json=True))
        elif self._as_it_is:
            self._write(piece.data)
        else:
            lines = self._begun.setdefault((piece.stage, piece.stream), WholeLines()).feed(piece.data)
            self._write("".join(self._line(piece.stage, line) for line in lines))

    def end(self, stage: str) -> None:
        """The stage has nothing more to print."""
        for key in [key for key in self._begun if key[0] == stage]:
            if line := self._begun.pop(key).end():
                self._write(self._line(stage, line))

    def _line(self, stage: str, line: str) -> str:
        shown = harmless(line.removesuffix("\r"), colour=self._colour) if self._terminal else line
        return without_commands(f"{shown}\n" if self._width is None else f"{printable(stage):{self._width}} | {shown}\n")


def _piece_data(piece: Piece) -> dict[str, object]:
    return {"stage": piece.stage, "stream": piece.stream, "attempt": piece.attempt, "timestamp": piece.timestamp, "data": piece.data}
