"""What runs at this moment and how many ended how: told by the news, read by whoever shows it, in a thread of its own."""

from collections import Counter
from collections.abc import Callable
from time import monotonic

from orchestrator_py.core.tally import word
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import define, evolve, field, frozen
from orchestrator_py.model.events import AttemptFailed, Event, RunStarted, SubtaskFinished, SubtaskStarted
from orchestrator_py.model.outcome import Outcome

NAMED = 5

Key = tuple[RunId, SubtaskId]


@frozen(kw_only=True)
class Running:
    """A subtask that runs; `since` is on the board's clock."""

    run_id: RunId
    name: SubtaskId
    since: float
    attempt: int = 1

    @property
    def key(self) -> Key:
        """Names of two runs may be the same."""
        return self.run_id, self.name


@define(eq=False)
class Board:
    """Over all runs of one call: a sub-pipeline's stages are counted beside the stage that started them.

    `name_width` is that of the column of names. Only the event loop writes; each read is one step of a dict or a number, and whoever
    reads sees them a moment apart at worst.
    """

    clock: Callable[[], float] = monotonic
    name_width: int = field(default=0, init=False)
    planned: int = field(default=0, init=False)
    ended: int = field(default=0, init=False)
    counts: "Counter[Outcome]" = field(factory=Counter, init=False)
    not_started: int = field(default=0, init=False)
    _running: dict[Key, Running] = field(factory=dict, init=False)

    def __call__(self, event: Event) -> None:
        """Take note of one piece of news."""
        match event:
            case RunStarted(planned=planned):
                self.planned += planned
            case SubtaskStarted(run_id=run_id, subtask_id=name):
                self._running[run_id, name] = Running(run_id=run_id, name=name, since=self.clock())
            case AttemptFailed(run_id=run_id, subtask_id=name, attempt=attempt):
                if (running := self._running.get((run_id, name))) is not None:
                    self._running[run_id, name] = evolve(running, attempt=attempt.number + 1)
            case SubtaskFinished(run_id=run_id, report=report):
                self._running.pop((run_id, report.subtask_id), None)
                self.ended += 1
                if report.started:
                    self.counts[report.counted] += 1
                else:
                    self.not_started += 1
            case _:
                pass

    def running(self) -> tuple[Running, ...]:
        """The oldest first."""
        return tuple(self._running.copy().values())

    def tallies(self) -> tuple[tuple[Outcome, int], ...]:
        """How many ended with each word, in the order of the words."""
        counts = self.counts.copy()
        return tuple((outcome, counts[outcome]) for outcome in Outcome if counts[outcome])

    def heartbeat(self) -> str:
        """`still running: p:build (42 s), p:test (12 s)`; empty if nothing does."""
        running, now = self.running(), self.clock()
        named = [f"{one.name} ({duration(now - one.since)})" for one in running[:NAMED]]
        more = [f"and {len(running) - NAMED} more"] if len(running) > NAMED else []
        return f"still running: {', '.join([*named, *more])}" if running else ""


def duration(seconds: float, *, exact: bool = False) -> str:
    """`42 s` (exactly: `42.0 s`), `2 m 05 s`, `1 h 02 m`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if exact else f"{int(seconds)} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} m {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} m"


def outcome_words(board: Board) -> list[tuple[str, Outcome]]:
    """`succeeded 7` and so on, each with what it says."""
    return [(f"{word(outcome)} {count}", outcome) for outcome, count in board.tallies()]
