"""Waiting that no cancellation cuts short, and work in threads that never overlaps."""

import asyncio
import threading

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from orchestrator_py.actors.outlast import is_being_cancelled, outlast, run_in_thread


async def test_waiting_goes_on_after_every_cancellation_and_tells_of_it() -> None:
    gate = anyio.Event()
    waiting = asyncio.ensure_future(outlast(gate.wait))
    with anyio.fail_after(20):
        for _ in range(3):
            await checkpoint()
            waiting.cancel()
        await wait_all_tasks_blocked()
        assert not waiting.done()
        gate.set()
        assert await waiting is True


async def test_waiting_that_nobody_disturbs_says_so() -> None:
    gate = anyio.Event()
    gate.set()
    assert await outlast(gate.wait) is False


async def test_a_cancelled_scope_does_not_end_the_waiting() -> None:
    gate = anyio.Event()
    with anyio.fail_after(20), anyio.CancelScope() as scope:
        scope.cancel()
        async with anyio.create_task_group() as group:
            with anyio.CancelScope(shield=True):
                group.start_soon(checkpoint)
                asyncio.get_running_loop().call_later(0, gate.set)
                assert await outlast(gate.wait) is False


async def test_a_thread_gives_its_result_or_its_error() -> None:
    assert await run_in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 // 0)


@pytest.mark.parametrize("steps", range(8))
async def test_whoever_is_cancelled_waits_for_the_thread_and_runs_it_once(steps: int) -> None:
    gate, runs = threading.Event(), []

    def work() -> str:
        runs.append(threading.get_ident())
        gate.wait(20)
        return "done"

    async def hop() -> tuple[str, bool]:
        return await run_in_thread(work), is_being_cancelled()

    hopping = asyncio.ensure_future(hop())
    with anyio.fail_after(20):
        for _ in range(steps):
            await checkpoint()
        hopping.cancel()
        if steps == 0:  # it has not begun: nothing was done, and nothing will be
            with pytest.raises(asyncio.CancelledError):
                await hopping
            assert runs == []
            return
        await checkpoint()
        hopping.cancel()
        await checkpoint()
        assert not hopping.done()
        gate.set()
        assert await hopping == ("done", True)
    assert len(runs) == 1
