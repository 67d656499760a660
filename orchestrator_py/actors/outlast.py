"""Waiting that no cancellation cuts short: neither that of a scope, nor the one that a closing event loop gives every task."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

import anyio
from anyio import to_thread

T = TypeVar("T")


async def outlast(wait: Callable[[], Awaitable[object]]) -> bool:
    """Waits to the end, whoever cancels meanwhile, and answers whether somebody did. `wait` can be called again to go on waiting."""
    cancelled, done = False, False
    with anyio.CancelScope(shield=True):
        while not done:
            try:
                await wait()
                done = True
            except asyncio.CancelledError:
                cancelled = True
    return cancelled


def forget_cancellation() -> None:
    """The current task goes on after a cancellation from outside of all scopes: only an event loop that is closing does that."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def is_being_cancelled() -> bool:
    """Whether somebody asked for the end of the current task; if not, a CancelledError comes from what it called."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def run_in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, done in a worker thread. A cancellation changes nothing: two hops of one caller never overlap.

    For a task without scopes of its own; `is_being_cancelled` tells afterwards whether anybody tried.
    """
    while True:
        outcome: Future[T] = Future()
        with suppress(asyncio.CancelledError):
            await to_thread.run_sync(_perform, work, outcome)
        if not outcome.cancel():  # it has begun, perhaps it has ended
            await _settle(outcome)
            return outcome.result()


def _perform(work: Callable[[], T], outcome: "Future[T]") -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        outcome.set_result(work())
    except BaseException as error:  # it is raised where the result is asked for
        outcome.set_exception(error)


async def _settle(outcome: "Future[T]") -> None:
    if outcome.done():
        return
    future = asyncio.wrap_future(outcome)
    await outlast(lambda: asyncio.wait({future}))
    future.exception()  # looked at, so that it does not count as lost; whoever asks the outcome raises it
