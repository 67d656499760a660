"""Slots of workers, asked for as they are wanted; one that was given is used again while somebody waits, which spares the scheduler."""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial

from orchestrator_py.errors import InputError
from orchestrator_py.executors.link import Arrival, Link
from orchestrator_py.executors.place import NEVER_RAN, Place
from orchestrator_py.executors.wire import Needs
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.model.execution import Loss, LossKind

_log = logging.getLogger("orchestrator_py")
_PATIENCE_SECONDS = 15.0
_LINGER_SECONDS = 0.1
_GOODBYE_SECONDS = 2.0


@frozen
class Refusal:
    """There is no place: it was lost, or there is a reason for it."""

    reason: str | Loss
    worker: str | None = None


Answer = Place | Refusal


@define(eq=False)
class Places:
    """For each who waits there is one request at the engine, so that a cluster that grows by demand sees it."""

    link: Link
    known: dict[str, Place] = field(factory=dict, init=False)
    _idle: dict[Needs, list[Place]] = field(factory=dict, init=False)
    _waiting: "dict[Needs, deque[asyncio.Future[Answer]]]" = field(factory=dict, init=False)
    _requested: dict[Needs, list[Place]] = field(factory=dict, init=False)
    _errands: "set[asyncio.Task[None]]" = field(factory=set, init=False)

    async def take(self, needs: Needs, name: str) -> Answer:
        """A place on a worker that lives and was looked at, or why there is none."""
        if self.link.lost:
            return _engine_lost()
        idle = self._idle.get(needs, [])
        while idle:
            if (place := idle.pop()).is_alive:
                return place
            self.drop(place)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(needs, deque()).append(answer)
        self._request(needs)
        try:
            return await self._wait(answer, needs, name)
        except BaseException:
            self._give_up(answer, needs)
            raise

    def give_back(self, place: Place) -> None:
        """Work has ended there, and its end was seen."""
        if not place.is_alive:
            self.drop(place)
        elif (waiter := self._next(place.needs)) is not None:
            waiter.set_result(place)
            self._trim(place.needs)
        else:
            self._idle.setdefault(place.needs, []).append(place)
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._expire, place)

    def drop(self, place: Place) -> None:
        """Nothing more is wanted there; the worker is told, unless the engine is lost: then it ends everything by itself."""
        self.known.pop(place.ticket, None)
        place.release()
        if place.arrival is not None and not self.link.lost:
            self._dismiss(place.arrival)

    def arrived(self, arrival: Arrival) -> None:
        """The engine has given us a place."""
        place = self.known.get(arrival["ticket"])
        first = place is not None and place.arrival is None
        if place is None or not place.arrived(arrival):
            self._dismiss(arrival)
        elif first:
            self._run(self._look_at(place))

    async def close(self) -> None:
        """Nothing is wanted any more, and every worker is told, even of places that we do not know of yet."""
        for place in tuple(self.known.values()):
            self.known.pop(place.ticket)
            place.release()
        if not self.link.lost:
            self._run(self._say_goodbye())
        if self._errands:
            _, late = await asyncio.wait(tuple(self._errands), timeout=_GOODBYE_SECONDS)
            for errand in late:
                errand.cancel()

    async def _say_goodbye(self) -> None:
        with suppress(OSError):
            there = [worker.address for worker in await self.link.list_workers() if worker.address in self.link.known]
            await asyncio.gather(*(self._say(worker, "forget", topic=self.link.topic) for worker in there))

    # Waiting ----------------------------------------------------------------------------------------------------------

    async def _wait(self, answer: "asyncio.Future[Answer]", needs: Needs, name: str) -> Answer:
        done, _ = await asyncio.wait({answer}, timeout=_PATIENCE_SECONDS)
        if not done:
            offering = f" and has {', '.join(f'{units:g} {what}' for what, units in needs)}" if needs else ""
            _log.warning("%s waits for a worker that is free%s", name, offering)
            await asyncio.wait({answer})
        return answer.result()

    def _give_up(self, answer: "asyncio.Future[Answer]", needs: Needs) -> None:
        """Whoever waited does so no longer; what he was given in vain is given back."""
        if answer.done() and isinstance(found := answer.result(), Place):
            self.give_back(found)
        answer.cancel()
        with suppress(ValueError):
            self._waiting[needs].remove(answer)
        self._trim(needs)

    def _next(self, needs: Needs) -> "asyncio.Future[Answer] | None":
        waiting = self._waiting.get(needs)
        while waiting:
            if not (waiter := waiting.popleft()).done():
                return waiter
        return None

    # Asking -----------------------------------------------------------------------------------------------------------

    def _request(self, needs: Needs) -> None:
        place = Place(self.link, needs)
        self.known[place.ticket] = place
        self._requested.setdefault(needs, []).append(place)
        place.request()
        place.news.add_done_callback(partial(self._hear, place))

    def _trim(self, needs: Needs) -> None:
        """No more requests than people who wait."""
        requested = self._requested.get(needs, [])
        while len(requested) > len(self._waiting.get(needs, ())):
            self.drop(requested.pop())

    def _hear(self, place: Place, _: object) -> None:
        """News of a place for which we wait, or that nobody uses; those who use one listen themselves."""
        if self._withdraw(place):
            self._run(self._ask_again(place))
        elif place in self._idle.get(place.needs, ()):
            self._expire(place)

    def _withdraw(self, place: Place) -> bool:
        """Whether it was asked for and not yet given to anybody."""
        requested = self._requested.get(place.needs, [])
        if place not in requested:
            return False
        requested.remove(place)
        return True

    async def _ask_again(self, place: Place) -> None:
        """The engine has dropped a request: for a reason that whoever waits is told, or since a worker died where nothing ran."""
        problem = await place.problem()
        self.drop(place)
        if self.link.lost:
            while (waiter := self._next(place.needs)) is not None:
                waiter.set_result(_engine_lost())
        elif problem is not None:
            self._refuse(place, problem)
        elif len(self._requested[place.needs]) < len(self._waiting.get(place.needs, ())):
            self._request(place.needs)

    async def _look_at(self, place: Place) -> None:
        """A worker that we have not seen before is looked at first."""
        try:
            await self.link.inspect(place.worker)
        except InputError as error:
            if self._withdraw(place):
                self._refuse(place, str(error))
                self.drop(place)
        except OSError:
            if self._withdraw(place):
                await self._ask_again(place)
        else:
            if self._withdraw(place):
                self.give_back(place)

    def _refuse(self, place: Place, reason: str) -> None:
        if (waiter := self._next(place.needs)) is not None:
            waiter.set_result(Refusal(reason, None if place.arrival is None else place.label))

    # Letting go -------------------------------------------------------------------------------------------------------

    def _expire(self, place: Place) -> None:
        idle = self._idle.get(place.needs, [])
        if place in idle:
            idle.remove(place)
            self.drop(place)

    def _dismiss(self, arrival: Arrival) -> None:
        self._run(self._say(arrival["worker"], "leave", ticket=arrival["ticket"], seat=arrival["seat"]))

    async def _say(self, worker: str, act: str, **more: object) -> None:
        with suppress(OSError):
            await self.link.ask(worker, act, **more)

    def _run(self, errand: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _engine_lost() -> Refusal:
    return Refusal(Loss(LossKind.ENGINE, f"the connection to the scheduler is lost; {NEVER_RAN}"))
