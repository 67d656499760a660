"""Lines for stderr from a thread of its own."""

from queue import SimpleQueue
from threading import Thread
from typing import Self

from attrs import field

from orchestrator_py.cli.console import write_stderr
from orchestrator_py.lean import define


@define(eq=False)
class LinePrinter:
    """A terminal that stands still (Ctrl-S, a pager at its first page) does not hold up the run, whose deadlines go on.

    `with LinePrinter() as printer`: leaving waits until every line is out.
    """

    _waiting: "SimpleQueue[tuple[str, ...] | None]" = field(factory=SimpleQueue, init=False)
    _thread: Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._work, name="lines for stderr", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def print(self, *lines: str) -> None:
        """Never waits; lines of one call stay together."""
        self._waiting.put(lines)

    def _work(self) -> None:
        while (lines := self._waiting.get()) is not None:
            write_stderr(lines)
