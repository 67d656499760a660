"""Which runs and tasks a changed file speaks of, and the stream of such changes below the runs folder, whoever makes them."""

import os
from collections.abc import AsyncIterator, Iterable

import anyio
from watchfiles import Change, awatch

from orchestrator_py.core import places
from orchestrator_py.dashboard.subscription import RunKey
from orchestrator_py.lean import field, frozen

REST_SECONDS = 1.0
"""At least so often everything that goes on is looked at: a process that dies changes no file."""
GATHERED_MILLISECONDS = 250
STEP_MILLISECONDS = 50
"""What changes within so much time is told together, and so often it is looked at."""

_DULL = frozenset({".heartbeat", ".resume-token", "runner.ndjson", ".writer.lock", ".gitignore"})


@frozen
class Touches:
    """Runs whose manifest or marker changed, runs of which some other file did, tasks whose history or rollups did, tasks with embedded
    runs in flight of which something was told."""

    runs: set[RunKey] = field(factory=set)
    details: set[RunKey] = field(factory=set)
    tasks: set[str] = field(factory=set)
    flights: set[str] = field(factory=set)


async def touches(runs_root: str) -> AsyncIterator[Touches]:
    """Forever; an empty one when nothing has happened for a while. Where changes cannot be watched, there are only empty ones."""
    while True:
        try:
            async for found in _watched(runs_root):
                yield found
        except* (OSError, RuntimeError):  # no folder yet, the kernel watches no more of them, or a name that is no UTF-8
            pass
        yield Touches()
        await anyio.sleep(REST_SECONDS)


async def _watched(runs_root: str) -> AsyncIterator[Touches]:
    """Until the folder is another one."""
    root = _real(runs_root)
    known = _identity(root)
    async for changes in awatch(
        root,
        watch_filter=_is_news,
        debounce=GATHERED_MILLISECONDS,
        step=STEP_MILLISECONDS,
        rust_timeout=int(REST_SECONDS * 1000),
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        yield sort_paths(root, (path for _, path in changes))
        if _identity(root) != known:
            return


def sort_paths(root: str, paths: Iterable[str]) -> Touches:
    """What the changed paths below the root speak of."""
    found = Touches()
    for path in paths:
        match path[len(root) + 1 :].split(os.sep):
            case [task, places.RUNS_OF_COMMAND_LINE, run_id] | [task, places.LIVE_RUNS, run_id]:
                found.runs.add((task, run_id))
            case [task, places.RUNS_OF_COMMAND_LINE, run_id, places.MANIFEST]:
                found.runs.add((task, run_id))
            case [task, places.RUNS_OF_COMMAND_LINE, run_id, *_]:
                found.details.add((task, run_id))
            case [task, places.IN_FLIGHT, *_]:
                found.flights.add(task)
            case [task, *_] if task:
                found.tasks.add(task)
    return found


def _real(path: str) -> str:
    """As the kernel names it in what it tells."""
    return os.path.realpath(path)


def _is_news(_: Change, path: str) -> bool:
    name = path.rpartition(os.sep)[2]
    return name not in _DULL and ".tmp" not in name


def _identity(root: str) -> tuple[int, int] | None:
    try:
        found = os.stat(root)
    except OSError:
        return None
    return found.st_dev, found.st_ino
