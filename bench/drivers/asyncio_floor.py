"""The least asyncio program that runs commands, reads what they print, and records them all at the end: `asyncio_floor.py SPEC`."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE


async def run(times: int, jobs: int, command: str) -> list[dict[str, object]]:
    """What each came to, so many at a time."""
    lanes = asyncio.Semaphore(jobs)

    async def one(number: int) -> dict[str, object]:
        async with lanes:
            process = await asyncio.create_subprocess_shell(command, stdout=PIPE, stderr=PIPE)
            output, _ = await process.communicate()
        return {"number": number, "exit_code": process.returncode, "output": output.decode()}

    return await asyncio.gather(*map(one, range(times)))


def record(runs: list[dict[str, object]]) -> None:
    """Whole and durable."""
    with open("record.tmp", "w") as file:
        json.dump(runs, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename("record.tmp", "record.json")


if __name__ == "__main__":
    record(asyncio.run(run(**json.loads(sys.argv[1]))))
