"""Short runs in the caller's event loop, each awaited until it is on disk: what one costs, and whether every one is counted once."""

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter

import anyio

from bench.model import Case, Figure, Sample, Workload
from bench.workloads.agents import NoOp
from orchestrator_py import TaskContext, TaskManager

TASK = TaskContext(id="bench", title="Bench")
SUBTASKS = 4
RUNS = 200
HISTORY = 10_000
IN_FLIGHT = 64
EARLIER = "earlier"

PER_RUN = Figure("per run", "ms")
OPENING = Figure("opening and first run", "ms")


def create(scale: float) -> Workload:
    """The floor is what the disk takes to make one line durable; nothing that keeps its promise, run after run, is faster."""
    runs, history = max(1, round(RUNS * scale)), round(HISTORY * scale)
    return Workload(
        title=f"{runs} runs of {SUBTASKS} no-op subtasks, each awaited until it is on disk",
        figures=(PER_RUN, OPENING),
        cases=(
            Case("floor: append and fsync", partial(_measure_floor, runs)),
            Case("history 0", partial(_measure, runs, 0, 1)),
            Case(f"history {history}", partial(_measure, runs, history, 1)),
            Case(f"{IN_FLIGHT} in flight", partial(_measure, runs, 0, IN_FLIGHT)),
        ),
    )


def _measure_floor(runs: int, folder: Path) -> Sample:
    line = b"x" * 700 + b"\n"
    began = perf_counter()
    with (folder / "journal").open("ab", buffering=0) as file:
        opened = perf_counter()
        for _ in range(runs):
            file.write(line)
            os.fsync(file.fileno())
        ended = perf_counter()
    return _sample(opened - began, (ended - opened) / runs)


def _measure(runs: int, history: int, in_flight: int, folder: Path) -> Sample:
    if history:
        _write_history(folder, history)
    return anyio.run(_run, runs, history, in_flight, folder)


async def _run(runs: int, history: int, in_flight: int, folder: Path) -> Sample:
    agents, told = NoOp(SUBTASKS), list[str]()
    began = perf_counter()
    async with TaskManager(planner=agents, builder=agents, tester=agents, reviewer=agents, root=folder) as manager:

        async def execute(times: int) -> None:
            for _ in range(times):
                told.append((await manager.execute(TASK)).run_id)

        await execute(1)
        opened = perf_counter()
        async with anyio.create_task_group() as group:
            for lane in range(in_flight):
                group.start_soon(execute, runs // in_flight + (lane < runs % in_flight))
        ended = perf_counter()
        await manager.flush()
    return _sample(opened - began, (ended - opened) / runs, _count_entries(folder, told, history))


def _sample(opening: float, per_run: float, counts: Mapping[str, int] | None = None) -> Sample:
    return Sample(figures={OPENING.name: opening * 1000, PER_RUN.name: per_run * 1000}, counts=counts or {})


def _count_entries(folder: Path, told: list[str], history: int) -> dict[str, int]:
    """How many runs of those that were answered for, and of those before, are not in the history, and how many lines are there twice."""
    lines = [json.loads(line)["run_id"] for line in (folder / ".runs" / TASK.id / "metrics.json").read_text().splitlines()]
    expected = {*told, *(f"{EARLIER}-{place}" for place in range(history))}
    return {"lost": len(expected - set(lines)), "doubled": len(lines) - len(set(lines))}


def _write_history(folder: Path, length: int) -> None:
    """So many earlier runs, as the first run of a folder of its own describes itself."""
    apart = folder / "apart"
    anyio.run(_run, 1, 0, 1, apart)
    entry = json.loads((apart / ".runs" / TASK.id / "metrics.json").read_text().splitlines()[0])
    lines = (json.dumps(entry | {"run_id": f"{EARLIER}-{place}"}, separators=(",", ":")) + "\n" for place in range(length))
    path = folder / ".runs" / TASK.id / "metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text("".join(lines))
