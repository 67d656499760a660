"""Mail for an actor: `tell` waits while the box is full, `ask` waits for the answer, and the last handle to close ends the actor.

A message is a plain value; its return address sits in the envelope. Asks go one way along the flow, so nobody waits in a circle.
"""

import asyncio
import math
from collections import deque
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from orchestrator_py.errors import DefectError, OrchestratorError
from orchestrator_py.lean import define, field

M = TypeVar("M")

CAPACITY = 1024
"""Mail that may wait before senders do. It is back-pressure, not speed: a slow disk slows the subtasks, and memory stays flat."""


@define(eq=False)
class Answer:
    """What an asker waits for: set once, to a value or to an error that is raised there."""

    _ready: asyncio.Event = field(factory=asyncio.Event)
    _value: object = None

    def set(self, value: object) -> None:
        """The first answer stays."""
        if not self._ready.is_set():
            self._value = value
            self._ready.set()

    def ready(self) -> Coroutine[Any, Any, object]:
        """Waits until it is set."""
        return self._ready.wait()

    def value(self) -> object:
        """What it is set to; raises it if it is an exception."""
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


Envelope = tuple[M, Answer | None]
"""A message and, if the sender waits, where its answer goes. There are two to each subtask: nothing is made faster than a pair."""


@define(eq=False)
class _Line(Generic[M]):
    """What both ends share: the mail, the events that tell of news and of room, and how the actor ended.

    A deque in one event loop needs no lock, and costs a twentieth of a stream that hands over item by item.
    """

    capacity: int
    mail: deque[Envelope[M]] = field(factory=deque)
    handles: int = 0
    news: asyncio.Event = field(factory=asyncio.Event)
    room: asyncio.Event = field(factory=asyncio.Event)
    asked: Sequence[Answer] = ()  # in the last batch: each is set, or somebody still waits for it
    is_closed: bool = False
    error: OrchestratorError | None = None

    def create_failure(self) -> OrchestratorError:
        """Why nobody reads any more; a new error each time, as each place that raises it has its own traceback."""
        if self.error is None:
            return DefectError("The aggregator of this task has ended; open the manager again.")
        return type(self.error)(str(self.error))


@define(eq=False)
class Ref(Generic[M]):
    """A handle to an actor. Each producer holds its own (`clone`) and closes it."""

    _line: _Line[M]
    _is_open: bool = True

    def __attrs_post_init__(self) -> None:
        self._line.handles += 1

    async def tell(self, message: M) -> None:
        """Deliver a message; waits while the box is full. Raises what the actor ended with if nobody reads any more."""
        await self._send((message, None))

    def try_tell(self, message: M, answer: Answer | None = None) -> bool:
        """Deliver a message if there is room: no trip through the event loop, and nothing that a cancellation could cut short.

        `answer` is where the answer goes, if there has to be one.
        """
        self._refuse_end()
        line, waiting = self._line, len(self._line.mail)
        if waiting >= line.capacity:
            return False
        line.mail.append((message, answer))
        if not waiting:  # else the first that waits has told the reader
            line.news.set()
        return True

    def push(self, message: M) -> None:
        """Deliver a message whether there is room or not: for the rare one that must go before all that follows."""
        self._refuse_end()
        self._line.mail.append((message, None))
        self._line.news.set()

    async def ask(self, message: M) -> object:
        """Deliver a message and wait for the answer; raises what the actor answers with, or what it ended with."""
        answer = Answer()
        await self.post(message, answer)
        await answer.ready()
        return answer.value()

    async def post(self, message: M, answer: Answer) -> None:
        """Deliver a message and say where its answer goes; the asker may wait for it, and wait again."""
        await self._send((message, answer))

    def clone(self) -> "Ref[M]":
        """Another handle to the same actor."""
        if not self._is_open:
            raise self._line.create_failure() from self._line.error
        return Ref(self._line)

    @property
    def failure(self) -> OrchestratorError | None:
        """The error that the actor ended with, if it was one."""
        return self._line.error

    def close(self) -> None:
        """Let go. When the last handle goes, the actor finishes its mail and ends. A second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._line.handles -= 1
            if self._line.handles == 0:
                self._line.news.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def _send(self, envelope: Envelope[M]) -> None:
        line = self._line
        self._refuse_end()
        while len(line.mail) >= line.capacity:
            await line.room.wait()
            self._refuse_end()
        line.mail.append(envelope)
        line.news.set()

    def _refuse_end(self) -> None:
        if self._line.is_closed or not self._is_open:
            raise self._line.create_failure() from self._line.error


@define(eq=False)
class Mailbox(Generic[M]):
    """The actor's end: everything that waits, a batch at a time."""

    _line: _Line[M]

    async def receive(self, timeout: float = math.inf) -> list[Envelope[M]] | None:
        """All mail that waits; empty after `timeout` seconds without any; None when there is none and no handle is left.

        Waits for the news, then takes the mail without waiting: a cancellation at any moment loses nothing.
        """
        mail = self._take()
        if mail or mail is None:
            return mail
        news = self._line.news = asyncio.Event()
        alarm = None if timeout == math.inf else asyncio.get_running_loop().call_later(timeout, news.set)
        try:
            await news.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        return self._take()

    def fail(self, error: OrchestratorError, instead: Sequence[tuple[Answer, Exception]] = ()) -> None:
        """End with an error: everybody who waits for an answer, and everybody who writes from now on, is told.

        `instead` is what single senders are told.
        """
        self._line.error = error
        for answer, told in instead:
            answer.set(told)
        self.close()

    def close(self) -> None:
        """End; whoever still waits for an answer, or for room, is told that there will be none."""
        self._line.is_closed = True
        self._line.room.set()
        for answer in (*self._line.asked, *[answer for _, answer in self._line.mail if answer is not None]):
            answer.set(self._line.create_failure())

    @property
    def is_empty(self) -> bool:
        """Whether no mail waits."""
        return not self._line.mail

    def _take(self) -> list[Envelope[M]] | None:
        line = self._line
        if not line.mail:
            return [] if line.handles else None
        mail = list(line.mail)
        line.asked = [answer for _, answer in mail if answer is not None]
        line.mail.clear()
        line.room.set()
        line.room = asyncio.Event()
        return mail


def open_mailbox(capacity: int = CAPACITY) -> tuple["Ref[M]", "Mailbox[M]"]:
    """A first handle and the box that it writes to."""
    line: _Line[M] = _Line(capacity)
    return Ref(line), Mailbox(line)
