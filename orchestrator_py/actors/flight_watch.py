"""Shows embedded runs that last, in its own time: whoever is quick is never looked at."""

import math
from collections.abc import Awaitable, Callable, Mapping

from attrs import field

from orchestrator_py.core.flights import Flights
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define
from orchestrator_py.ports import Clock, FlightBoard

LOOK_SECONDS = 0.25
"""At least so long between two looks; a run that was in flight at two of them is shown."""

LOOP_SHARE, DISK_SHARE = 0.02, 0.1
"""Of its time the event loop spends at most so much on looks, the writer on the documents."""


@define(eq=False)
class FlightWatch:
    """`due_at` is when to look next, in seconds of the clock; infinite while no embedded run is in flight. Without a board, for ever."""

    _runs: Mapping[RunId, RunRecord]
    _board: FlightBoard | None
    _clock: Clock
    _flights: Flights
    due_at: float = field(default=math.inf, init=False)

    @classmethod
    def over(cls, task_id: TaskId, runs: Mapping[RunId, RunRecord], board: FlightBoard | None, clock: Clock) -> "FlightWatch":
        """Over the runs of one task, which come and go."""
        return cls(runs, board, clock, Flights(task_id))

    def plan(self) -> None:
        """There was news: if an embedded run is in flight, look after a while."""
        if self.due_at == math.inf and self._board is not None and any(run.opening.manifest is None for run in self._runs.values()):
            self.due_at = self._clock.monotonic() + LOOK_SECONDS

    @property
    def is_due(self) -> bool:
        return self.due_at != math.inf and self._clock.monotonic() >= self.due_at

    async def look(self, in_thread: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """Show what has changed since the last look."""
        started = self._clock.monotonic()
        document, board = self._flights.look(self._runs, self._clock.now()), self._board
        looked = self._clock.monotonic()
        if document is not None and board is not None:
            await in_thread(lambda: board.show(document))
        ended = self._clock.monotonic()
        rest = max(LOOK_SECONDS, (looked - started) / LOOP_SHARE, (ended - looked) / DISK_SHARE)
        self.due_at = math.inf if self._flights.is_over else ended + rest

    def close(self) -> None:
        """Nothing is in flight any more."""
        if self._board is not None:
            self._board.close()
