"""The live view on a terminal: above what has ended, below what runs, drawn a few times a second by the printer's thread."""

import sys
from collections.abc import Sequence
from queue import Empty
from threading import Event

from orchestrator_py.cli.console import write_text
from orchestrator_py.cli.line_printer import LinePrinter
from orchestrator_py.cli.live_screen import Screen
from orchestrator_py.cli.paint import Line, painted
from orchestrator_py.cli.progress_board import Board
from orchestrator_py.cli.progress_output import LastLines
from orchestrator_py.lean import define, field

TYPE_CHECKING = False  # what draws is imported by the thread that draws, while the run goes on
if TYPE_CHECKING:
    from orchestrator_py.cli.live_view import LiveView, Row

SECONDS_BETWEEN_PICTURES = 0.1


@define(eq=False, kw_only=True)
class LivePrinter(LinePrinter):
    """Draws nothing that has not changed. What a picture costs depends on what runs, never on how much has ended."""

    board: Board
    last_lines: LastLines
    _closing: Event = field(factory=Event, init=False)
    _drawn: "Sequence[Row]" = field(default=(), init=False)

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        super().__exit__()

    def _work(self) -> None:
        screen = Screen(sys.stderr)
        try:
            self._draw_until_closed(screen)
        except Exception:  # a picture that cannot be drawn costs nobody a line
            screen.leave()
            super()._work()

    def _draw_until_closed(self, screen: Screen) -> None:
        view: LiveView | None = None
        while not self._closing.wait(SECONDS_BETWEEN_PICTURES):
            view = view or self._view()
            self._draw(screen, view.rows(*screen.size()) if screen.is_ours() else [])
        screen.draw("", ())
        super()._work()  # the rest of the lines, up to the end
        write_text("\n")  # what comes now is the report

    def _draw(self, screen: Screen, rows: "Sequence[Row]") -> None:
        above = painted(self._lines(), colour=self.colour)
        if not rows:
            screen.leave()
        if above or rows != self._drawn:
            screen.draw(above, rows)
            self._drawn = rows

    def _view(self) -> "LiveView":
        from orchestrator_py.cli.live_view import LiveView, create_console

        return LiveView(self.board, self.last_lines, create_console(colour=self.colour))

    def _lines(self) -> list[Line]:
        """All that wait. The end, which is one of them, is left for the last."""
        lines: list[Line] = []
        while True:
            try:
                call = self._waiting.get_nowait()
            except Empty:
                return lines
            if call is None:
                self._waiting.put(None)
                return lines
            lines += call
