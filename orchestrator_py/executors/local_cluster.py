"""A Dask cluster of real processes on this machine, for one call: it listens on loopback alone, and is gone afterwards."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import which
from signal import SIGKILL, SIGTERM
from tempfile import TemporaryDirectory

from anyio import CancelScope, current_time, sleep

from orchestrator_py.errors import InputError

START_SECONDS = 60.0
STOP_SECONDS = 3.0
_PROBE_SECONDS = 0.02
_DASK = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_LOGGING__DISTRIBUTED": "warning",
}


@asynccontextmanager
async def local_cluster(workers: int, *, slots: int = 1) -> AsyncIterator[str]:
    """The file that names the scheduler. Each worker has so many slots; a nanny starts a worker that has died again."""
    with TemporaryDirectory(prefix="orchestrator-py-dask-") as folder:
        processes: list[subprocess.Popen[bytes]] = []
        file = Path(folder) / "scheduler.json"
        shared = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
        try:
            processes.append(_start(folder, "scheduler", "--port", "0", "--scheduler-file", str(file), *shared))
            await _until_written(file, processes, Path(folder))
            counted = ("--nworkers", str(workers), "--nthreads", str(slots), "--nanny", "--local-directory", folder)
            processes.append(_start(folder, "worker", "--scheduler-file", str(file), *counted, *shared))
            yield str(file)
        finally:
            with CancelScope(shield=True):
                await _end(processes)


def _start(folder: str, kind: str, *words: str) -> "subprocess.Popen[bytes]":
    """In a session of its own, so that Ctrl-C is ours to answer; it dies with us where the kernel can be told so."""
    setpriv = which("setpriv")
    wrapper = () if setpriv is None else (setpriv, "--pdeathsig", "TERM", "--")
    with (Path(folder) / f"{kind}.log").open("wb") as log:
        return subprocess.Popen(
            [*wrapper, sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _environment() -> Mapping[str, str]:
    """The package is found where we found it, even if it was not installed."""
    known = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return {**os.environ, **_DASK, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *known])}


def _is_whole(file: Path) -> bool:
    """The scheduler writes it piece by piece."""
    import json

    try:
        return "address" in json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False


async def _until_written(file: Path, processes: Sequence["subprocess.Popen[bytes]"], folder: Path) -> None:
    deadline = current_time() + START_SECONDS
    while not _is_whole(file):
        if current_time() > deadline or processes[0].poll() is not None:
            said = (folder / "scheduler.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise InputError(f"The Dask scheduler did not start: {''.join(said) or 'it said nothing'}.")
        await sleep(_PROBE_SECONDS)


async def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Workers first, so that they do not look for a scheduler that is gone."""
    for process in reversed(processes):
        process.send_signal(SIGTERM)
        deadline = current_time() + STOP_SECONDS
        while process.poll() is None and current_time() < deadline:  # noqa: ASYNC110 - it sets no event
            await sleep(_PROBE_SECONDS)
        _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Nannies and workers are in the session of the process that we started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, SIGKILL)
    process.wait()
