"""Who aggregates what: one aggregator per task and event loop, shared by every manager that works on the task."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Self
from weakref import WeakKeyDictionary

import anyio

from orchestrator_py.actors.aggregator import Aggregator
from orchestrator_py.actors.event_stream import EventRouter
from orchestrator_py.actors.mailbox import Mailbox, Ref, open_mailbox
from orchestrator_py.actors.outlast import outlast
from orchestrator_py.lean import define, field
from orchestrator_py.model.messages import Message


@define(eq=False)
class _Entry:
    """A living aggregator: its first handle, its events, how many hold it, and when it has ended."""

    ref: Ref[Message]
    events: EventRouter
    holders: int = 0
    ended: anyio.Event = field(factory=anyio.Event)
    task: "asyncio.Task[None] | None" = None  # the loop itself holds its tasks weakly


@define(eq=False)
class Handle:
    """One hold on a task's aggregator; the last one to leave waits for its end. Leaving the `async with` block is to leave."""

    ref: Ref[Message]
    events: EventRouter
    _entry: _Entry

    def again(self) -> "Handle":
        """Another hold on the same aggregator."""
        return _hold(self._entry)

    def is_same(self, other: "Handle") -> bool:
        """Whether both hold the same aggregator."""
        return self._entry is other._entry

    async def ended(self) -> None:
        """Returns when everybody has let go, and everything is in order."""
        await self._entry.ended.wait()

    async def leave(self) -> None:
        """Let go; returns when everything is in order, if nobody else holds it. What went wrong is asked of `ref`."""
        self.ref.close()
        self._entry.holders -= 1
        if self._entry.holders == 0:
            self._entry.ref.close()
            if await outlast(self._entry.ended.wait):
                raise asyncio.CancelledError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()


_directories: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Entry]]" = WeakKeyDictionary()


async def join_aggregator(key: Hashable, create: Callable[[EventRouter], Aggregator]) -> Handle:
    """A hold on the aggregator for `key` in this event loop; the first to come starts it."""
    entries = _directories.setdefault(asyncio.get_running_loop(), {})
    while (entry := entries.get(key)) is not None and entry.holders == 0:
        await entry.ended.wait()  # it is leaving, and still holds the task's lock
    return _hold(entry or _start(key, create, entries))


def _hold(entry: _Entry) -> Handle:
    handle = Handle(entry.ref.clone(), entry.events, entry)
    entry.holders += 1
    return handle


def _start(key: Hashable, create: Callable[[EventRouter], Aggregator], entries: dict[Hashable, _Entry]) -> _Entry:
    ref: Ref[Message]
    mailbox: Mailbox[Message]
    ref, mailbox = open_mailbox()
    events = EventRouter()
    aggregator = create(events)
    entry = entries[key] = _Entry(ref, events)

    def end(_: object) -> None:
        mailbox.close()  # it has done so itself, unless it never began
        if entries.get(key) is entry:
            del entries[key]
        entry.ended.set()

    # A task of its own, not a child of the first manager's: it lives as long as anybody holds it.
    entry.task = asyncio.get_running_loop().create_task(aggregator.run(mailbox), name=f"aggregator of {aggregator.task_id}")
    entry.task.add_done_callback(end)
    return entry
