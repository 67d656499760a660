"""Waiting that no cancellation cuts short: neither that of a scope, nor the one that a closing event loop gives every task."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from weakref import WeakKeyDictionary

import anyio

T = TypeVar("T")

MOST_THREADS = 40
"""So many tasks write at the same time; more of them wait for each other."""

ENDS_THE_PROGRAM = KeyboardInterrupt, SystemExit
"""An event loop lets these through, and so do we, once what they end is on record."""

_pools: "WeakKeyDictionary[asyncio.AbstractEventLoop, ThreadPoolExecutor]" = WeakKeyDictionary()


async def outlast(wait: Callable[[], Awaitable[object]]) -> bool:
    """Waits to the end, whoever cancels meanwhile, and answers whether somebody did. `wait` can be called again to go on waiting.

    The shield is raised when somebody cancels: hardly anybody does, and it costs more than the wait.
    """
    try:
        await wait()
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            while not await _is_over(wait):
                pass
        return True
    return False


async def _is_over(wait: Callable[[], Awaitable[object]]) -> bool:
    try:
        await wait()
    except asyncio.CancelledError:
        return False
    return True


def this_task() -> "asyncio.Task[object]":
    """The task that runs now."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("This can only be done in a task of an event loop.")
    return task


def forget_cancellation() -> None:
    """The current task goes on after a cancellation from outside of all scopes: only an event loop that is closing does that."""
    this_task().uncancel()


def is_being_cancelled() -> bool:
    """Whether somebody asked for the end of the current task; if not, a CancelledError comes from what it called."""
    return this_task().cancelling() > 0


async def forget_cancellations_beyond(count: int) -> None:
    """The current task goes on after what it was called with has left cancellations on it, delivered or not.

    One that comes meanwhile is raised.
    """
    task = this_task()
    for _ in range(task.cancelling() - count):
        task.uncancel()
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    if task.cancelling() > count:
        raise asyncio.CancelledError


def leave_loop_with(error: BaseException) -> None:
    """The event loop ends by the error; the current task goes on, as every other one that the loop's program still lets work."""

    def leave() -> None:
        raise error

    asyncio.get_running_loop().call_soon(leave)


async def run_in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, done in a worker thread. A cancellation changes nothing: two hops of one caller never overlap.

    For a task without scopes of its own; `is_being_cancelled` tells afterwards whether anybody tried.
    """
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    future = loop.run_in_executor(_threads_of(loop), work)
    future.add_done_callback(lambda _: over.set())
    while not over.is_set():  # an event: a future that is waited for ends when the waiter is cancelled
        with suppress(asyncio.CancelledError):
            await over.wait()
    return future.result()


def _threads_of(loop: asyncio.AbstractEventLoop) -> ThreadPoolExecutor:
    """Apart from those that the loop's program fills with work of its own."""
    pool = _pools.get(loop)
    if pool is None:
        pool = _pools[loop] = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="aggregator")
    return pool
