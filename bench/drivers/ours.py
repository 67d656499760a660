"""Runs of no-op subtasks in this process: `ours.py SPEC`, where SPEC is JSON with runs, in_flight, subtasks, summaries.

Tells, as the other embedding drivers do, the seconds that the runs took after a first one that opens everything, and the ids of all runs.
Beside that how often it made something durable.
"""

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter

import anyio

from bench.drivers.agents import NoOp
from bench.drivers.disk import wake_disk
from orchestrator_py import TaskContext, TaskManager

TASK = TaskContext(id="bench", title="Bench")


class Syncs:
    """Counts what waits for the disk."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys([name for name in ("fsync", "fdatasync") if hasattr(os, name)], 0)  # macOS knows one of them
        for name in self.counts:
            setattr(os, name, self._counting(name, getattr(os, name)))

    def since(self, before: dict[str, int]) -> dict[str, int]:
        """All, and the commits among them: they alone use fdatasync."""
        counts = {name: count - before[name] for name, count in self.counts.items()}
        return {"syncs": sum(counts.values()), "commits": counts.get("fdatasync", 0)}

    def _counting(self, name: str, sync: Callable[[int], None]) -> Callable[[int], None]:
        def counted(descriptor: int) -> None:
            self.counts[name] += 1
            sync(descriptor)

        return counted


async def run(*, runs: int, in_flight: int, subtasks: int, summaries: bool) -> dict[str, object]:
    """As many lanes as may be in flight share the runs; each awaits every run of its own until it is on disk."""
    syncs, agents, told = Syncs(), NoOp(1), list[str]()
    async with TaskManager(planner=agents, builder=agents, tester=agents, reviewer=agents, root=".", keep_summaries=summaries) as manager:

        async def execute(times: int) -> None:
            for _ in range(times):
                told.append((await manager.execute(TASK)).run_id)

        await execute(1)
        wake_disk()
        agents.subtasks = subtasks
        before, began = dict(syncs.counts), perf_counter()
        async with anyio.create_task_group() as group:
            for lane in range(in_flight):
                group.start_soon(execute, runs // in_flight + (lane < runs % in_flight))
        answer = {"seconds": perf_counter() - began, **syncs.since(before), "run_ids": told}
        await manager.flush()  # a long history is not copied for every close; what is counted is the file that others read
        return answer


def main() -> None:
    spec = json.loads(sys.argv[1])
    print(json.dumps(anyio.run(lambda: run(**spec))))


if __name__ == "__main__":
    main()
