"""Shows embedded runs that last, in its own time: whoever is quick is never looked at."""

import math
from collections.abc import Awaitable, Callable, Mapping

from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define, field
from orchestrator_py.ports import Clock, FlightBoard

TYPE_CHECKING = False  # only who runs something embedded waits for the import
if TYPE_CHECKING:
    from orchestrator_py.core.flights import Flights

LOOK_SECONDS = 0.25
"""At least so long between two looks; a run that was in flight at two of them is shown."""

LOOP_SHARE, DISK_SHARE = 0.02, 0.1
"""Of its time the event loop spends at most so much on looks, the writer on the documents."""


@define(eq=False)
class FlightWatch:
    """Over the runs of one task, which come and go. Without a board nothing is ever shown.

    `due_at` is when to look next, in seconds of the clock; infinite while no embedded run is in flight.
    """

    _task_id: TaskId
    _runs: Mapping[RunId, RunRecord]
    _open_board: Callable[[], FlightBoard] | None
    _clock: Clock
    due_at: float = field(default=math.inf, init=False)
    _flights: "Flights | None" = field(default=None, init=False)
    _board: FlightBoard | None = field(default=None, init=False)

    def plan(self) -> None:
        """There was news: if an embedded run is in flight, look after a while."""
        if self.due_at == math.inf and self._open_board is not None and any(run.opening.manifest is None for run in self._runs.values()):
            self.due_at = self._clock.monotonic() + LOOK_SECONDS

    @property
    def is_due(self) -> bool:
        return self.due_at != math.inf and self._clock.monotonic() >= self.due_at

    async def look(self, in_thread: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """Show what has changed since the last look."""
        flights, board = self._open()
        started = self._clock.monotonic()
        document = flights.look(self._runs, self._clock.now())
        looked = self._clock.monotonic()
        if document is not None and board is not None:
            await in_thread(lambda: board.show(document))
        ended = self._clock.monotonic()
        rest = max(LOOK_SECONDS, (looked - started) / LOOP_SHARE, (ended - looked) / DISK_SHARE)
        self.due_at = math.inf if flights.is_over else ended + rest

    def close(self) -> None:
        """Nothing is in flight any more."""
        if self._board is not None:
            self._board.close()

    def _open(self) -> "tuple[Flights, FlightBoard | None]":
        """When they are first needed."""
        if self._flights is None:
            from orchestrator_py.core.flights import Flights

            self._flights = Flights(self._task_id)
            self._board = None if self._open_board is None else self._open_board()
        return self._flights, self._board
