"""What the claims about runs inside of a program rest on, counted and not timed."""

import gc
import os
import tracemalloc
from functools import partial
from pathlib import Path

import anyio
import pytest

from bench.drivers import ours
from bench.drivers.agents import NoOp
from orchestrator_py import TaskManager

SYNCS = [name for name in ("fsync", "fdatasync") if hasattr(os, name)]
KIBIBYTES = 2.5
"""Of a subtask in a run that keeps its summary, whose text is never in memory as a whole."""


def run(*, runs: int = 1, in_flight: int = 1, subtasks: int = 4, summaries: bool = False) -> dict[str, object]:
    return anyio.run(partial(ours.run, runs=runs, in_flight=in_flight, subtasks=subtasks, summaries=summaries))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SYNCS:
        monkeypatch.setattr(os, name, getattr(os, name))  # the driver puts counters there, which have to go again


@pytest.mark.skipif(not hasattr(os, "fdatasync"), reason="commits cannot be told from publications here")
def test_sixteen_runs_in_flight_share_a_commit() -> None:
    """How often what is only for readers is published beside that depends on how long it takes, and is not claimed."""
    commits = run(runs=1024, in_flight=64)["commits"]
    assert isinstance(commits, int)
    assert 0 < commits <= 1024 / 16


def test_a_subtask_more_costs_the_same_memory_in_a_large_run() -> None:
    run(subtasks=10, summaries=True)  # what is imported and cached
    peaks = {}
    for subtasks in (500, 1500):
        tracemalloc.start()
        run(subtasks=subtasks, summaries=True)
        peaks[subtasks] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (peaks[1500] - peaks[500]) / 1000 < KIBIBYTES * 1024


async def test_an_ended_run_leaves_nothing_to_the_garbage_collector() -> None:
    """What is in a circle of references waits for a collection of the oldest generation, which reads everything that lives."""
    agents = NoOp(4)
    async with TaskManager(planner=agents, builder=agents, tester=agents, reviewer=agents, root=".") as manager:
        await manager.execute(ours.TASK)  # what is imported and cached
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                await manager.execute(ours.TASK)
            assert gc.collect() < 50
        finally:
            gc.enable()
