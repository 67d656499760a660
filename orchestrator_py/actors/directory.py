"""Who aggregates what: one aggregator per task and event loop, shared by every manager that works on the task."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import anyio
from attrs import define, field

from orchestrator_py.actors.aggregator import Aggregator
from orchestrator_py.actors.event_stream import EventRouter
from orchestrator_py.actors.mailbox import Mailbox, Ref, open_mailbox
from orchestrator_py.model.messages import Message


@define(eq=False)
class _Entry:
    """A living aggregator: its first handle, its events, how many managers hold it, and when it has ended."""

    ref: Ref[Message]
    events: EventRouter
    holders: int = 0
    ended: anyio.Event = field(factory=anyio.Event)
    task: "asyncio.Task[None] | None" = None


@define(eq=False)
class Handle:
    """One manager's hold on a task's aggregator."""

    ref: Ref[Message]
    events: EventRouter


_directories: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Entry]]" = WeakKeyDictionary()


@asynccontextmanager
async def join_aggregator(key: Hashable, create: Callable[[EventRouter], Aggregator]) -> AsyncIterator[Handle]:
    """The aggregator for `key` in this event loop; the first to come starts it, the last to leave waits for its end.

    StoreError on leaving if the aggregator could not put everything in order.
    """
    entries = _directories.setdefault(asyncio.get_running_loop(), {})
    while (entry := entries.get(key)) is not None and entry.holders == 0:
        await entry.ended.wait()  # it is leaving, and still holds the task's lock
    if entry is None:
        entry = entries[key] = _start(key, create, entries)
    entry.holders += 1
    try:
        with entry.ref.clone() as ref:
            yield Handle(ref, entry.events)
    finally:
        entry.holders -= 1
        if entry.holders == 0:
            entry.ref.close()
            with anyio.CancelScope(shield=True):
                await entry.ended.wait()
    entry.ref.raise_fate()


def _start(key: Hashable, create: Callable[[EventRouter], Aggregator], entries: dict[Hashable, _Entry]) -> _Entry:
    ref, mailbox = _open()
    events = EventRouter()
    entry = _Entry(ref, events)
    aggregator = create(events)

    async def live() -> None:
        try:
            await aggregator.run(mailbox)
        finally:
            if entries.get(key) is entry:
                del entries[key]
            entry.ended.set()

    # A task of its own, not a child of the first manager's: it lives as long as any manager holds it.
    entry.task = asyncio.get_running_loop().create_task(live(), name=f"orchestrator_py aggregator {aggregator.task_id}")
    return entry


def _open() -> tuple[Ref[Message], Mailbox[Message]]:
    return open_mailbox()
