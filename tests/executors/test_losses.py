"""What is lost is told as lost, and nothing is run twice: workers and schedulers that die, or leave, while commands run on them."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from anyio import fail_after
from attrs import frozen

from orchestrator_py.core.outcome import execution_outcome
from orchestrator_py.executors import dask_executor
from orchestrator_py.executors.dask_executor import DaskExecutor
from orchestrator_py.model.execution import Execution, LossKind
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.stages.command import run_command
from orchestrator_py.store.event_log import MemoryStageLog
from tests.executors.cluster import Cluster, connected, processes_with, running_cluster
from tests.executors.test_commands import run, spec_of
from tests.stages.running import PATIENCE_SECONDS, SystemClock, until


@frozen
class Place:
    """A cluster of its own, and an executor on it."""

    cluster: Cluster
    executor: DaskExecutor


@asynccontextmanager
async def own_cluster(folder: Path, *, workers: int = 2, threads: int = 2) -> AsyncIterator[Place]:
    with running_cluster(folder, workers=workers, threads=threads) as cluster:
        async with connected(cluster, workers) as client, DaskExecutor(client, runner=run_command) as executor:
            yield Place(cluster, executor)


class Commands:
    """Commands that add a line to `begun` and wait for a word; each is told which worker took it, and how it ended."""

    def __init__(self, folder: Path, executor: DaskExecutor) -> None:
        self.folder, self.executor = folder, executor
        self.ends: dict[int, Execution] = {}
        self.logs: dict[int, MemoryStageLog] = {}
        self.mark = f"{id(self)}5.5"

    def begin(self, group: anyio.abc.TaskGroup, count: int) -> None:
        for number in range(count):
            group.start_soon(self._run, number)

    async def _run(self, number: int) -> None:
        command = f"echo {number} $(basename $PPID) >> begun; while [ ! -e go ]; do sleep 0.05; done; : {self.mark}; exit {number % 2}"
        log = self.logs[number] = MemoryStageLog()
        self.ends[number] = await run(self.executor, spec_of(command, self.folder), log)

    def begun(self) -> list[int]:
        file = self.folder / "begun"
        return sorted(int(line.split()[0]) for line in file.read_text().splitlines()) if file.exists() else []

    def let_go(self) -> None:
        (self.folder / "go").touch()

    def on(self, worker: str) -> set[int]:
        return {number for number, end in self.ends.items() if str(end.worker).startswith(worker)}


async def test_a_killed_worker_loses_what_ran_on_it_and_nothing_is_run_twice(tmp_path: Path) -> None:
    async with own_cluster(tmp_path / "dask", threads=4) as place:
        commands = Commands(tmp_path, place.executor)
        with fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                commands.begin(group, 8)
                await until(lambda: commands.begun() == list(range(8)))
                place.cluster.workers[0].send_signal(signal.SIGKILL)
                await until(lambda: len(commands.ends) == 4)
                commands.let_go()
        lost, kept = commands.on("w0"), commands.on("w1")
        assert (len(lost), len(kept)) == (4, 4)
        for number in lost:
            end = commands.ends[number]
            assert execution_outcome(end) is Outcome.CRASHED
            assert end.loss is not None
            assert end.loss.kind is LossKind.WORKER
            assert "may or may not have run" in end.loss.detail
            assert (end.exit_code, end.signal) == (None, None)
            assert [event["type"] for event in commands.logs[number].events][-2:] == ["exec:end", "command:end"]
        assert {number: commands.ends[number].exit_code for number in kept} == {number: number % 2 for number in kept}
        await until(lambda: not processes_with(commands.mark))
        assert commands.begun() == list(range(8))


class StandingClock(SystemClock):
    """It goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


async def test_what_is_lost_has_lasted_since_it_was_begun_however_long_it_waited_for_a_place(tmp_path: Path) -> None:
    clock, log, ends = StandingClock(), MemoryStageLog(), list[Execution]()
    async with own_cluster(tmp_path / "dask", workers=1, threads=1) as place:

        async def work() -> None:
            spec = spec_of("touch late; sleep 1000", tmp_path)
            ends.append(await place.executor.run_command(spec, log, clock=clock, grace=Grace()))

        commands = Commands(tmp_path, place.executor)
        with fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                commands.begin(group, 1)
                await until(lambda: commands.begun() == [0])
                group.start_soon(work)
                await until(lambda: len(place.executor._places.known) == 2)
                clock.seconds = 100.0
                commands.let_go()
                await until((tmp_path / "late").exists)
                clock.seconds = 103.0
                place.cluster.workers[0].send_signal(signal.SIGKILL)
    assert (ends[0].loss and ends[0].loss.kind, ends[0].duration) == (LossKind.WORKER, timedelta(seconds=3))
    assert (log.events[-1]["type"], log.events[-1]["duration_ms"]) == ("command:end", 3000)


@pytest.mark.parametrize("with_setpriv", [True, False])
async def test_nothing_of_a_command_outlives_its_worker(tmp_path: Path, with_setpriv: bool) -> None:
    mark = f"6{os.getpid()}.5"
    commands = (f"sleep {mark} & sleep {mark}", f"sleep {mark} | sleep {mark}", f"(trap '' TERM HUP; sleep {mark}; :) & exec sleep {mark}")
    (tmp_path / "sleep").symlink_to(str(shutil.which("sleep")))
    variables = {} if with_setpriv else {"PATH": str(tmp_path)}
    ends: list[Execution] = []

    async def work(command: str) -> None:
        ends.append(await run(executor, spec_of(command, tmp_path)))

    with running_cluster(tmp_path / "dask", workers=1, threads=len(commands), variables=variables) as cluster:
        async with (
            connected(cluster, 1) as client,
            DaskExecutor(client, runner=run_command) as executor,
            anyio.create_task_group() as group,
        ):
            for command in commands:
                group.start_soon(work, command)
            await until(lambda: bool(ends) or len(processes_with(f"sleep\0{mark}")) == 6)
            assert ends == []
            cluster.workers[0].send_signal(signal.SIGKILL)
            await until(lambda: not processes_with(mark))
    assert [end.loss and end.loss.kind for end in ends] == [LossKind.WORKER] * 3


async def test_what_only_waited_on_a_killed_worker_runs_elsewhere(tmp_path: Path) -> None:
    async with own_cluster(tmp_path / "dask", threads=1) as place:
        commands = Commands(tmp_path, place.executor)
        with fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                commands.begin(group, 10)
                await until(lambda: len(commands.begun()) == 2)
                place.cluster.workers[0].send_signal(signal.SIGKILL)
                await until(lambda: len(commands.ends) == 1)
                commands.let_go()
        lost = [end for end in commands.ends.values() if end.loss is not None]
        assert len(lost) == 1
        assert commands.begun() == list(range(10))


async def test_a_worker_that_is_told_to_leave_takes_its_work_along_and_the_engine_does_not_repeat_it(tmp_path: Path) -> None:
    async with own_cluster(tmp_path / "dask", threads=1) as place:
        commands = Commands(tmp_path, place.executor)
        async with connected(place.cluster) as other:
            with fail_after(PATIENCE_SECONDS):
                async with anyio.create_task_group() as group:
                    commands.begin(group, 2)
                    await until(lambda: len(commands.begun()) == 2)
                    await other.retire_workers(names=["w0"])
                    await until(lambda: len(commands.ends) == 1)
                    commands.let_go()
        (gone,) = commands.on("w0")
        assert execution_outcome(commands.ends[gone]) is Outcome.CRASHED
        assert commands.ends[gone].loss is not None
        assert commands.begun() == [0, 1]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_scheduler_is_an_engine_lost_for_what_ran_and_for_what_comes_after(tmp_path: Path, end: signal.Signals) -> None:
    async with own_cluster(tmp_path / "dask") as place:
        commands = Commands(tmp_path, place.executor)
        with fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                commands.begin(group, 4)
                await until(lambda: len(commands.begun()) == 4)
                place.cluster.scheduler.send_signal(end)
            later = await run(place.executor, spec_of("touch later", tmp_path))
        losses = [end.loss for end in commands.ends.values()]
        assert [loss and loss.kind for loss in losses] == [LossKind.ENGINE] * 4
        assert all(loss is not None and "may or may not have run" in loss.detail for loss in losses)
        assert later.loss is not None
        assert (later.loss.kind, "did not run" in later.loss.detail) == (LossKind.ENGINE, True)
        assert not (tmp_path / "later").exists()
        await until(lambda: not processes_with(commands.mark))  # the workers end what they ran when they lose their scheduler


async def test_a_worker_that_stands_still_is_named_as_a_leak_when_it_does_not_answer_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator_py.executors.attempt._STOP_SECONDS", 0.2)
    monkeypatch.setattr("orchestrator_py.executors.attempt._AFTER_KILL_SECONDS", 0.2)
    async with own_cluster(tmp_path / "dask", workers=1) as place:
        ends: list[Execution] = []

        async def work() -> None:
            from datetime import timedelta

            from orchestrator_py.model.grace import Grace

            ends.append(await run(place.executor, spec_of("touch begun; sleep 1000", tmp_path), grace=Grace(timedelta())))

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await until((tmp_path / "begun").exists)
            place.cluster.workers[0].send_signal(signal.SIGSTOP)
            group.cancel_scope.cancel()
        assert (ends[0].stopped, ends[0].leaked, ends[0].exit_code) == (True, True, None)


async def test_a_worker_ends_what_it_runs_when_the_manager_is_not_heard_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "BEAT_SECONDS", 3600.0)
    leased = "import orchestrator_py.executors.wire as w; w.LEASE_SECONDS = w.UNCLAIMED_SECONDS = 1.0"
    (tmp_path / "lease.py").write_text(leased)
    with running_cluster(tmp_path / "dask", workers=0) as cluster:
        cluster.add_worker("--preload", str(tmp_path / "lease.py"))
        async with connected(cluster, 1) as client, DaskExecutor(client, runner=run_command) as executor:
            commands = Commands(tmp_path, executor)
            task = asyncio.ensure_future(commands._run(0))
            await until(lambda: commands.begun() == [0])
            for place in tuple(executor._places.known.values()):
                place.link = None  # type: ignore[assignment]  # a manager that is gone asks for nothing
            await until(lambda: not processes_with(commands.mark))
            task.cancel()
            await asyncio.wait({task})
