"""The manager's side of one piece of work on a worker: a place is taken, the work begins there once, its end is fetched.

The truth of it: before the permission is given nothing can have run, and the engine may move its place-holder as it likes; afterwards the
work may have run, and is never given to anybody else.
"""

import asyncio
import pickle
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from anyio import CancelScope, current_time, get_cancelled_exc_class, move_on_after

from orchestrator_py.executors.place import Place
from orchestrator_py.executors.places import Places, Refusal
from orchestrator_py.executors.wire import Job, Needs, Reply
from orchestrator_py.lean import define, evolve, field, frozen
from orchestrator_py.model.execution import Loss
from orchestrator_py.model.grace import Grace

_RETRY_SECONDS = 0.1
_STOP_SECONDS = 5.0
_AFTER_KILL_SECONDS = 15.0
_PROBE_SECONDS = 0.05

Say = Callable[[Sequence[Mapping[str, object]]], Awaitable[object]]
"""Takes what the work says, in order; when it waits, the work waits too."""


@frozen(kw_only=True)
class Ended:
    """How it went. `value` is what the work returned, unless there is a `loss` or a `refusal` (it did not begin, for this reason).

    `leaked`: we have stopped it, and do not know whether it has ended.
    """

    worker: str | None = None
    value: object = None
    loss: Loss | None = None
    refusal: str | None = None
    stopped: bool = False
    leaked: bool = False


@frozen(kw_only=True)
class Order:
    """One attempt. `name` is what people are told who waits for a place. `placed` is told where it works before it begins, and None when
    it has ended.
    """

    name: str
    job: Job
    grace: Grace
    needs: Needs
    say: Say
    placed: Callable[[str | None], Awaitable[object]]


async def run_order(order: Order, places: Places) -> Ended:
    """Until it has ended or is lost. Cancelled before it began, the cancellation goes through; afterwards the work is ended first."""
    found = await places.take(order.needs, order.name)
    if isinstance(found, Refusal):
        if isinstance(found.reason, Loss):
            return Ended(worker=found.worker, loss=found.reason)
        return Ended(worker=found.worker, refusal=found.reason)
    ended = None
    try:
        await order.placed(found.label)
        ended = await _Talk(order, found).run()
    finally:
        if ended is None or ended.loss is not None or ended.leaked:
            places.drop(found)
        else:
            places.give_back(found)
    with CancelScope(shield=True):
        await order.placed(None)
    return ended


@define(eq=False)
class _Talk:
    """What is said about one piece of work on a place."""

    order: Order
    place: Place
    _number: int = field(init=False)
    _stopped: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.place.works += 1
        self._number = self.place.works

    async def run(self) -> Ended:
        """Cancelled, the work is ended; what the log raises ends it too."""
        talk = asyncio.ensure_future(self._fetch_all())
        try:
            await asyncio.wait({talk})
        except get_cancelled_exc_class():
            self._stopped = True
            with CancelScope(shield=True):
                await self._stop(talk)
        if talk.cancelled() or not talk.done():
            return Ended(worker=self.place.label, stopped=True, leaked=True)
        if (error := talk.exception()) is not None:
            with CancelScope(shield=True):
                await self._send("hurry")
                await self._send("stop")
            raise error
        return evolve(talk.result(), stopped=True) if self._stopped else talk.result()

    async def _fetch_all(self) -> Ended:
        """Never cancelled but by the deadline of a stop."""
        from distributed.protocol.pickle import dumps

        reply = await self._ask_or_loss("begin", job=dumps((self.order.job, Grace(self.order.grace.period))))
        after = 0
        while not isinstance(reply, Loss):
            if not reply["known"]:
                return Ended(worker=self.place.label, loss=self.place.worker_lost("has forgotten it"))
            events = pickle.loads(_bytes(reply["events"]))
            if events:
                await self.order.say(events)
            after += len(events)
            if "end" in reply:
                return Ended(worker=self.place.label, value=pickle.loads(_bytes(reply["end"])))
            reply = await self._ask_or_loss("fetch", after=after)
        return Ended(worker=self.place.label, loss=reply)

    async def _ask_or_loss(self, act: str, **more: object) -> Reply | Loss:
        """The worker's answer, unless the engine says first that there will be none."""
        question = asyncio.ensure_future(self._ask_again_and_again(act, **more))
        question.add_done_callback(_look_at)
        either: set[asyncio.Future[Any]] = {question, self.place.news}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not question.done() and (loss := self.place.loss()) is not None:
                return loss
            return await question  # the last answer may be on its way when the engine says that all is done
        finally:
            question.cancel()

    async def _ask_again_and_again(self, act: str, **more: object) -> Reply | Loss:
        """What is lost on the way is asked for again, as long as the engine knows the worker."""
        while True:
            try:
                return await self.place.ask(act, work=self._number, **more)
            except OSError:
                if await self.place.is_gone():
                    return self.place.worker_lost("was lost")
            await asyncio.sleep(_RETRY_SECONDS)

    # Ending it ------------------------------------------------------------------------------------------------------

    async def _stop(self, talk: "asyncio.Task[Ended]") -> None:
        """The worker ends it as it would be ended here; what has not come back when that must be over is a leak."""
        grace = self.order.grace
        hurried, deadline = False, current_time() + grace.period.total_seconds() + _AFTER_KILL_SECONDS
        await self._send("stop")
        while not talk.done() and current_time() < deadline:
            if grace.hurried and not hurried:
                hurried, deadline = True, current_time() + _AFTER_KILL_SECONDS
                await self._send("hurry")
            await asyncio.wait({talk}, timeout=_PROBE_SECONDS)
        if not talk.done():
            talk.cancel()
            await asyncio.wait({talk})

    async def _send(self, act: str) -> None:
        """Tried as long as it makes sense; whether it helped, the end will tell."""
        with move_on_after(_STOP_SECONDS):
            while self.place.is_alive:
                with suppress(OSError):
                    await self.place.ask(act, work=self._number)
                    return
                await asyncio.sleep(_RETRY_SECONDS)


def _look_at(question: "asyncio.Future[Reply | Loss]") -> None:
    """A question that nobody waits for any more may end as it likes."""
    if not question.cancelled():
        question.exception()


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value
