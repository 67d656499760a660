"""The schedule of a run, and the worker lanes that wait until it lets them start something."""

import asyncio
from collections import deque

from orchestrator_py.core.schedule import Schedule, Settled
from orchestrator_py.lean import define, field
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import PlanItem


@define(eq=False)
class Turns:
    """Gives out subtasks one at a time. Lanes that find none wait, and are served in the order in which they came.

    `with Turns(…) as turns`: inside, they are also woken when another run that shares the slots gives one back.
    """

    _schedule: Schedule
    _waiting: deque[asyncio.Event] = field(factory=deque, init=False)

    def __enter__(self) -> "Turns":
        self._schedule.slots.watchers.append(self._wake)
        return self

    def __exit__(self, *_: object) -> None:
        """A lane that was lost keeps nobody else waiting."""
        self._schedule.slots.watchers.remove(self._wake)
        self._schedule.give_up()
        self._schedule.slots.tell_watchers()

    async def next(self) -> PlanItem | None:
        """The next subtask that may start; None when nothing will start any more."""
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
        self._wake()

    def unstarted(self) -> tuple[SubtaskReport, ...]:
        """The reports of those that the stop kept from starting."""
        return self._schedule.unstarted()

    def _wake(self) -> None:
        """As many lanes as can start something; all of them once nothing will start any more."""
        count = len(self._waiting) if self._schedule.over else min(len(self._waiting), self._schedule.startable)
        for _ in range(count):
            self._waiting.popleft().set()
