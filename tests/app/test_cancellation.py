"""Whoever cancels, and at whatever moment: the run is on record exactly once, or was never opened, and the cancellation goes on."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from orchestrator_py.actors.mailbox import CAPACITY
from orchestrator_py.app.task_manager import TaskManager
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.result import BuildInput, ReviewInput, TestInput
from orchestrator_py.model.summary import RunSummary
from tests.app.agents import TASK, Crew, built, checked, forever, items, reviewed

WORDS_ON_RECORD = {"succeeded", "cancelled"}


def patient_crew() -> Crew:
    """Two subtasks whose agents give way to the event loop, so that there is many a moment to cancel at."""

    async def build(input: BuildInput) -> object:
        await checkpoint()
        return built(input)

    async def test(input: TestInput) -> object:
        await checkpoint()
        return checked(input)

    async def review(input: ReviewInput) -> object:
        await checkpoint()
        return reviewed(input)

    async def plan(task: object) -> object:
        await checkpoint()
        return await Crew(items("a", "b")).plan(TASK)

    return Crew(on_plan=plan, on_build=build, on_test=test, on_review=review)


def entries(root: Path) -> list[dict[str, Any]]:
    history = root / ".runs" / "task-1" / "metrics.json"
    return [json.loads(line) for line in history.read_bytes().splitlines()] if history.exists() else []


def summaries(root: Path) -> list[dict[str, Any]]:
    folder = root / ".runs" / "task-1"
    return [json.loads(path.read_bytes()) for path in folder.glob("task-1-*/manifest.json")]


def open_files(root: Path) -> set[str]:
    """The files below the root that this process holds open. What is open elsewhere is another test's."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return {name for name in found if name.startswith(f"{root}/")}


@pytest.fixture
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert open_files(tmp_path) == set()


async def other_tasks() -> set[str]:
    await checkpoint()
    return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()} if not task.get_name().startswith("anyio")}


def next_step(steps: int) -> int:
    """Every step at first; later, when most of them fall into one wait for the disk, wider apart."""
    return steps + 1 + max(0, steps - 40) // 4


def check_record(root: Path, opened: bool) -> str | None:
    """Exactly one entry with an honest word, or none at all; the entry's word."""
    recorded = entries(root)
    assert len(recorded) == len(summaries(root)) == (1 if opened else 0)
    if not opened:
        return None
    word = recorded[0]["status"]
    assert word in WORDS_ON_RECORD
    summary = summaries(root)[0]
    good = summary["build"]["success"] and summary["test"]["success"] and summary["review"]["decision"]["approved"]
    assert good == (word == "succeeded")
    assert len(summary["plan"]["items"]) == 2
    return str(word)


async def cancelled_by_a_scope(manager: TaskManager, steps: int) -> RunSummary | None:
    summary: RunSummary | None = None
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def count() -> None:
                for _ in range(steps):
                    await checkpoint()
                scope.cancel()

            group.start_soon(count)
            summary = await manager.execute(TASK)
            group.cancel_scope.cancel()
    return summary


async def cancelled_as_a_task(manager: TaskManager, steps: int) -> RunSummary | None:
    task = asyncio.ensure_future(manager.execute(TASK))
    for _ in range(steps):
        await checkpoint()
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        assert task.cancelled()
        return None


async def cancelled_twice(manager: TaskManager, steps: int) -> RunSummary | None:
    task = asyncio.ensure_future(manager.execute(TASK))
    for _ in range(steps):
        await checkpoint()
    task.cancel()
    await checkpoint()
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


@pytest.mark.parametrize("cancelled", [cancelled_by_a_scope, cancelled_as_a_task, cancelled_twice])
@pytest.mark.parametrize("root", ["disk", "memory"])
async def test_a_call_that_is_cancelled_at_any_step_leaves_an_honest_record(
    cancelled: Callable[[TaskManager, int], Awaitable[RunSummary | None]], root: str, tmp_path: Path, nothing_is_left: None
) -> None:
    before = await other_tasks()
    words: list[str | None] = []
    summary: RunSummary | None = None
    steps = 0
    while summary is None:
        folder = tmp_path / str(steps)
        opened: list[object] = []
        with anyio.fail_after(20):
            async with patient_crew().manager(root=folder if root == "disk" else None) as manager:
                manager.subscribe(opened.append)
                summary = await cancelled(manager, steps)
        if root == "disk":
            words.append(check_record(folder, opened=bool(opened)))
        assert await other_tasks() == before
        steps = next_step(steps)
    assert steps > 10
    if root == "disk":
        assert words[0] is None
        assert "cancelled" in words
        assert words[-1] == "succeeded"


async def test_a_whole_manager_that_is_cancelled_at_any_step_leaves_an_honest_record(tmp_path: Path, nothing_is_left: None) -> None:
    before = await other_tasks()
    steps, finished = 0, False
    while not finished:
        folder = tmp_path / str(steps)
        opened: list[object] = []

        async def work(root: Path, seen: Callable[[object], None]) -> bool:
            async with patient_crew().manager(root=root) as manager:
                manager.subscribe(seen)
                await manager.execute(TASK)
            return True

        task = asyncio.ensure_future(work(folder, opened.append))
        with anyio.fail_after(20):
            for _ in range(steps):
                await checkpoint()
            task.cancel()
            await asyncio.wait({task})
        finished = not task.cancelled() and task.result()
        check_record(folder, opened=bool(opened))
        assert await other_tasks() == before
        steps = next_step(steps)
    assert steps > 10


async def test_a_time_limit_around_the_call_cancels_it(tmp_path: Path) -> None:
    with anyio.fail_after(20):
        async with Crew(items("a", "b"), on_build=forever).manager(root=tmp_path) as manager:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(manager.execute(TASK), 0.02)
    assert check_record(tmp_path, opened=True) == "cancelled"


async def test_a_call_that_is_cancelled_again_and_again_ends_only_when_its_run_is_on_record(tmp_path: Path) -> None:
    gate = anyio.Event()

    async def build(input: BuildInput) -> object:
        try:
            return await forever(input)
        finally:
            with anyio.CancelScope(shield=True):
                await gate.wait()

    with anyio.fail_after(20):
        async with Crew(items("a", "b"), on_build=build).manager(root=tmp_path) as manager:
            call = asyncio.ensure_future(manager.execute(TASK))
            for _ in range(4):
                await wait_all_tasks_blocked()
                assert not call.done()
                call.cancel()
            gate.set()
            await asyncio.wait({call})
            assert call.cancelled()
            assert len(summaries(tmp_path)) == 1
    assert check_record(tmp_path, opened=True) == "cancelled"


async def test_cancelling_one_call_does_not_touch_another(tmp_path: Path) -> None:
    crew = Crew(items("a"), on_build=forever)
    with anyio.fail_after(20):
        async with crew.manager(root=tmp_path) as manager, anyio.create_task_group() as group:
            other = asyncio.ensure_future(manager.execute(TASK))
            group.start_soon(manager.execute, TASK)
            await wait_all_tasks_blocked()
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await wait_all_tasks_blocked()
                assert not other.done()
                manager.stop()
                assert (await other).outcome is Outcome.CANCELLED
    assert [entry["status"] for entry in entries(tmp_path)] == ["cancelled", "cancelled"]


async def test_leaving_the_manager_ends_and_records_what_runs(tmp_path: Path, nothing_is_left: None) -> None:
    with anyio.fail_after(20):
        async with Crew(items("a"), on_build=forever).manager(root=tmp_path) as manager:
            call = asyncio.ensure_future(manager.execute(TASK))
            await wait_all_tasks_blocked()
        summary = await call
    assert summary.outcome is Outcome.CANCELLED
    assert str(summary.cause) == "embedder: the manager was closed"
    assert len(entries(tmp_path)) == 1


def test_an_event_loop_that_closes_under_a_running_manager_still_gets_the_record(tmp_path: Path, nothing_is_left: None) -> None:
    background: list[object] = []

    async def serve() -> None:
        async with Crew(items("a", "b", "c"), on_build=forever).manager(root=tmp_path, max_concurrency=2) as manager:
            await manager.execute(TASK)

    async def main() -> None:
        background.append(asyncio.ensure_future(serve()))
        await wait_all_tasks_blocked()

    asyncio.run(main())
    (entry,) = entries(tmp_path)
    assert entry["status"] == "cancelled"
    (summary,) = summaries(tmp_path)
    assert (summary["group"]["size"], summary["group"]["processed"]) == (3, 2)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # lanes that were to start when the loop closed
@pytest.mark.parametrize("steps", range(24))
def test_more_news_than_the_mailbox_holds_gets_through_when_the_event_loop_closes(
    steps: int, tmp_path: Path, nothing_is_left: None
) -> None:
    count = CAPACITY + 100
    background: list[object] = []

    async def serve() -> None:
        crew = Crew(items(*(f"s{number}" for number in range(count))), on_build=forever)
        async with crew.manager(root=tmp_path, max_concurrency=count) as manager:
            await manager.execute(TASK)

    async def main() -> None:
        background.append(asyncio.ensure_future(serve()))
        for _ in range(steps):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert [entry["status"] for entry in entries(tmp_path)] == ["cancelled"] * len(summaries(tmp_path))
    assert {summary["group"]["size"] for summary in summaries(tmp_path)} <= {count}
    assert steps < 20 or summaries(tmp_path)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # lanes that were to start when the loop closed
@pytest.mark.parametrize("steps", range(12))
def test_an_event_loop_may_close_at_any_step(steps: int, tmp_path: Path, nothing_is_left: None) -> None:
    opened: list[object] = []

    async def serve() -> None:
        async with patient_crew().manager(root=tmp_path) as manager:
            manager.subscribe(opened.append)
            await manager.execute(TASK)

    async def main() -> None:
        background.append(asyncio.ensure_future(serve()))
        for _ in range(steps):
            await asyncio.sleep(0)

    background: list[object] = []
    asyncio.run(main())
    check_record(tmp_path, opened=bool(opened))


NOBODY_LEAVES = """
import asyncio, sys
from tests.app.agents import TASK, Crew, items

async def main():
    manager = await Crew(items("a")).manager(root=sys.argv[1]).__aenter__()
    await manager.execute(TASK)

asyncio.run(main())
"""


def test_a_manager_that_nobody_leaves_does_not_keep_its_event_loop_from_closing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", NOBODY_LEAVES, str(tmp_path)], check=True, timeout=60, cwd=Path(__file__).parents[2])
    assert [entry["status"] for entry in entries(tmp_path)] == ["succeeded"]
