"""An event loop whose callbacks run in an order that a seed decides, in a time of its own, without threads: equal seeds, equal runs.

asyncio promises first come, first served; whoever leans on that promise is found out here.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

import anyio

T = TypeVar("T")
FIRST_DAY = 1_766_325_767.0
"""Where the loop's wall clock begins: 2025-12-21."""


MOST_STEPS = 20_000
"""No trial needs so many."""


class StuckError(Exception):
    """Nothing is ready and no timer runs, or things run in circles: whoever waits would wait for ever."""


class PermutedLoop(asyncio.SelectorEventLoop):
    """`seed` None keeps the order of asyncio. `before_step` is called before each callback, `problems` came to the exception handler."""

    def __init__(self, seed: object = None) -> None:
        super().__init__()
        self.random = None if seed is None else Random(repr(seed))
        self.steps = 0
        self.problems: list[str] = []
        self.before_step: Callable[[int], object] = lambda step: None
        self._now = 1000.0
        self.set_exception_handler(lambda _, context: self.problems.append(f"{context['message']}: {context.get('exception')!r}"))

    def time(self) -> float:
        """Stands still while anything is ready, then jumps to the next timer."""
        return self._now

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]  # the queue is no public part of asyncio
        timers: Any = self._scheduled  # type: ignore[attr-defined]  # nor are the timers
        if not ready:
            self._jump(timers)
        while timers and timers[0]._when <= self._now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        turn = list(ready)
        ready.clear()
        if self.random is not None:
            self.random.shuffle(turn)
        for handle in turn:
            if not handle._cancelled:
                self._step(handle)

    def _jump(self, timers: Any) -> None:
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if timers:
            self._now = max(self._now, timers[0]._when)
        elif not self._stopping:  # type: ignore[attr-defined]  # as above
            raise StuckError("nothing is ready, and nothing will be")

    def _step(self, handle: Any) -> None:
        if self.steps > MOST_STEPS:
            raise StuckError("it goes round in circles")
        self.before_step(self.steps)
        self.steps += 1
        handle._run()

    def _timer_handle_cancelled(self, handle: Any) -> None:
        """asyncio counts them to tidy up early; here they go when their time comes."""

    def run_in_executor(self, executor: object, work: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":  # type: ignore[override]  # no loop of this kind waits for a thread
        """The work is done in the loop, some steps later."""
        done: asyncio.Future[T] = self.create_future()

        def perform(steps: int) -> None:
            if steps > 0:
                self.call_soon(perform, steps - 1)
                return
            try:
                result = work(*arguments)
            except BaseException as error:  # it is raised where it is waited for, as from a thread
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(result)

        self.call_soon(perform, 1 if self.random is None else self.random.randrange(6))
        return done


@contextmanager
def without_threads(loop: PermutedLoop) -> Iterator[None]:
    """Work for a thread is done in the loop; a cancelled caller does not wait for it, as with a real thread."""

    async def run_sync(work: Callable[..., T], *arguments: Any) -> T:
        done = loop.run_in_executor(None, work, *arguments)
        with anyio.CancelScope(shield=True):
            await done
        return done.result()

    with patch("anyio.to_thread.run_sync", run_sync):
        yield
