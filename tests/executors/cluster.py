"""A real scheduler and real workers on loopback, each a process of its own, and what is left of them afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
from attrs import define, field
from distributed import Client

from orchestrator_py.executors.quiet import quieten

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
NOTHING: Mapping[str, str] = {}
T = TypeVar("T")


@define(eq=False)
class Cluster:
    """`workers` are named w0, w1 and so on."""

    folder: Path
    variables: Mapping[str, str]
    words: Sequence[str]
    host: str
    scheduler: "subprocess.Popen[bytes]" = field(init=False)
    workers: "list[subprocess.Popen[bytes]]" = field(factory=list, init=False)

    @property
    def file(self) -> Path:
        """Names the scheduler."""
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        return str(json.loads(self.file.read_text())["address"])

    def start(self) -> None:
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self.file))
        wait_until(self._is_whole)

    def _is_whole(self) -> bool:
        """The scheduler writes its file piece by piece."""
        try:
            return bool(self.address)
        except (OSError, ValueError):
            return False

    def add_worker(self, *words: str, threads: int = 2) -> "subprocess.Popen[bytes]":
        """It may take a second until the scheduler knows it."""
        name = f"w{len(self.workers)}"
        line = ("--scheduler-file", str(self.file), "--name", name, "--nthreads", str(threads), "--no-nanny")
        worker = self._start("worker", *line, "--local-directory", str(self.folder), *words)
        self.workers.append(worker)
        return worker

    def meet_workers(self) -> None:
        """Returns when the scheduler knows all of them: a run has as many lanes as there are slots when it starts."""
        log = self.folder / "cluster.log"
        wait_until(lambda: log.read_text(errors="replace").count("Register worker addr") >= len(self.workers))

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_SECONDS)

    def _start(self, kind: str, *words: str) -> "subprocess.Popen[bytes]":
        line = [
            sys.executable,
            "-m",
            f"distributed.cli.dask_{kind}",
            "--host",
            self.host,
            "--no-dashboard",
            "--dashboard-address",
            "127.0.0.1:0",
            *self.words,
            *words,
        ]
        with (self.folder / "cluster.log").open("ab") as log:
            return subprocess.Popen(
                line,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore", **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextmanager
def running_cluster(
    folder: Path,
    *,
    workers: int = 2,
    threads: int = 2,
    allowed_failures: int = 0,
    words: Sequence[str] = (),
    variables: Mapping[str, str] = NOTHING,
    host: str = "127.0.0.1",
) -> Iterator[Cluster]:
    """Everything that was started is gone when it is left."""
    folder.mkdir(exist_ok=True)
    repeating = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures)}
    cluster = Cluster(folder, {**repeating, **variables}, words, host)
    cluster.start()
    try:
        for _ in range(workers):
            cluster.add_worker(threads=threads)
        cluster.meet_workers()
        yield cluster
    finally:
        cluster.end()


def wait_for(ask: Callable[[], T]) -> T:
    """The first answer that is true; fails if there never is one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return answer


def wait_until(condition: Callable[[], object]) -> None:
    """Returns when the condition holds; fails if it never does."""
    wait_for(condition)


def processes_with(mark: str) -> set[int]:
    """The living processes with this text on their command line."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                state = (folder / "stat").read_text()
                if mark.encode() in (folder / "cmdline").read_bytes() and state[state.rindex(")") + 2] not in "ZX":
                    found.add(int(folder.name))
    return found


@asynccontextmanager
async def connected(cluster: Cluster, workers: int = 2) -> AsyncIterator[Client]:
    """A client of this program."""
    quieten()
    client: Any = await Client(cluster.address, asynchronous=True, set_as_default=False, timeout=10)
    try:
        await client.wait_for_workers(workers, timeout=PATIENCE_SECONDS)
        yield client
    finally:
        with anyio.move_on_after(5, shield=True):
            await client.close()
