"""The last rows of a terminal, drawn over again and again; what is printed above them stays.

The cursor is not hidden and no mode is set: whatever ends us, there is nothing to restore.
"""

import os
from collections.abc import Sequence
from math import ceil
from typing import TextIO

from orchestrator_py.cli.console import write_text
from orchestrator_py.lean import define, field

_UP, _CLEAR_ROW, _CLEAR_BELOW = "\x1b[A", "\x1b[K", "\x1b[J"


@define(eq=False)
class Screen:
    """Each picture is one write, so that it does not flicker."""

    stream: TextIO
    _widths: tuple[int, ...] = field(default=(), init=False)

    def size(self) -> tuple[int, int]:
        """Columns and rows now; they may change at any time."""
        try:
            size = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return size.columns or 80, size.lines or 24

    def is_ours(self) -> bool:
        """False in the background of a shell: the last rows are those of somebody else then."""
        try:
            return os.tcgetpgrp(self.stream.fileno()) == os.getpgrp()
        except (OSError, ValueError):  # a terminal that controls nobody
            return True

    def draw(self, above: str, picture: Sequence[tuple[str, int]]) -> None:
        """Whole lines, and below them the picture: rows with their widths, each less than the terminal's."""
        start = self._start(erase=bool(above) or not picture)
        rows = "\n".join(f"{row}{_CLEAR_ROW}" for row, _ in picture)
        write_text(f"{start}{above}{rows}{_CLEAR_BELOW if picture else ''}")
        self._widths = tuple(width for _, width in picture)

    def leave(self) -> None:
        """The picture stays where it is, or another process has written since; the next one begins here."""
        self._widths = ()

    def _start(self, *, erase: bool) -> str:
        """To where the picture begins; erased row by row, since some terminals keep a screen that is cleared at once in their history.

        A terminal that has become narrower has broken the rows.
        """
        columns, _ = self.size()
        rows = sum(max(1, ceil(width / columns)) for width in self._widths)
        if not erase:
            return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"
        return f"\r{_CLEAR_ROW}{f'{_UP}{_CLEAR_ROW}' * (rows - 1)}" if rows else ""
