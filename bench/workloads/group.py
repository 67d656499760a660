"""One run with very many subtasks: the cost of each must not grow with their number."""

from functools import partial
from pathlib import Path
from time import perf_counter

import anyio

from bench.model import PEAK, Case, Figure, Sample, Workload
from bench.workloads.agents import NoOp
from orchestrator_py import Outcome, TaskContext, TaskManager

SIZES = (1_000, 10_000)
PER_SUBTASK = Figure("per subtask", "µs")


def create(scale: float) -> Workload:
    """From the call of `execute` until the run is on disk, its summary with an entry for each subtask too."""
    sizes = [max(1, round(size * scale)) for size in SIZES]
    return Workload(
        title="no-op subtasks in one run",
        figures=(PER_SUBTASK, PEAK),
        cases=[Case(f"{size} subtasks", partial(_measure, size)) for size in sizes],
    )


def _measure(size: int, folder: Path) -> Sample:
    return anyio.run(_run, size, folder)


async def _run(size: int, folder: Path) -> Sample:
    agents = NoOp(size)
    async with TaskManager(planner=agents, builder=agents, tester=agents, reviewer=agents, root=folder) as manager:
        started = perf_counter()
        summary = await manager.execute(TaskContext(id="bench", title="Bench"))
        seconds = perf_counter() - started
    missing = size - sum(report.outcome is Outcome.SUCCEEDED for report in summary.subtasks)
    return Sample(figures={PER_SUBTASK.name: seconds / size * 1e6}, counts={"missing": missing})
