"""A command that is stopped: the whole group ends, the facts come back, and nothing is left behind."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from anyio import CancelScope, create_task_group, fail_after
from anyio.lowlevel import checkpoint
from attrs import define, field

from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.stages import conversation
from orchestrator_py.stages.command import run_command
from orchestrator_py.store.event_log import MemoryStageLog
from tests.stages.running import (
    GRACE,
    SystemClock,
    is_running,
    open_descriptors,
    own_children,
    run,
    said,
    spec_of,
    state_of,
    until,
)


@define
class CancellingLog:
    """Cancels a scope while it takes its n-th event, from 0."""

    scope: CancelScope
    place: int
    inner: MemoryStageLog = field(factory=MemoryStageLog)

    async def append(self, *events: Mapping[str, object]) -> None:
        if len(self.inner.events) >= self.place:
            self.scope.cancel()
        await self.inner.append(*events)


async def stop_when(ready: Callable[[MemoryStageLog], bool], command: str, *, grace: Grace = GRACE) -> tuple[Execution, MemoryStageLog]:
    """Runs the command and cancels the call as soon as its log looks ready."""
    log = MemoryStageLog()
    scope = CancelScope()
    executions: list[Execution] = []

    async def run_it() -> None:
        with scope:
            executions.append(await run_command(spec_of(command), log, clock=SystemClock(), grace=grace))

    with fail_after(60):
        async with create_task_group() as tasks:
            tasks.start_soon(run_it)
            await until(lambda: ready(log))
            scope.cancel()
    return executions[0], log


def says(text: str) -> Callable[[MemoryStageLog], bool]:
    return lambda log: text in said(log)


async def test_a_command_that_exits_0_on_our_term_was_stopped_all_the_same() -> None:
    execution, log = await stop_when(says("ready"), "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
    assert (execution.exit_code, execution.signal, execution.stopped, execution.leaked) == (0, None, True, False)
    assert said(log) == "ready\nbye\n"
    assert log.events[-2]["status"] == "failed"
    assert log.events[-1]["type"] == "command:end"


async def test_a_command_that_does_nothing_about_it_dies_of_sigterm() -> None:
    execution, _ = await stop_when(says("ready"), "echo ready; exec sleep 600")
    assert (execution.exit_code, execution.signal, execution.stopped) == (None, "SIGTERM", True)


async def test_a_command_that_ignores_sigterm_gets_sigkill_after_the_grace() -> None:
    ignoring = "trap '' TERM; echo ready; while :; do sleep 600; done"
    execution, _ = await stop_when(says("ready"), ignoring, grace=Grace(timedelta(milliseconds=50)))
    assert (execution.exit_code, execution.signal, execution.stopped, execution.leaked) == (None, "SIGKILL", True, False)
    assert execution.duration >= timedelta(milliseconds=50)


async def test_hurry_takes_away_what_is_left_of_the_grace() -> None:
    grace, log, scope = Grace(timedelta(minutes=10)), MemoryStageLog(), CancelScope()
    executions: list[Execution] = []

    async def run_it() -> None:
        with scope:
            executions.append(await run("trap 'echo no' TERM; echo ready; while :; do sleep 0.01; done", log=log, grace=grace))

    async with create_task_group() as tasks:
        tasks.start_soon(run_it)
        await until(lambda: said(log) == "ready\n")
        scope.cancel()
        await until(lambda: "no" in said(log))
        grace.hurry()
    assert executions[0].signal == "SIGKILL"


async def test_the_grandchildren_of_the_group_are_gone_after_a_stop() -> None:
    family = "trap 'exit 0' TERM; sh -c 'trap \"\" TERM; sleep 600 & echo $!; wait' & sleep 600 & echo $!; echo ready; wait; wait"
    execution, log = await stop_when(lambda log: len(said(log).split()) == 3, family, grace=Grace(timedelta(milliseconds=50)))
    pids = [int(word) for word in said(log).split() if word != "ready"]
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)
    assert (execution.exit_code, execution.stopped, execution.leaked) == (0, True, False)


async def test_a_grandchild_has_its_grace_too_when_the_command_itself_ends_at_once() -> None:
    polite = "sh -c 'trap \"sleep 0.05; echo tidied; exit\" TERM; echo ready; while :; do sleep 0.01; done' & wait"
    execution, log = await stop_when(says("ready"), polite)
    assert said(log) == "ready\ntidied\n"
    assert execution.signal == "SIGTERM"


async def test_a_command_that_stands_still_is_woken_to_obey() -> None:
    asleep = "trap 'echo bye; exit 0' TERM; echo $$; kill -STOP $$; while :; do sleep 0.01; done"
    execution, log = await stop_when(lambda log: said(log) != "" and state_of(int(said(log))) == "T", asleep)
    assert said(log).endswith("bye\n")
    assert execution.exit_code == 0


async def test_a_flood_of_output_does_not_hold_up_a_stop() -> None:
    execution, _ = await stop_when(says("y"), "trap '' TERM; yes", grace=Grace(timedelta(milliseconds=50)))
    assert execution.signal == "SIGKILL"


async def test_a_process_that_left_the_group_and_keeps_the_pipes_does_not_hang_the_stop() -> None:
    execution, log = await stop_when(lambda log: len(said(log).split()) == 2, "setsid sh -c 'echo $$; exec sleep 600' & echo ready; wait")
    (escaped,) = (int(word) for word in said(log).split() if word != "ready")
    try:
        assert is_running(escaped)
        assert (execution.signal, execution.leaked) == ("SIGTERM", False)
    finally:
        os.kill(escaped, signal.SIGKILL)


async def test_a_group_that_outlives_sigkill_is_named_as_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    kill = os.killpg

    def kill_in_vain(group: int, number: int) -> None:
        kill(group, 0 if number == signal.SIGKILL else number)

    monkeypatch.setattr(os, "killpg", kill_in_vain)
    monkeypatch.setattr(conversation, "KILL_SECONDS", 0.05)
    immortal = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.01; done' & wait"
    execution, log = await stop_when(lambda log: said(log) != "", immortal, grace=Grace(timedelta()))
    kill(os.getpgid(int(said(log))), signal.SIGKILL)
    assert (execution.stopped, execution.leaked, execution.signal) == (True, True, "SIGTERM")


async def test_the_call_returns_and_the_scope_stays_cancelled() -> None:
    with CancelScope() as scope:
        execution = await run("echo ready; sleep 600", log=CancellingLog(scope, place=2))
        assert execution.stopped
        await checkpoint()
        pytest.fail("the cancellation was swallowed")
    assert scope.cancelled_caught


async def test_a_bare_task_cancel_is_answered_in_the_same_way() -> None:
    log = MemoryStageLog()
    task = asyncio.ensure_future(run("echo ready; sleep 600", log=log))
    await until(lambda: said(log) == "ready\n")
    task.cancel()
    execution = await task
    assert (execution.signal, execution.stopped) == ("SIGTERM", True)
    assert log.events[-1]["type"] == "command:end"


async def test_a_second_bare_cancel_skips_the_grace() -> None:
    log = MemoryStageLog()
    children = own_children()
    task = asyncio.ensure_future(run("trap 'echo no' TERM; echo ready; while :; do sleep 0.01; done", log=log))
    await until(lambda: said(log) == "ready\n")
    task.cancel()
    await until(lambda: "no" in said(log))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert own_children() == children


@pytest.mark.parametrize("place", range(6))
async def test_a_stop_at_any_event_leaves_a_log_that_is_whole_or_was_never_begun(place: int) -> None:
    children = own_children()
    executions: list[Execution] = []
    with CancelScope() as scope:
        log = CancellingLog(scope, place)
        executions.append(await run("printf out; sleep 0.02; printf err >&2", log=log))
    kinds = [event["type"] for event in log.inner.events]
    assert kinds[-2:] == ["exec:end", "command:end"] if executions else kinds == []
    assert bool(executions) == (place > 0)
    assert said(log.inner) == ("out" if executions else "")  # also when the stop came while the log took it
    assert own_children() == children


async def test_a_stop_at_whatever_turn_of_the_event_loop_leaves_no_process_and_no_descriptor() -> None:
    await run("true")
    descriptors, children = open_descriptors(), own_children()
    ends = {"before the start": 0, "stopped": 0, "by itself": 0}
    turns = 0
    while ends["by itself"] < 3:
        turns += 1 + turns // 10
        ends[await stop_after(turns, "echo x; echo y >&2; sleep 0.02; exit 4")] += 1
        assert (open_descriptors(), own_children()) == (descriptors, children), f"after {turns} turns"
    gc.collect()
    assert ends["before the start"] > 0


async def stop_after(turns: int, command: str) -> str:
    """How the command ended when its caller was cancelled after so many turns."""
    executions: list[Execution] = []
    log = MemoryStageLog()
    scope = CancelScope()

    async def run_it() -> None:
        with scope:
            executions.append(await run(command, log=log))

    async with create_task_group() as tasks:
        tasks.start_soon(run_it)
        for _ in range(turns):
            await checkpoint()
        scope.cancel()
    match executions:
        case [execution] if execution.stopped:
            return "stopped"
        case [execution]:
            assert (execution.exit_code, said(log), said(log, "stderr")) == (4, "x\n", "y\n")
            return "by itself"
        case _:
            return "before the start"
