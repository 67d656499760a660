"""Mail for an actor: `tell` waits while the box is full, `ask` waits for the answer, and the last handle to close ends the actor.

A message is a plain value; its return address sits in the envelope. Asks go one way along the flow, so nobody waits in a circle.
"""

import math
from collections.abc import Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar
from weakref import WeakSet

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, field

from orchestrator_py.errors import DefectError, OrchestratorError

M = TypeVar("M")

CAPACITY = 256
"""Mail that may wait before senders do. It is back-pressure, not speed: a slow disk slows the subtasks, and memory stays flat."""


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

    async def ready(self) -> None:
        """Wait until it is set."""
        await self._ready.wait()

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
class _Line:
    """What both ends know: that there is news for the reader, who waits for an answer, and the error that the actor ended with."""

    news: anyio.Event = field(factory=anyio.Event)
    asking: "WeakSet[Answer]" = field(factory=WeakSet)
    error: OrchestratorError | None = None

    def create_failure(self) -> OrchestratorError:
        """Why nobody reads any more; a new error each time, as each place that raises it has its own traceback."""
        if self.error is None:
            return DefectError("The aggregator of this task has ended; open the manager again.")
        return type(self.error)(str(self.error))


@define(eq=False)
class Ref(Generic[M]):
    """A handle to an actor. Each producer holds its own (`clone`) and closes it."""

    _stream: MemoryObjectSendStream[Envelope[M]]
    _line: _Line

    async def tell(self, message: M) -> None:
        """Deliver a message; waits while the box is full. Raises what the actor ended with if nobody reads any more."""
        await self._send(Envelope(message))

    async def ask(self, message: M) -> object:
        """Deliver a message and wait for the answer; raises what the actor answers with, or what it ended with."""
        answer = Answer()
        await self.post(message, answer)
        return await answer.wait()

    async def post(self, message: M, answer: Answer) -> None:
        """Deliver a message and say where its answer goes; the asker may wait for it, and wait again."""
        self._line.asking.add(answer)
        await self._send(Envelope(message, answer))

    def clone(self) -> "Ref[M]":
        """Another handle to the same actor."""
        try:
            return Ref(self._stream.clone(), self._line)
        except anyio.ClosedResourceError:
            raise self._line.create_failure() from self._line.error

    @property
    def failure(self) -> OrchestratorError | None:
        """The error that the actor ended with, if it was one."""
        return self._line.error

    def close(self) -> None:
        """Let go. When the last handle goes, the actor finishes its mail and ends."""
        self._stream.close()
        if self._stream.statistics().open_send_streams == 0:
            self._line.news.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def _send(self, envelope: Envelope[M]) -> None:
        try:
            try:
                self._stream.send_nowait(envelope)  # nearly always: no trip through the event loop
            except anyio.WouldBlock:
                await self._stream.send(envelope)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise self._line.create_failure() from self._line.error
        self._line.news.set()


@define(eq=False)
class Mailbox(Generic[M]):
    """The actor's end: everything that waits, a batch at a time."""

    _stream: MemoryObjectReceiveStream[Envelope[M]]
    _line: _Line

    async def receive(self, timeout: float = math.inf) -> list[Envelope[M]] | None:
        """All mail that waits; empty after `timeout` seconds without any; None when there is none and no handle is left.

        Waits for the news, then takes the mail without waiting: a cancellation at any moment loses nothing.
        """
        mail = self._take()
        if mail or mail is None:
            return mail
        self._line.news = anyio.Event()
        with anyio.move_on_after(timeout):
            await self._line.news.wait()
        return self._take()

    def fail(self, error: OrchestratorError, answers: Sequence[tuple[Envelope[M], Exception]] = ()) -> None:
        """End with an error: everybody who waits for an answer, and everybody who writes from now on, is told.

        `answers` are what single senders are told instead.
        """
        self._line.error = error
        for envelope, answer in answers:
            envelope.reply(answer)
        self.close()

    def close(self) -> None:
        """End; whoever still waits for an answer is told that there will be none."""
        self._stream.close()
        for answer in tuple(self._line.asking):
            answer.set(self._line.create_failure())

    @property
    def is_empty(self) -> bool:
        """Whether no mail waits."""
        return self._stream.statistics().current_buffer_used == 0

    def _take(self) -> list[Envelope[M]] | None:
        envelopes: list[Envelope[M]] = []
        try:
            while True:
                envelopes.append(self._stream.receive_nowait())
        except anyio.WouldBlock:
            return envelopes
        except anyio.EndOfStream:
            return envelopes or None


def open_mailbox(capacity: int = CAPACITY) -> tuple["Ref[M]", "Mailbox[M]"]:
    """A first handle and the box that it writes to."""
    send, receive = anyio.create_memory_object_stream[Envelope[M]](capacity)
    line = _Line()
    return Ref(send, line), Mailbox(receive, line)
