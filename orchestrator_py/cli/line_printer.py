"""Lines for stderr from a thread of its own."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self

from orchestrator_py.cli.console import write_text
from orchestrator_py.cli.paint import Ink, Line, Span, painted
from orchestrator_py.lean import define, field

LONGEST_SILENCE_SECONDS = 3600.0


@define(eq=False, kw_only=True)
class LinePrinter:
    """A terminal that stands still (Ctrl-S, a pager at its first page) does not hold up the run, whose deadlines go on.

    `with LinePrinter() as printer`: leaving waits until every line is out. After `silence` seconds without a line (None: never) the
    `heartbeat` is printed, if it says something, and the next silence may last twice as long.
    """

    colour: bool = False
    silence: float | None = None
    heartbeat: Callable[[], str] = str
    _waiting: "SimpleQueue[tuple[Line, ...] | None]" = field(factory=SimpleQueue, init=False)
    _thread: Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._work, name="lines for stderr", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def print(self, *lines: Line) -> None:
        """Never waits; lines of one call stay together."""
        self._waiting.put(lines)

    def waiting(self) -> int:
        """How many calls are not printed yet."""
        return self._waiting.qsize()

    def _work(self) -> None:
        silence = self.silence
        while True:
            try:
                lines = self._waiting.get(timeout=silence)
            except Empty:
                silence = self._beat(silence)
            else:
                if lines is None:
                    return
                write_text(painted(lines, colour=self.colour))
                silence = self.silence

    def _beat(self, silence: float | None) -> float | None:
        """How long the next silence may last."""
        said = self.heartbeat()
        if not said or silence is None:
            return silence
        write_text(painted([(Span(said, Ink.FAINT),)], colour=self.colour))
        return min(2 * silence, LONGEST_SILENCE_SECONDS)
