"""What a command says on a worker, until the manager has fetched it; who says more than that waits."""

import asyncio
from collections import deque
from collections.abc import Mapping
from itertools import islice

from orchestrator_py.executors.wire import GATHER_SECONDS, PIECE_BYTES
from orchestrator_py.lean import define, field

Event = Mapping[str, object]
_OVERHEAD = 300  # bytes of an event beside its text


@define(eq=False)
class Outbox:
    """A log whose reader is far away. Events are numbered from 1 and kept until the reader has asked for later ones, so that it may ask
    again for what it did not get. `discard` throws away everything, now and later: nobody reads any more.
    """

    _events: deque[tuple[Event, int]] = field(factory=deque, init=False)
    _sent_before: int = field(default=0, init=False)
    _held: int = field(default=0, init=False)
    _open: bool = field(default=True, init=False)
    _deaf: bool = field(default=False, init=False)
    _room: asyncio.Event = field(factory=asyncio.Event, init=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def append(self, *events: Event) -> None:
        """Waits as long as too much is held."""
        while self._held > 2 * PIECE_BYTES and not self._deaf:
            self._room.clear()
            await self._room.wait()
        if self._deaf:
            return
        for event in events:
            size = _OVERHEAD + len(str(event.get("data", "")))
            self._events.append((event, size))
            self._held += size
        self._news.set()

    def close(self) -> None:
        """Nothing will be said any more."""
        self._open = False
        self._news.set()

    def discard(self) -> None:
        """Nobody listens any more."""
        self._deaf = True
        self._events.clear()
        self._held = 0
        self._room.set()

    async def fetch(self, after: int, seconds: float) -> tuple[list[Event], bool]:
        """The events that follow number `after`, about a piece of them, and whether they are the last ones.

        Waits so long for some; what comes soon after the first one comes along.
        """
        self._forget(after)
        if self._open and not self._events:
            await self._wait(seconds)
        if self._open and self._held < PIECE_BYTES:
            await self._wait_for_more(GATHER_SECONDS)
        taken = list(islice((event for event, _ in self._events), self._count()))
        return taken, not self._open and len(taken) == len(self._events)

    def _forget(self, after: int) -> None:
        while self._events and self._sent_before < after:
            _, size = self._events.popleft()
            self._held -= size
            self._sent_before += 1
        self._room.set()

    async def _wait_for_more(self, seconds: float) -> None:
        """Until a piece is complete, everything is said, or the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._open and self._held < PIECE_BYTES and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await self._wait(left)

    async def _wait(self, seconds: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    def _count(self) -> int:
        total = count = 0
        for _, size in self._events:
            if count and total + size > PIECE_BYTES:
                break
            total += size
            count += 1
        return count
