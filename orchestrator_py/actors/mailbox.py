"""Mail for an actor: `tell` waits while the box is full, `ask` waits for the answer, and the last handle to close ends the actor.

A message is a plain value; its return address sits in the envelope. Asks go one way along the flow, so nobody waits in a circle.
"""

import math
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, field

from orchestrator_py.errors import OrchestratorError, StoreError

M = TypeVar("M")

CAPACITY = 256
"""Mail that may wait before senders do. It is back-pressure, not speed: a slow disk slows the subtasks, and memory stays flat."""


class ActorStoppedError(OrchestratorError):
    """The actor has ended and will not answer; the reason, if it failed, is the cause of this error."""


@define(eq=False)
class Answer:
    """What an asker waits for: set once, to a value or to an error that is raised there."""

    _ready: anyio.Event = field(factory=anyio.Event)
    _value: object = None

    def set(self, value: object) -> None:
        """The first answer stays."""
        if not self._ready.is_set():
            self._value = value
            self._ready.set()

    async def wait(self) -> object:
        """The value; raises it if it is an exception."""
        await self._ready.wait()
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


@define(eq=False)
class Envelope(Generic[M]):
    """A message and, if the sender waits, where its answer goes."""

    message: M
    answer: Answer | None = None

    def reply(self, value: object) -> None:
        """Answer the sender, if it waits."""
        if self.answer is not None:
            self.answer.set(value)


@define(eq=False)
class Fate:
    """Why an actor ended; None while it lives or when it ended by itself."""

    error: Exception | None = None


@define(eq=False)
class Ref(Generic[M]):
    """A handle to an actor. Each producer holds its own (`clone`) and closes it."""

    _stream: MemoryObjectSendStream[Envelope[M]]
    _fate: Fate

    async def tell(self, message: M) -> None:
        """Deliver a message; waits while the box is full. ActorStoppedError if nobody reads any more."""
        await self._send(Envelope(message))

    async def ask(self, message: M) -> object:
        """Deliver a message and wait for the answer; raises what the actor answers with, or why it died."""
        answer = Answer()
        await self._send(Envelope(message, answer))
        return await answer.wait()

    def clone(self) -> "Ref[M]":
        """Another handle to the same actor."""
        try:
            return Ref(self._stream.clone(), self._fate)
        except anyio.ClosedResourceError:
            raise self._stopped() from self._fate.error

    def raise_fate(self) -> None:
        """StoreError or another error if that is how the actor ended."""
        if self._fate.error is not None:
            raise self._stopped() from self._fate.error

    def close(self) -> None:
        """Let go. When the last handle goes, the actor finishes its mail and ends."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def _send(self, envelope: Envelope[M]) -> None:
        try:
            self._stream.send_nowait(envelope)  # nearly always: no trip through the event loop
        except anyio.WouldBlock:
            await self._send_when_there_is_room(envelope)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise self._stopped() from self._fate.error

    async def _send_when_there_is_room(self, envelope: Envelope[M]) -> None:
        try:
            await self._stream.send(envelope)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise self._stopped() from self._fate.error

    def _stopped(self) -> OrchestratorError:
        if isinstance(self._fate.error, StoreError):
            return StoreError(str(self._fate.error))  # a new one: each place that raises it has its own traceback
        return ActorStoppedError("The aggregator of this task has ended; open the manager again.")


@define(eq=False)
class Mailbox(Generic[M]):
    """The actor's end: everything that waits, a batch at a time."""

    _stream: MemoryObjectReceiveStream[Envelope[M]]
    _fate: Fate

    async def receive(self, timeout: float = math.inf) -> list[Envelope[M]] | None:
        """All mail that waits, at least one envelope; empty after `timeout` seconds without any; None when no handle is left."""
        first: Envelope[M] | None = None
        with anyio.move_on_after(timeout):
            try:
                first = await self._stream.receive()
            except anyio.EndOfStream:
                return None
        return [] if first is None else [first, *self._waiting()]

    def fail(self, error: Exception) -> None:
        """End with an error: everybody who waits, and everybody who writes from now on, is told."""
        self._fate.error = error
        waiting = self._waiting()
        self._stream.close()
        for envelope in waiting:
            envelope.reply(error)

    def close(self) -> None:
        """End."""
        self._stream.close()

    @property
    def is_empty(self) -> bool:
        """Whether no mail waits."""
        return self._stream.statistics().current_buffer_used == 0

    def _waiting(self) -> list[Envelope[M]]:
        envelopes: list[Envelope[M]] = []
        try:
            while True:
                envelopes.append(self._stream.receive_nowait())
        except (anyio.WouldBlock, anyio.EndOfStream):
            return envelopes


def open_mailbox(capacity: int = CAPACITY) -> tuple["Ref[M]", "Mailbox[M]"]:
    """A first handle and the box that it writes to."""
    send, receive = anyio.create_memory_object_stream[Envelope[M]](capacity)
    fate = Fate()
    return Ref(send, fate), Mailbox(receive, fate)
