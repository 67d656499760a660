"""What running commands say, for who looks: the last line of each, or every line as it comes.

The pieces come from the event loop, as the logs got them; nothing here waits.
"""

from collections.abc import Callable

from orchestrator_py.cli.paint import Ink, Line, Said, Span, cut, last_stroke
from orchestrator_py.cli.progress_board import Key
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import define, field

KEPT_CHARACTERS = 1000
MOST_WAITING = 2000
MOST_EARLY_CHARACTERS = 100_000


@define(eq=False)
class LastLines:
    """One slot for each running subtask, written over by each piece; read whenever a picture is drawn."""

    _ends: dict[Key, str] = field(factory=dict, init=False)

    def hear(self, run_id: RunId, name: SubtaskId, text: str) -> None:
        """A piece of what the subtask's command says."""
        self._ends[run_id, name] = (self._ends.get((run_id, name), "") + text[-KEPT_CHARACTERS:])[-KEPT_CHARACTERS:]

    def forget(self, key: Key) -> None:
        """It has ended."""
        self._ends.pop(key, None)

    def last(self, key: Key) -> str:
        """Its last line that is not empty, with the colours that it has."""
        lines = (last_stroke(line) for line in reversed(self._ends.get(key, "").split("\n")))
        return next((line for line in lines if line.strip()), "")


@define(eq=False)
class SpokenLines:
    """Whole lines, each behind the name of its subtask, and after the line that tells of its start. `waiting` tells how many lines are
    not printed yet: a terminal that stands still must not fill the memory, and what is left out there is in the logs."""

    tell: Callable[[Line], object]
    waiting: Callable[[], int]
    _begun: dict[Key, str] = field(factory=dict, init=False)
    _started: set[Key] = field(factory=set, init=False)
    _left_out: int = field(default=0, init=False)

    def start(self, key: Key) -> None:
        """Its start has been told: what it has said since may follow. The news of it takes longer than a first word."""
        self._started.add(key)
        self.hear(*key, "")

    def hear(self, run_id: RunId, name: SubtaskId, text: str) -> None:
        """A piece of what the subtask's command says; what it has said of a line that goes on is kept for later."""
        text = self._begun.pop((run_id, name), "") + text
        if (run_id, name) not in self._started and len(text) <= MOST_EARLY_CHARACTERS:
            self._begun[run_id, name] = text
            return
        *lines, rest = text.split("\n")
        for line in lines:
            self._say(name, line)
        if rest:
            self._begun[run_id, name] = rest[-KEPT_CHARACTERS:]

    def forget(self, key: Key) -> None:
        """It has ended; its last line is whole now."""
        self.start(key)
        self._started.remove(key)
        if rest := self._begun.pop(key, ""):
            self._say(key[1], rest)

    def _say(self, name: SubtaskId, line: str) -> None:
        if self.waiting() >= MOST_WAITING:
            self._left_out += 1
            return
        if self._left_out:
            self.tell(f"{self._left_out} lines of output are not shown; they are in the logs")
            self._left_out = 0
        self.tell((Span(f"{name} | ", Ink.FAINT), Said(cut(last_stroke(line)))))
