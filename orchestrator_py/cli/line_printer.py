"""Lines for stderr from a thread of its own."""

from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Self

from orchestrator_py.cli.console import write_text
from orchestrator_py.cli.paint import Ink, Line, Span, painted
from orchestrator_py.lean import define, field

LONGEST_SILENCE_SECONDS = 3600.0
GATHERING_SECONDS = 0.01
"""So long the thread waits for more after the first line: waking it for each would cost the run more than the lines."""


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
    _hurry: Event = field(factory=Event, init=False)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._work, name="lines for stderr", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._hurry.set()
        self._waiting.put(None)
        self._thread.join()

    def print(self, *lines: Line) -> None:
        """Never waits; lines of one call stay together."""
        self._waiting.put(lines)

    def waiting(self) -> int:
        """How many calls are not printed yet."""
        return self._waiting.qsize()

    def _work(self) -> None:
        silence, going = self.silence, True
        while going:
            try:
                calls, going = self._next_calls(silence)
            except Empty:
                silence = self._beat(silence)
            else:
                write_text(painted(chain.from_iterable(calls), colour=self.colour))
                silence = self.silence

    def _next_calls(self, silence: float | None) -> tuple[list[tuple[Line, ...]], bool]:
        """Waits for one, then takes what else is there; and whether more will come. Raises Empty after the silence."""
        calls: list[tuple[Line, ...]] = []
        call = self._waiting.get(timeout=silence)
        self._hurry.wait(GATHERING_SECONDS)
        with suppress(Empty):
            while call is not None:
                calls.append(call)
                call = self._waiting.get_nowait()
        return calls, call is not None

    def _beat(self, silence: float | None) -> float | None:
        """How long the next silence may last."""
        said = self.heartbeat()
        if not said or silence is None:
            return silence
        write_text(painted([(Span(said, Ink.FAINT),)], colour=self.colour))
        return min(2 * silence, LONGEST_SILENCE_SECONDS)
