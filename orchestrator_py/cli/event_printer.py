"""Events on stdout, one JSON object a line, each as soon as it is known, from a thread of its own."""

from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self

from orchestrator_py.cli.console import print_json_text
from orchestrator_py.lean import define, field


@define(eq=False)
class EventPrinter:
    """A reader that is slow, or gone, holds up nothing. `with EventPrinter() as printer`: leaving waits until every line is out."""

    _waiting: "SimpleQueue[str | None]" = field(factory=SimpleQueue, init=False)
    _thread: Thread = field(init=False)
    _taken: int = field(default=0, init=False)  # characters that came in, counted by who prints
    _put: int = field(default=0, init=False)  # characters that went out, counted by the thread
    _code: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._work, name="events for stdout", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def print(self, lines: Sequence[str]) -> None:
        """Never waits."""
        text = "".join(f"{line}\n" for line in lines)
        self._taken += len(text)
        self._waiting.put(text)

    def backlog(self) -> int:
        """Characters that are not out yet."""
        return self._taken - self._put

    def code(self, code: int) -> int:
        """The code to end with: as `console.print_lines` has it."""
        return code or self._code

    def _work(self) -> None:
        going = True
        while going:
            texts, going = self._next_texts()
            self._code = self._code or print_json_text("".join(texts), 0)
            self._put += sum(map(len, texts))

    def _next_texts(self) -> tuple[list[str], bool]:
        """Waits for one, takes what else is there; and whether more will come."""
        texts: list[str] = []
        try:
            text = self._waiting.get()
            while text is not None:
                texts.append(text)
                text = self._waiting.get_nowait()
        except Empty:
            return texts, True
        return texts, False
