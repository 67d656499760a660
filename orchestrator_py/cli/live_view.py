"""The picture of a run: how far it is, a row for each subtask that runs, and how many ended how."""

import sys
from collections.abc import Mapping
from io import StringIO

from rich.console import Console
from rich.text import Text

from orchestrator_py.cli.paint import Ink, colours_only, ink_of
from orchestrator_py.cli.progress_board import Board, Running, duration, outcome_words
from orchestrator_py.cli.progress_lines import TIME_WIDTH
from orchestrator_py.cli.progress_output import LastLines
from orchestrator_py.lean import define, field

Row = tuple[str, int]
"""What to write, and how many columns it takes."""

ROWS_FOR_THE_REST = 6
"""The bar, the counts, and some of what has ended."""
NARROWEST_OUTPUT = 10
_BAR, _ASCII_BAR = ("━", "─"), ("#", "-")
_STYLES: Mapping[Ink, str] = {Ink.GOOD: "green", Ink.BAD: "red", Ink.DOUBTFUL: "yellow", Ink.FAINT: "dim", Ink.STRONG: "bold"}


def create_console(*, colour: bool) -> Console:
    """Makes text with the colours that the terminal has; what is printed is taken from it."""
    return Console(
        file=StringIO(),
        force_terminal=True,
        color_system="auto" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        width=10_000,
    )


@define(eq=False)
class LiveView:
    """Draws a board."""

    board: Board
    last_lines: LastLines
    console: Console
    begun: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.begun = self.board.clock()

    def rows(self, columns: int, lines: int) -> list[Row]:
        """A bar between what has ended and what runs, the oldest of what runs, as many as there is room for, and the counts."""
        width = max(columns - 1, 1)  # a row that reaches the edge would break it
        running = self.board.running()
        room = max(lines - ROWS_FOR_THE_REST, 0)
        shown = running if len(running) <= room else running[: max(room - 1, 0)]
        hidden = [Text(f"and {len(running) - len(shown)} more", style="dim")] if shown and len(shown) < len(running) else []
        bar = [self._bar(width)] if lines >= ROWS_FOR_THE_REST else []
        texts = [*bar, *(self._running(one, width) for one in shown), *hidden, self._counts(len(running))]
        return [self._finish(text, width) for text in texts]

    def _bar(self, width: int) -> Text:
        """`━━━━━━──── 6 of 10       42 s`."""
        board = self.board
        label = f"  {board.ended} of {board.planned}{duration(board.clock() - self.begun):>{TIME_WIDTH + 2}}"
        room = max(width - len(label), 0)
        done = room * board.ended // board.planned if board.planned else 0
        bad = any(ink_of(outcome) is Ink.BAD for outcome, _ in board.tallies())
        full, empty = _BAR if (sys.stderr.encoding or "").lower().startswith("utf") else _ASCII_BAR
        return Text.assemble((full * done, _STYLES[Ink.BAD if bad else Ink.GOOD]), (empty * (room - done), "dim"), label)

    def _running(self, one: Running, width: int) -> Text:
        time = f"{duration(self.board.clock() - one.since):>{TIME_WIDTH}}"
        name = Text(f"{one.name} (attempt {one.attempt})" if one.attempt > 1 else one.name, style="bold")
        room = width - self.board.name_width - TIME_WIDTH - 4
        if room < NARROWEST_OUTPUT:
            time = time.lstrip()
            return _fit(name, width - len(time) - 1).append(f" {time}")
        said = Text.from_ansi(colours_only(self.last_lines.last(one.key)).expandtabs())
        return Text.assemble(_fit(name, self.board.name_width), "  ", _fit(said, room), "  ", time)

    def _counts(self, running: int) -> Text:
        board = self.board
        waiting = max(board.planned - board.ended - running, 0)
        words = [(text, _STYLES[ink_of(outcome)]) for text, outcome in outcome_words(board)]
        words += [(f"running {running}", "bold")] if running else []
        words += [(f"{word} {count}", "dim") for word, count in (("waiting", waiting), ("not started", board.not_started)) if count]
        return Text("  ").join(Text(text, style=style) for text, style in words)

    def _finish(self, text: Text, width: int) -> Row:
        text.truncate(width, overflow="ellipsis")
        with self.console.capture() as captured:
            self.console.print(text, end="", soft_wrap=True, highlight=False)
        return captured.get(), text.cell_len


def _fit(text: Text, width: int) -> Text:
    text.truncate(max(width, 1), overflow="ellipsis", pad=True)
    return text
