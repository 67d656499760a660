"""Commands on real workers: the same facts and the same log as here, ended as here, whatever they print."""

import asyncio
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from anyio import fail_after

from orchestrator_py.errors import StoreError
from orchestrator_py.executors.dask_executor import DaskExecutor
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.ports import StageLog
from orchestrator_py.stages.command import run_command
from orchestrator_py.store.event_log import MemoryStageLog
from tests.executors.cluster import processes_with
from tests.stages.running import PATIENCE_SECONDS, SystemClock, is_running, said, state_of, until

NOTHING: Mapping[str, str] = {}


def spec_of(command: str, cwd: Path, env: Mapping[str, str] = NOTHING, **more: tuple[str, ...]) -> CommandSpec:
    return CommandSpec(command=command, cwd=cwd, env=env, **more)  # type: ignore[arg-type]  # only `asks` comes here


async def run(executor: DaskExecutor, spec: CommandSpec, log: StageLog | None = None, *, grace: Grace | None = None) -> Execution:
    with fail_after(PATIENCE_SECONDS):
        return await executor.run_command(spec, log or MemoryStageLog(), clock=SystemClock(), grace=grace or Grace())


def facts(execution: Execution) -> tuple[object, ...]:
    return execution.exit_code, execution.signal, execution.stopped, execution.loss, execution.stdout, execution.stderr


def shapes(log: MemoryStageLog) -> list[tuple[object, ...]]:
    """What does not differ between two runs of the same command; how much is read at a time is a matter of luck."""
    kept = [event for event in log.events if event["type"] != "exec:chunk"]
    return [(*event, *(event.get(key) for key in ("type", "exit_code", "signal", "status", "cwd"))) for event in kept]


async def test_twenty_commands_end_with_the_codes_that_they_end_with_here(executor: DaskExecutor, tmp_path: Path) -> None:
    specs = [spec_of(f"echo {number}; exit {number % 4}", tmp_path) for number in range(20)]
    found = await asyncio.gather(*(run(executor, spec) for spec in specs))
    assert [(one.exit_code, one.stdout.text) for one in found] == [(number % 4, f"{number}\n") for number in range(20)]
    assert all(str(one.worker).startswith(("w0 (tcp://127.0.0.1:", "w1 (tcp://127.0.0.1:")) for one in found)


@pytest.mark.parametrize(
    "command",
    ["true", "exit 7", "kill -9 $$", "printf 'a\\303'; printf '\\244b' ; printf x >&2", "head -c 200000 /dev/zero"],
    ids=["nothing", "code", "signal", "bytes", "much"],
)
async def test_facts_and_log_are_those_of_a_local_run(executor: DaskExecutor, tmp_path: Path, command: str) -> None:
    here, there = MemoryStageLog(), MemoryStageLog()
    local = await run_command(spec_of(command, tmp_path, os.environ), here, clock=SystemClock(), grace=Grace())
    remote = await run(executor, spec_of(command, tmp_path), there)
    assert facts(remote) == facts(local)
    assert [tuple(key for key in shape if key != "worker") for shape in shapes(there)] == shapes(here)
    assert (said(there), said(there, "stderr")) == (said(here), said(here, "stderr"))


async def test_a_command_that_cannot_be_started_says_why(executor: DaskExecutor, tmp_path: Path) -> None:
    execution = await run(executor, spec_of("true", tmp_path / "nowhere"))
    assert execution.exit_code is None
    assert "nowhere" in str(execution.spawn_error)


async def test_the_environment_is_that_of_the_worker_and_what_was_passed(executor: DaskExecutor, tmp_path: Path) -> None:
    log = MemoryStageLog()
    os.environ["NOT_PASSED_ON"] = "1"
    await run(executor, spec_of("env", tmp_path, {"PASSED": "it", "PYTHONWARNINGS": "default"}), log)
    found = said(log).splitlines()
    assert {"PASSED=it", "PYTHONWARNINGS=default"} <= set(found)
    assert any(line.startswith("PATH=") for line in found)
    assert not any(line.startswith("NOT_PASSED_ON") for line in found)


async def test_what_a_command_asks_for_decides_where_it_runs(client: object, tmp_path: Path) -> None:
    async with DaskExecutor(client, runner=run_command, resources={"gpu": 1}) as executor:  # type: ignore[arg-type]  # a Client
        found = await asyncio.gather(*(run(executor, spec_of("true", tmp_path, asks=("gpu",))) for _ in range(4)))
    assert {str(one.worker).partition(" ")[0] for one in found} == {"w1"}


# Ending ------------------------------------------------------------------------------------------------------------


async def test_a_cancelled_command_is_gone_when_the_call_returns_and_its_signal_is_told(executor: DaskExecutor, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    ends: list[Execution] = []

    async def work() -> None:
        ends.append(await run(executor, spec_of("sleep 1000 & echo $$ $! > pids; wait", tmp_path)))

    with fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await until(lambda: pids.exists() and bool(pids.read_text()))
            group.cancel_scope.cancel()
    assert (ends[0].stopped, ends[0].leaked, ends[0].signal) == (True, False, "SIGTERM")
    assert not any(is_running(int(pid)) for pid in pids.read_text().split())


async def test_a_command_that_does_not_heed_the_stop_is_killed_when_the_grace_is_taken_away(executor: DaskExecutor, tmp_path: Path) -> None:
    ready, grace = tmp_path / "ready", Grace(timedelta(minutes=10))
    ends: list[Execution] = []

    async def work() -> None:
        ends.append(await run(executor, spec_of("trap '' TERM; touch ready; while :; do sleep 1; done", tmp_path), grace=grace))

    with fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await until(ready.exists)
            group.cancel_scope.cancel()
            grace.hurry()
    assert (ends[0].stopped, ends[0].leaked, ends[0].signal) == (True, False, "SIGKILL")


async def test_what_waits_for_a_place_never_runs_once_it_is_cancelled(executor: DaskExecutor, tmp_path: Path) -> None:
    async with anyio.create_task_group() as group:
        for number in range(executor.slots):
            group.start_soon(run, executor, spec_of(f"touch begun-{number}; sleep 1000", tmp_path))
        with fail_after(PATIENCE_SECONDS):
            await until(lambda: len(list(tmp_path.glob("begun-*"))) == executor.slots)
        with anyio.move_on_after(0.2):
            await run(executor, spec_of("touch late", tmp_path))
        group.cancel_scope.cancel()
    assert (await run(executor, spec_of("true", tmp_path))).exit_code == 0  # every place was given back
    assert not (tmp_path / "late").exists()


class _FullDisk(MemoryStageLog):
    async def append(self, *events: Mapping[str, object]) -> None:
        if any(event["type"] == "exec:chunk" for event in events):
            raise StoreError("the disk is full")
        await super().append(*events)


async def test_a_log_that_cannot_be_written_ends_the_command(executor: DaskExecutor, tmp_path: Path) -> None:
    mark = f"{os.getpid()}3.25"
    with pytest.raises(StoreError, match="the disk is full"):
        await run(executor, spec_of(f"echo said; sleep {mark}", tmp_path), _FullDisk())
    await until(lambda: not processes_with(mark))


# Output ------------------------------------------------------------------------------------------------------------


class _Counting(MemoryStageLog):
    """Keeps no text."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = self.lines = 0

    async def append(self, *events: Mapping[str, object]) -> None:
        for event in events:
            text = str(event.get("data", ""))
            self.characters += len(text)
            self.lines += text.count("\n")


async def test_a_hundred_megabytes_of_one_command_arrive(executor: DaskExecutor, tmp_path: Path) -> None:
    log = _Counting()
    execution = await run(executor, spec_of("yes 0123456789abcdefghijklmnopqrst | head -c 100000000", tmp_path), log)
    assert (execution.exit_code, log.characters) == (0, 100_000_000)


async def test_many_lines_of_twenty_commands_arrive_each_in_its_own_log(executor: DaskExecutor, tmp_path: Path) -> None:
    logs = [_Counting() for _ in range(20)]
    command = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"
    await asyncio.gather(*(run(executor, spec_of(command, tmp_path), log) for log in logs))
    assert [log.lines for log in logs] == [2000] * 20


async def test_output_arrives_while_the_command_runs(executor: DaskExecutor, tmp_path: Path) -> None:
    log = MemoryStageLog()
    async with anyio.create_task_group() as group:
        group.start_soon(run, executor, spec_of("echo early; while [ ! -e go ]; do sleep 0.01; done; echo late", tmp_path), log)
        await until(lambda: said(log) == "early\n")
        (tmp_path / "go").touch()
    assert said(log) == "early\nlate\n"


async def test_a_slow_log_makes_the_command_wait(executor: DaskExecutor, tmp_path: Path) -> None:
    class Blocked(MemoryStageLog):
        async def append(self, *events: Mapping[str, object]) -> None:
            if any(event["type"] == "exec:chunk" for event in events):
                await opened.wait()

    opened = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(run, executor, spec_of("head -c 50000000 /dev/zero; touch done", tmp_path), Blocked())
        with fail_after(PATIENCE_SECONDS):
            await until(lambda: any(state_of(pid) == "S" for pid in processes_with("head\0-c\00050000000")))
        assert not (tmp_path / "done").exists()
        opened.set()
    assert (tmp_path / "done").exists()
