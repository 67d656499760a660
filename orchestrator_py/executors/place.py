"""A slot of a worker that the engine has been asked for, has given, and may lose; one piece of work after the other is done on it."""

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orchestrator_py.executors.link import Arrival, Link, Worker
from orchestrator_py.executors.seat import hold
from orchestrator_py.executors.wire import Needs, Reply
from orchestrator_py.lean import define, field
from orchestrator_py.model.execution import Loss, LossKind

if TYPE_CHECKING:
    from distributed import Future

NEVER_RAN = "it did not run"
PERHAPS_RAN = "it may or may not have run"


@define(eq=False)
class Place:
    """The engine knows it as a task with a key of its own. `news` is done when the engine says anything but that it is going on."""

    link: Link
    needs: Needs
    ticket: str = field(factory=lambda: uuid4().hex, init=False)
    news: "asyncio.Future[None]" = field(factory=lambda: asyncio.get_running_loop().create_future(), init=False)
    arrival: Arrival | None = field(default=None, init=False)
    works: int = field(default=0, init=False)
    _future: "Future[Any] | None" = field(default=None, init=False)
    _watching: "asyncio.Task[None] | None" = field(default=None, init=False)
    _moved: bool = field(default=False, init=False)

    def request(self) -> None:
        """Ask the engine for it: a place-holder that holds no work, never to be run again."""
        key, resources = f"orchestrator-py-{self.ticket}", dict(self.needs) or None
        self._future = self.link.client.submit(hold, self.ticket, self.link.topic, key=key, pure=False, retries=0, resources=resources)
        self._watching = asyncio.ensure_future(self._watch(self._future))
        self._watching.add_done_callback(lambda _: self._tell())

    def release(self) -> None:
        """The engine may forget it."""
        if self._watching is not None:
            self._watching.cancel()
        if self._future is not None and not self.link.lost:
            self._future.release()
        self._future = None

    # What the engine says ---------------------------------------------------------------------------------------------

    def arrived(self, arrival: Arrival) -> bool:
        """Whether this is where it is. Another place means that the engine has given up the first one."""
        if self.arrival is None:
            self.arrival = arrival
        elif arrival["seat"] != self.arrival["seat"]:
            self._move()
            return False
        return True

    def workers_are(self, addresses: frozenset[str]) -> None:
        """The workers that the engine has now: one that has left takes its places along."""
        if self.arrival is not None and self.arrival["worker"] not in addresses:
            self._move()

    @property
    def is_alive(self) -> bool:
        """Nothing else is known."""
        return not self.news.done() and not self.link.lost

    def loss(self) -> Loss | None:
        """What the news means for work that has begun here; None if the engine says that all is done."""
        future = self._future
        if self.link.lost or (future is not None and future.status == "cancelled"):
            detail = f"the connection to the scheduler was lost; {PERHAPS_RAN}, and may still run on worker {self.label}"
            return Loss(LossKind.ENGINE, detail)
        if self._moved:
            return self.worker_lost("was closed")
        return None if future is not None and future.status == "finished" else self.worker_lost("was lost")

    def worker_lost(self, what: str) -> Loss:
        """The loss of work that has begun here."""
        return Loss(LossKind.WORKER, f"worker {self.label} {what}; {PERHAPS_RAN}")

    async def problem(self) -> str | None:
        """Why the engine will not give it; a worker that died is no reason, as nothing has run there."""
        from distributed import KilledWorker

        if self.link.lost or self._future is None or self._future.status != "error":
            return None
        error = await self._future.exception()
        return None if isinstance(error, KilledWorker) else f"the engine did not run it ({type(error).__name__}: {error})"

    async def is_gone(self) -> bool:
        """Whether the engine knows the worker no longer. A connection may be lost while the worker lives."""
        if self.link.lost or self.arrival is None:
            return False
        try:
            return all(worker.address != self.arrival["worker"] for worker in await self.link.list_workers())
        except OSError:
            return False

    # What we say ------------------------------------------------------------------------------------------------------

    @property
    def worker(self) -> Worker:
        """Where it is."""
        assert self.arrival is not None
        return Worker(address=self.arrival["worker"], name=self.arrival["name"], slots=1, resources={})

    @property
    def label(self) -> str:
        """What people call the worker."""
        return "?" if self.arrival is None else self.worker.label

    async def ask(self, act: str, **more: object) -> Reply:
        """One message to the worker. OSError if it cannot be reached."""
        assert self.arrival is not None
        return await self.link.ask(self.arrival["worker"], act, ticket=self.ticket, seat=self.arrival["seat"], **more)

    async def _watch(self, future: "Future[Any]") -> None:
        """Until the engine has an end of its own for it: a result, an error, or that it has given it up."""
        await future.exception()

    def _move(self) -> None:
        self._moved = True
        self._tell()

    def _tell(self) -> None:
        if not self.news.done():
            self.news.set_result(None)
