"""Where work lives that must outlast its caller."""

import asyncio

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from orchestrator_py.actors.host import Host
from orchestrator_py.errors import InputError


async def test_leaving_waits_for_all_work_and_for_what_that_work_starts() -> None:
    ended: list[str] = []

    async def inner() -> None:
        await checkpoint()

    async def outer() -> None:
        await checkpoint()
        host._tasks.add(task := asyncio.ensure_future(inner()))
        task.add_done_callback(host._tasks.discard)

    with anyio.fail_after(20):
        async with Host() as host:
            host.start_soon(outer(), at_end=lambda: ended.append("outer"))
    assert ended == ["outer"]
    assert host._tasks == set()


async def test_work_is_not_touched_by_the_cancellation_of_who_started_it() -> None:
    gate, done = anyio.Event(), anyio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    with anyio.fail_after(20):
        async with Host() as host:
            with anyio.CancelScope() as scope:
                host.start_soon(work(), at_end=lambda: None)
                scope.cancel()
                await checkpoint()
            gate.set()
        assert done.is_set()


async def test_leaving_goes_on_whoever_cancels_and_is_cancelled_afterwards() -> None:
    gate, done = anyio.Event(), anyio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    async def live() -> None:
        async with Host() as host:
            host.start_soon(work(), at_end=lambda: None)

    with anyio.fail_after(20):
        living = asyncio.ensure_future(live())
        for _ in range(3):
            await wait_all_tasks_blocked()
            living.cancel()
        await wait_all_tasks_blocked()
        assert not living.done()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await living
    assert done.is_set()


async def test_the_end_is_told_even_of_work_that_never_began() -> None:
    ended: list[int] = []

    async def work() -> None:
        raise AssertionError("it never begins")

    async with Host() as host:
        host.start_soon(work(), at_end=lambda: ended.append(1))
        (task,) = host._tasks
        task.cancel()
    assert ended == [1]


async def test_outside_of_its_block_nothing_is_started() -> None:
    async def work() -> None:
        raise AssertionError("it never begins")

    host = Host()
    for _ in range(2):
        with pytest.raises(InputError, match="not open"):
            host.start_soon(work(), at_end=lambda: None)
        async with host:
            pass
