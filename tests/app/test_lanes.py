"""As many lanes as can do something work at the same time, and no more are begun."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from orchestrator_py.actors.turns import SUBTASKS_A_TURN
from orchestrator_py.model.assignment import AssignmentStatus
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildInput
from tests.app.agents import TASK, Crew, built, items

pytestmark = pytest.mark.anyio
ENOUGH = 60


class Meeting:
    """Lets its guests go on when so many of them are there."""

    def __init__(self, guests: int) -> None:
        self.missing = guests
        self.complete = anyio.Event()

    async def join(self, input: BuildInput) -> object:
        self.missing -= 1
        if not self.missing:
            self.complete.set()
        await self.complete.wait()
        return built(input)


async def test_agents_that_wait_for_nothing_need_one_lane(tmp_path: Path) -> None:
    tasks = set()

    async def build(input: BuildInput) -> object:
        tasks.add(asyncio.current_task())
        return built(input)

    async with Crew(items("a", "b", "c", "d"), on_build=build).manager(root=tmp_path) as manager:
        await manager.execute(TASK)
    assert len(tasks) == 1
    entry = json.loads((tmp_path / ".runs" / TASK.id / "metrics.json").read_text())
    assert [instance["status"] for instance in entry["instance_stats"]] == [AssignmentStatus.SUCCEEDED.value] * 4


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
async def test_agents_that_wait_are_at_work_in_all_lanes_at_once(lanes: int) -> None:
    meeting = Meeting(lanes)
    crew = Crew(items(*map(str, range(lanes))), on_build=meeting.join)
    async with crew.manager(max_concurrency=lanes) as manager:
        with anyio.fail_after(ENOUGH):
            summary = await manager.execute(TASK)
    assert summary.outcome is Outcome.SUCCEEDED


async def test_a_lane_begins_when_something_becomes_ready_for_it() -> None:
    meeting = Meeting(3)

    async def build(input: BuildInput) -> object:
        if input.target.id == "first":
            await anyio.lowlevel.checkpoint()
            return built(input)
        return await meeting.join(input)

    after = SubtaskPolicy(needs=("first",))
    crew = Crew(items("first", "x", "y", "z", x=after, y=after, z=after), on_build=build)
    async with crew.manager() as manager:
        with anyio.fail_after(ENOUGH):
            summary = await manager.execute(TASK)
    assert summary.outcome is Outcome.SUCCEEDED


async def test_a_lane_that_waits_is_served_before_another_one_begins() -> None:
    tasks = set()

    async def build(input: BuildInput) -> object:
        tasks.add(asyncio.current_task())
        await anyio.lowlevel.checkpoint()
        return built(input)

    chain = {str(number): SubtaskPolicy(needs=(str(number - 1),)) for number in range(1, 20)}
    async with Crew(items("0", *chain, **chain), on_build=build).manager() as manager:
        summary = await manager.execute(TASK)
    assert summary.outcome is Outcome.SUCCEEDED
    assert len(tasks) == 1


async def test_agents_that_wait_for_nothing_leave_the_event_loop_to_others_again_and_again() -> None:
    built_at_each_turn: list[int] = []
    count = 0

    async def build(input: BuildInput) -> object:
        nonlocal count
        count += 1
        return built(input)

    async def look_at_each_turn() -> None:
        while True:
            built_at_each_turn.append(count)
            await asyncio.sleep(0)

    async with Crew(items(*map(str, range(1000))), on_build=build).manager() as manager:
        looker = asyncio.create_task(look_at_each_turn())
        await manager.execute(TASK)
        looker.cancel()
    assert count == 1000
    assert max(after - before for before, after in pairwise(built_at_each_turn)) <= SUBTASKS_A_TURN
