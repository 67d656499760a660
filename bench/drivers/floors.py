"""The least that a program can do; nothing that keeps the same promise is faster: `floors.py FLOOR SPEC`."""

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter

from bench.drivers.disk import wake_disk

LINE = b"x" * 700 + b"\n"
sync = getattr(os, "fdatasync", os.fsync)


def append(runs: int) -> None:
    """A line, durable, for each run."""
    file = os.open("journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _timed(runs, lambda: (os.write(file, LINE), sync(file)))


def replace(runs: int) -> None:
    """A file, whole and durable, for each run."""
    _timed(runs, _replace)


def spawn(times: int, jobs: int, command: str) -> None:
    """The commands, so many at a time, with nothing of a record."""
    shell, running = ["/bin/sh", "-c", command], 0
    for _ in range(times):
        if running == jobs:
            os.wait()
            running -= 1
        os.posix_spawn(shell[0], shell, os.environ)
        running += 1
    for _ in range(running):
        os.wait()


def _replace() -> None:
    file = os.open("summary.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(file, LINE * 6)
    os.fsync(file)
    os.close(file)
    os.rename("summary.tmp", "summary.json")


def _timed(runs: int, work: Callable[[], object]) -> None:
    work()
    wake_disk()
    began = perf_counter()
    for _ in range(runs):
        work()
    print(json.dumps({"seconds": perf_counter() - began}))


def main() -> None:
    name, spec = sys.argv[1], json.loads(sys.argv[2])
    if name == "spawn":
        spawn(spec["times"], spec["jobs"], spec["command"])
    else:
        {"append": append, "replace": replace}[name](spec["runs"])


if __name__ == "__main__":
    main()
