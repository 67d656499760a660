"""The schedule of a run, and the worker lanes that wait until it lets them start something."""

import asyncio
from collections import deque
from collections.abc import Callable

from orchestrator_py.core.schedule import Schedule, Settled
from orchestrator_py.lean import define, field
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import PlanItem

SUBTASKS_A_TURN = 64
"""After so many the event loop goes round: it is the caller's, and agents that wait for nothing would keep it to themselves."""


@define(eq=False)
class Turns:
    """Gives out subtasks one at a time. Lanes that find none wait, and are served in the order in which they came.

    A lane begins when there is something for it and no other lane waits: subtasks that wait for nothing are all done by the first one.
    `with Turns(…) as turns`: inside, lanes are also woken when another run that shares the slots gives one back.
    """

    _schedule: Schedule
    _waiting: deque[asyncio.Event] = field(factory=deque, init=False)
    _reserve: deque[Callable[[], object]] = field(factory=deque, init=False)
    _look: asyncio.Handle | None = field(default=None, init=False)
    _given: int = field(default=0, init=False)
    _pausing: int = field(default=0, init=False)

    def __enter__(self) -> "Turns":
        self._schedule.slots.watchers.append(self._look_soon)
        return self

    def __exit__(self, *_: object) -> None:
        """A lane that was lost keeps nobody else waiting."""
        self._reserve.clear()
        self._schedule.slots.watchers.remove(self._look_soon)
        self._schedule.give_up()
        self._schedule.slots.tell_watchers()

    def enlist(self, begin: Callable[[], object]) -> None:
        """Another lane that can begin."""
        self._reserve.append(begin)
        self._look_soon()

    async def next(self) -> PlanItem | None:
        """The next subtask that may start; None when nothing will start any more."""
        self._given += 1
        if self._given % SUBTASKS_A_TURN == 0:
            await self._pause()
        while (item := self._schedule.take()) is None:
            if self._schedule.over:
                return None
            turn = asyncio.Event()
            self._waiting.append(turn)
            await turn.wait()
        return item

    def settle(self, report: SubtaskReport) -> Settled:
        """Take note of how a subtask ended, and let those go on whom that allows to."""
        settled = self._schedule.settle(report)
        self._schedule.slots.tell_watchers()
        return settled

    def stop(self, cause: StopCause) -> None:
        """Nothing starts any more. The first cause stays."""
        self._schedule.stop(cause)
        self._wake(len(self._waiting))

    def unstarted(self) -> tuple[SubtaskReport, ...]:
        """The reports of those that the stop kept from starting."""
        return self._schedule.unstarted()

    async def _pause(self) -> None:
        """The lane goes on at once: no other one has to begin for that."""
        self._pausing += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._pausing -= 1
            self._look_soon()

    def _look_soon(self) -> None:
        """When the lane that works now waits for something, or has ended: until then it may take all that can start."""
        if self._look is None and (self._waiting or self._reserve):
            self._look = asyncio.get_running_loop().call_soon(self._look_now)

    def _look_now(self) -> None:
        self._look = None
        if self._schedule.over:
            self._wake(len(self._waiting))
        elif not self._pausing and (self._waiting or self._reserve):
            self._wake(self._schedule.startable)

    def _wake(self, count: int) -> None:
        """So many lanes, those first that wait."""
        for _ in range(min(count, len(self._waiting))):
            self._waiting.popleft().set()
            count -= 1
        for _ in range(min(count, len(self._reserve))):
            self._reserve.popleft()()
