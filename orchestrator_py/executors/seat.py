"""On a worker: the place that the engine has given us there, and the work that is done on it once the manager says so.

`hold` is what the engine runs; it keeps a slot of the worker. Everything else comes as messages of the manager, to `answer`.
"""

import asyncio
import pickle
from collections import deque
from datetime import timedelta
from uuid import uuid4

from anyio import CancelScope

from orchestrator_py.executors.outbox import Outbox
from orchestrator_py.executors.wire import LEASE_SECONDS, OPERATION, POLL_SECONDS, UNCLAIMED_SECONDS, Job, Reply
from orchestrator_py.lean import define, field
from orchestrator_py.model.grace import Grace

_seats: "dict[str, Seat]" = {}
_over: deque[str] = deque(maxlen=1000)
"""Topics of managers that have left."""


async def hold(ticket: str, topic: str) -> None:
    """Tells the manager where it is, waits for the work, does it, and returns when the manager has its end, or is gone."""
    from distributed import get_worker

    worker = get_worker()
    worker.handlers.setdefault(OPERATION, answer)
    if topic in _over:
        return
    seat = Seat(id=uuid4().hex, topic=topic)
    _seats[ticket] = seat
    worker.log_event(topic, {"ticket": ticket, "seat": seat.id, "worker": worker.address, "name": str(worker.name)})
    try:
        await seat.serve()
    finally:
        if _seats.get(ticket) is seat:
            del _seats[ticket]


async def answer(
    act: str,
    ticket: str = "",
    seat: str = "",
    work: int = 0,
    job: bytes = b"",
    after: int = 0,
    tickets: tuple[str, ...] = (),
    topic: str = "",
) -> Reply:
    """One message of the manager. `known` False: there is no such seat, or no longer."""
    if act == "beat":
        for known in (_seats[one] for one in tickets if one in _seats):
            known.touch()
        return {"known": True}
    if act == "forget":
        _over.append(topic)
        for known in (one for one in _seats.values() if one.topic == topic):
            known.leave()
        return {"known": True}
    found = _seats.get(ticket)
    if found is None or found.id != seat:
        return {"known": False}
    found.touch()
    if act == "begin":
        found.begin(job, work)
    if act != "leave" and work != found.work:
        return {"known": False}
    match act:
        case "begin":
            return await found.tell(after)
        case "fetch":
            return await found.tell(after)
        case "stop":
            found.stop()
        case "hurry":
            found.grace.hurry()
        case "leave":
            found.leave()
    return {"known": True}


@define(eq=False, kw_only=True)
class Seat:
    """One slot of the worker, for one piece of work after the other; `work` counts them. `_end` is the pickled result of the last one."""

    id: str
    topic: str
    work: int = field(default=0, init=False)
    grace: Grace = field(factory=lambda: Grace(timedelta(seconds=10)), init=False)
    _job: Job | None = field(default=None, init=False)
    _begun: asyncio.Event = field(factory=asyncio.Event, init=False)
    _closing: bool = field(default=False, init=False)
    _told: asyncio.Event = field(factory=asyncio.Event, init=False)
    _left: asyncio.Event = field(factory=asyncio.Event, init=False)
    _outbox: Outbox = field(factory=Outbox, init=False)
    _scope: CancelScope = field(factory=CancelScope, init=False)
    _end: bytes | None = field(default=None, init=False)
    _touched: float = field(factory=lambda: asyncio.get_running_loop().time(), init=False)

    def touch(self) -> None:
        """The manager is there."""
        self._touched = asyncio.get_running_loop().time()

    def begin(self, job: bytes, number: int) -> None:
        """The permission and the work; a second time it is no news. The end of the work before was told."""
        if number <= self.work or self._closing:
            return
        self.work, self._end, self._outbox, self._scope = number, None, Outbox(), CancelScope()
        self._told.clear()
        self._job, self.grace = pickle.loads(job)
        self._begun.set()

    def stop(self) -> None:
        """End the work: as a cancellation, which the work answers by its result."""
        self._scope.cancel()

    def leave(self) -> None:
        """Nobody wants anything from here any more."""
        self._scope.cancel()
        self._outbox.discard()
        for event in (self._left, self._begun, self._told):
            event.set()

    async def tell(self, after: int) -> Reply:
        """What was said since, and the end once everything was told."""
        events, last = await self._outbox.fetch(after, POLL_SECONDS)
        reply = {"known": True, "events": pickle.dumps(events), "count": len(events)}
        if last and self._end is not None:
            self._told.set()
            return {**reply, "end": self._end}
        return reply

    async def serve(self) -> None:
        """Until the manager has left, or has not been heard of for the lease; or until this worker is closed, and the end was told."""
        watch = asyncio.get_running_loop().create_task(self._watch())
        try:
            while not self._left.is_set() and not self._closing:
                await self._begun.wait()
                self._begun.clear()
                if self._job is not None and not self._left.is_set():
                    await self._work(self._job)
            if self._closing:
                await self._told.wait()
        finally:
            watch.cancel()

    async def _work(self, job: Job) -> None:
        """In a task of its own: a cancellation that is meant for the work must never reach the engine, for which the slot would stay taken.

        One that reaches us is that of a worker that is being closed.
        """
        work = asyncio.get_running_loop().create_task(self._do(job))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            self._closing = True
            self._scope.cancel()
            await asyncio.wait({work})

    async def _do(self, job: Job) -> None:
        try:
            with self._scope:
                self._end = await _result(job, self._outbox, self.grace)
        finally:
            self._end = self._end or pickle.dumps(None)  # stopped before it began
            self._outbox.close()

    async def _watch(self) -> None:
        await asyncio.sleep(UNCLAIMED_SECONDS)
        while self.work and (left := LEASE_SECONDS - asyncio.get_running_loop().time() + self._touched) > 0:  # noqa: ASYNC110 - time itself is the event
            await asyncio.sleep(left)
        self.leave()


async def _result(job: Job, outbox: Outbox, grace: Grace) -> bytes:
    """The pickled result, or the pickled exception that says why there is none."""
    from distributed.protocol.pickle import dumps

    try:
        result: bytes = dumps(await job.run(outbox, grace))
    except Exception as error:  # whatever it is, the manager is told
        result = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return result
