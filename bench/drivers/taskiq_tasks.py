"""So many subtasks that do nothing through taskiq, its broker in memory, 32 at a time: `taskiq_tasks.py SPEC`.

A subtask is so many calls, one after the other, each awaited: what one comes to decides whether the next is made.
"""

import asyncio
import json
import sys
from importlib import import_module
from time import perf_counter

LANES = 32


async def run(subtasks: int, calls: int) -> float:
    """Seconds."""
    broker = import_module("taskiq").InMemoryBroker(await_inplace=True)

    async def work(place: int) -> int:
        return place

    task = broker.register_task(work, task_name="work")

    async def lane(first: int) -> None:
        for place in range(first, subtasks, LANES):
            for _ in range(calls):
                sent = await task.kiq(place)
                if (await sent.get_result()).return_value != place:
                    raise RuntimeError("another task's result")

    await broker.startup()
    began = perf_counter()
    await asyncio.gather(*map(lane, range(LANES)))
    seconds = perf_counter() - began
    await broker.shutdown()
    return seconds


if __name__ == "__main__":
    spec = json.loads(sys.argv[1])
    print(json.dumps({"seconds": asyncio.run(run(spec["subtasks"], spec["calls"]))}))
