"""What commands cost on a Dask cluster of this machine, beside what the engine itself needs for as many futures."""

import argparse
import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.executors.dask_executor import DaskExecutor
from orchestrator_py.executors.local_cluster import local_cluster
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.grace import Grace
from orchestrator_py.ports import StageLog
from orchestrator_py.stages.command import run_command

if TYPE_CHECKING:
    from distributed import Client

COMMANDS = 200
TALKERS = 20
STOPPED = 20
LINES_A_SECOND = "i=0; while [ $i -lt 50 ]; do seq 100; sleep 0.1; i=$((i+1)); done"  # 1,000 a second, for five seconds
MUCH = "yes 0123456789abcdefghijklmnopqrst | head -c 100000000"


class _Counted:
    """A log that keeps only how much was said."""

    def __init__(self) -> None:
        self.lines = self.characters = 0

    async def append(self, *events: Mapping[str, object]) -> None:
        for event in events:
            text = str(event.get("data", ""))
            self.lines += text.count("\n")
            self.characters += len(text)


def add_dask(dask: argparse.ArgumentParser) -> None:
    """The words of `python -m bench dask`."""
    dask.add_argument("--workers", type=int, default=2, metavar="N", help="worker processes, a slot each (default: %(default)s)")
    dask.add_argument("--reps", type=int, default=5, metavar="N", help="rounds that count, after one that does not (default: %(default)s)")


def measure_dask(workers: int, rounds: int) -> Iterator[str]:
    """Lines to print."""
    yield from asyncio.run(_measure(workers, rounds))


async def _measure(workers: int, rounds: int) -> Sequence[str]:
    async with _executor(workers, slots=1) as (client, executor):
        samples = [await _round(client, executor) for _ in range(rounds + 1)][1:]
    async with _executor(workers, slots=-(-TALKERS // workers)) as (_, executor):
        return [*_ratios(samples), *await _output(executor)]


@asynccontextmanager
async def _executor(workers: int, *, slots: int) -> AsyncIterator[tuple["Client", DaskExecutor]]:
    from distributed import Client

    async with local_cluster(workers, slots=slots) as file, Client(scheduler_file=file, asynchronous=True, set_as_default=False) as client:
        engine: Any = client  # its annotations are those of a client that is not asynchronous
        await engine.wait_for_workers(workers)
        async with DaskExecutor(client, runner=run_command) as executor:
            yield client, executor


async def _round(client: "Client", executor: DaskExecutor) -> tuple[float, float, float]:
    """Seconds: our commands, the engine's futures that run the same command, its futures that do nothing."""
    ours = await _timed(lambda: asyncio.gather(*(_run(executor, "true", _Counted()) for _ in range(COMMANDS))))
    commands = await _timed(lambda: _futures(client, subprocess.call, ["true"]))
    nothing = await _timed(lambda: _futures(client, int))
    return ours, commands, nothing


def _ratios(samples: Sequence[tuple[float, float, float]]) -> Iterator[str]:
    ours, commands, nothing = (median(column) for column in zip(*samples, strict=True))
    yield f"{COMMANDS} x true, recorded:                  {ours:.2f} s"
    yield f"{COMMANDS} futures that run true:             {commands:.2f} s, ratio {median(one / two for one, two, _ in samples):.2f}"
    yield f"{COMMANDS} futures that do nothing:           {nothing:.2f} s, ratio {median(one / three for one, _, three in samples):.2f}"


async def _output(executor: DaskExecutor) -> Sequence[str]:
    much, many = _Counted(), [_Counted() for _ in range(TALKERS)]
    seconds = await _timed(lambda: _run(executor, MUCH, much))
    spoken = await _timed(lambda: asyncio.gather(*(_run(executor, LINES_A_SECOND, log) for log in many)))
    lines = sum(log.lines for log in many)
    stopped = [await _stop(executor) for _ in range(STOPPED)]
    return [
        f"100 MB from one command:               {seconds:.2f} s, {much.characters / 1e6:.0f} MB arrived",
        f"{TALKERS} commands, 1,000 lines a second each:  {spoken:.2f} s for 5 s of them, {lines} lines arrived",
        f"a command that is cancelled:           {median(stopped) * 1000:.0f} ms until its end is back, {max(stopped) * 1000:.0f} at most",
    ]


async def _stop(executor: DaskExecutor) -> float:
    """Seconds from the cancellation of a command that runs until it is told how it has ended."""
    log = _Counted()
    command = asyncio.ensure_future(_run(executor, "echo begun; exec sleep 1000", log))
    while not log.lines:  # noqa: ASYNC110 - a log sets no event
        await asyncio.sleep(0.005)
    command.cancel()
    return await _timed(lambda: command)


async def _run(executor: DaskExecutor, command: str, log: StageLog) -> None:
    await executor.run_command(CommandSpec(command=command, cwd=Path("/"), env={}), log, clock=SystemClock(), grace=Grace())


async def _futures(client: "Client", *work: object) -> None:
    call, *arguments = work
    submit: Callable[..., object] = client.submit
    futures = [submit(call, *arguments, pure=False, key=f"bench-{uuid4().hex}") for _ in range(COMMANDS)]
    await client.gather(futures)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun
