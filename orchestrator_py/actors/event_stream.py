"""Events for readers and callbacks: publishing never waits, and a slow or broken reader harms nobody but itself."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Self
from weakref import WeakSet

import anyio

from orchestrator_py.actors.outlast import ENDS_THE_PROGRAM, leave_loop_with
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field
from orchestrator_py.model.events import Event

_log = logging.getLogger("orchestrator_py")

WAITING_EVENTS = 10_000
"""Events kept for a reader that is behind; beyond that the oldest go, and it sees the gap in `seq`."""


@define(eq=False)
class EventStream:
    """An async iterator of events, from its creation until the manager closes or `close` is called. Several tasks may share it."""

    _waiting: deque[Event] = field(factory=lambda: deque(maxlen=WAITING_EVENTS), init=False)
    _news: anyio.Event = field(factory=anyio.Event, init=False)
    _closed: bool = field(default=False, init=False)

    def publish(self, event: Event) -> None:
        """Keep the event for the reader."""
        if not self._closed:
            self._waiting.append(event)
            self._news.set()

    def close(self) -> None:
        """No more events; those that wait can still be read."""
        self._closed = True
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            if self._news.is_set():
                self._news = anyio.Event()
            await self._news.wait()
        return self._waiting.popleft()


@define(eq=False)
class Switchboard:
    """Passes each event to every subscriber and every stream; a subscriber that raises is logged and stays subscribed."""

    _subscribers: dict[object, Callable[[Event], object]] = field(factory=dict, init=False)
    _streams: "WeakSet[EventStream]" = field(factory=WeakSet, init=False)  # a reader that walks away takes its stream along
    _closed: bool = field(default=False, init=False)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._subscribers or self._streams)

    def subscribe(self, subscriber: Callable[[Event], object]) -> Callable[[], None]:
        """Call the subscriber with every event from now on; the answer ends that."""
        ticket = object()
        self._subscribers[ticket] = subscriber

        def unsubscribe() -> None:
            self._subscribers.pop(ticket, None)

        return unsubscribe

    def follow(self) -> EventStream:
        """A stream of all events from now on."""
        stream = EventStream()
        if self._closed:
            stream.close()
        else:
            self._streams.add(stream)
        return stream

    def publish(self, event: Event) -> None:
        """Tell all."""
        if self._streams:
            for stream in tuple(self._streams):
                stream.publish(event)
        for subscriber in tuple(self._subscribers.values()):
            try:
                subscriber(event)
            except ENDS_THE_PROGRAM as error:
                leave_loop_with(error)
            except BaseException:  # a subscriber that raises cannot change a verdict
                _log.exception("an event subscriber raised; the run is not touched by it")

    def open(self) -> None:
        """There may be events again; streams that have ended stay so."""
        self._closed = False

    def close(self) -> None:
        """The streams end."""
        self._closed = True
        for stream in tuple(self._streams):
            stream.close()
        self._streams.clear()


@define(eq=False)
class EventRouter:
    """Sends each run's events to whoever started the run; a run id can be taken once at a time."""

    _boards: dict[RunId, Switchboard] = field(factory=dict, init=False)

    def routing(self, run_id: RunId, board: Switchboard) -> "_Route":
        """The board gets the run's events inside of the `with` block. InputError if a run with this id is in flight already."""
        return _Route(self._boards, run_id, board)

    def hears(self, run_id: RunId) -> bool:
        """Whether anybody listens to the run."""
        board = self._boards.get(run_id)
        return board is not None and board.is_heard

    def publish(self, event: Event) -> None:
        """Pass it on; events of a run that nobody follows go nowhere."""
        board = self._boards.get(event.run_id)
        if board is not None:
            board.publish(event)


@define(eq=False)
class _Route:
    _boards: dict[RunId, Switchboard]
    _run_id: RunId
    _board: Switchboard

    def __enter__(self) -> None:
        if self._run_id in self._boards:
            raise InputError(f"Run {self._run_id} is in flight already; give each run its own id.")
        self._boards[self._run_id] = self._board

    def __exit__(self, *_: object) -> None:
        del self._boards[self._run_id]
