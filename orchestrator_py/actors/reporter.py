"""How a run speaks to the aggregator: whoever cancels the work does not cancel the news of it."""

from collections.abc import Awaitable, Callable
from functools import partial

from orchestrator_py.actors.mailbox import Answer, Ref
from orchestrator_py.actors.outlast import outlast
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.lean import define, maker
from orchestrator_py.model.messages import AttemptEnded, Message, SubtaskEnded
from orchestrator_py.model.summary import AttemptReport, SubtaskReport

_make_ended = maker(SubtaskEnded)


@define(eq=False)
class Reporter:
    """What was cut short is told again, as twice is no news. `on_cancel` is called once it is told: somebody had cancelled meanwhile."""

    ref: Ref[Message]
    run_id: RunId
    clock: RunClock
    on_cancel: Callable[[], object]

    async def tell(self, message: Message) -> None:
        """Returns when the mailbox has it."""
        if not self.ref.try_tell(message):
            await self._outlast(partial(self.ref.tell, message))

    async def ask(self, message: Message) -> object:
        """The answer."""
        answer = Answer()
        if not self.ref.try_tell(message, answer):
            await self._outlast(partial(self.ref.post, message, answer))
        await self._outlast(answer.ready)
        return answer.value()

    def tell_end(self, report: SubtaskReport, instance_id: InstanceId | None = None) -> Awaitable[None]:
        """A subtask is accounted for, by the instance that ran it if it was started here."""
        return self.tell(_make_ended(run_id=self.run_id, report=report, instance_id=instance_id, at=self.clock.now()))

    async def tell_attempt(self, subtask_id: SubtaskId, attempt: AttemptReport) -> None:
        """An attempt has ended, and another one follows."""
        await self.tell(AttemptEnded(run_id=self.run_id, subtask_id=subtask_id, attempt=attempt))

    async def _outlast(self, wait: Callable[[], Awaitable[object]]) -> None:
        if await outlast(wait):
            self.on_cancel()
