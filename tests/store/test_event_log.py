"""The event logs of a run: whole lines, each in both files, and a failure that nobody can overlook."""

import json
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from anyio import CancelScope, create_task_group
from anyio.lowlevel import checkpoint
from attrs import define, field

from orchestrator_py.errors import StoreError
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.event_log import SLOW_SECONDS, EventLog, LogFile, MemoryEventLog, command_log_name, open_event_log


@define
class SteppingClock:
    """Each look at it is so many seconds after the one before: with none the disk never seems slow, with some it always does."""

    step: float = 0.0
    seconds: float = field(default=0.0, init=False)

    def now(self) -> Timestamp:
        return Timestamp("2025-12-21T14:02:47.637Z")

    def monotonic(self) -> float:
        self.seconds += self.step
        return self.seconds


CLOCK = SteppingClock()
on_a_quick_and_on_a_slow_disk = pytest.mark.parametrize("clock", [CLOCK, SteppingClock(SLOW_SECONDS)], ids=["quick", "slow"])


def lines_of(path: Path) -> list[dict[str, object]]:
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content[:-1].split(b"\n")]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this program can grow beyond `size`: for a writer the same as a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# Lines -------------------------------------------------------------------------------------------------------------


async def test_a_line_is_the_event_then_its_time_and_the_stage_s_place(tmp_path: Path) -> None:
    async with (
        open_event_log(runner_path=tmp_path / "run/runner.ndjson", commands_folder=tmp_path / "run/commands", clock=CLOCK) as log,
        log.open_stage(index=7, stage_id="Build: all!") as stage,
    ):
        await stage.append({"type": "exec:chunk", "data": 'é\u2028"\0'})
    expected = '{"type":"exec:chunk","data":"é\u2028\\"\\u0000","timestamp":"2025-12-21T14:02:47.637Z","index":7}\n'.encode()
    assert (tmp_path / "run/runner.ndjson").read_bytes() == expected
    assert (tmp_path / "run/commands/07-Build-all.ndjson").read_bytes() == expected


@on_a_quick_and_on_a_slow_disk
async def test_the_lines_of_stages_that_run_at_once_never_mix(tmp_path: Path, clock: SteppingClock) -> None:
    async def work(index: int) -> None:
        async with log.open_stage(index=index, stage_id="s") as stage:
            for number in range(30):
                await stage.append({"number": number, "data": chr(97 + index) * (1 + 7919 * number % 100_000)})

    async with (
        open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path / "commands", clock=clock) as log,
        create_task_group() as tasks,
    ):
        for index in range(12):
            tasks.start_soon(work, index)
    everything = lines_of(tmp_path / "runner.ndjson")
    assert len(everything) == 12 * 30
    for index in range(12):
        own = lines_of(tmp_path / "commands" / command_log_name(index, "s"))
        assert own == [line for line in everything if line["index"] == index]
        assert [line["number"] for line in own] == list(range(30))
        assert {character for line in own for character in str(line["data"])} == {chr(97 + index)}


@on_a_quick_and_on_a_slow_disk
async def test_a_line_is_on_disk_when_the_append_returns(tmp_path: Path, clock: SteppingClock) -> None:
    async with (
        open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path, clock=clock) as log,
        log.open_stage(index=1, stage_id="a") as stage,
    ):
        for number in range(3):
            await stage.append({"number": number})
            assert [line["number"] for line in lines_of(tmp_path / "runner.ndjson")] == list(range(number + 1))
            assert lines_of(tmp_path / "01-a.ndjson") == lines_of(tmp_path / "runner.ndjson")


async def test_a_line_whose_writer_is_cancelled_while_it_waits_for_its_turn_is_written_all_the_same(tmp_path: Path) -> None:
    async def write(number: int, scope: CancelScope) -> None:
        async with log.open_stage(index=number, stage_id="a") as stage:
            with scope:
                await stage.append({"number": number})

    scopes = [CancelScope() for _ in range(10)]
    descriptors = len(os.listdir("/proc/self/fd"))
    async with (
        open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path, clock=SteppingClock(SLOW_SECONDS)) as log,
        create_task_group() as tasks,
    ):
        for number, scope in enumerate(scopes):
            tasks.start_soon(write, number, scope)
        await checkpoint()
        for scope in scopes:
            scope.cancel()
    assert any(scope.cancelled_caught for scope in scopes)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert sorted(str(line["number"]) for line in lines_of(tmp_path / "runner.ndjson")) == [str(number) for number in range(10)]
    assert all((tmp_path / command_log_name(number, "a")).exists() for number in range(10))


async def test_logs_that_are_there_are_continued_and_a_torn_line_stays_alone(tmp_path: Path) -> None:
    runner, own = tmp_path / "runner.ndjson", tmp_path / "01-a.ndjson"
    runner.write_bytes(b'{"number":1}\n{"num')
    own.write_bytes(b'{"number":1}\n')
    async with (
        open_event_log(runner_path=runner, commands_folder=tmp_path, clock=CLOCK) as log,
        log.open_stage(index=1, stage_id="a") as stage,
    ):
        await stage.append({"number": 2})
    line = b'{"number":2,"timestamp":"2025-12-21T14:02:47.637Z","index":1}\n'
    assert runner.read_bytes() == b'{"number":1}\n{"num\n' + line
    assert own.read_bytes() == b'{"number":1}\n' + line


async def test_a_stage_that_says_nothing_has_no_file(tmp_path: Path) -> None:
    async with (
        open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path / "commands", clock=CLOCK) as log,
        log.open_stage(index=1, stage_id="a"),
    ):
        pass
    assert (tmp_path / "runner.ndjson").read_bytes() == b""
    assert not (tmp_path / "commands").exists()


@pytest.mark.parametrize(("step", "threads"), [(SLOW_SECONDS * 0.9, 0), (SLOW_SECONDS, 1)])
async def test_no_deadline_waits_for_a_disk_that_was_slow_once(tmp_path: Path, step: float, threads: int) -> None:
    others = set(threading.enumerate())  # those of other logs end when they come to it
    async with (
        open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path, clock=SteppingClock(step)) as log,
        log.open_stage(index=1, stage_id="a") as stage,
    ):
        await stage.append({"number": 1})
        await stage.append({"number": 2})
        assert [thread.name for thread in set(threading.enumerate()) - others].count("event log") == threads
    assert [line["number"] for line in lines_of(tmp_path / "runner.ndjson")] == [1, 2]


# Failures ----------------------------------------------------------------------------------------------------------


@on_a_quick_and_on_a_slow_disk
async def test_a_full_disk_is_named_with_its_file_and_is_final(tmp_path: Path, clock: SteppingClock) -> None:
    told: list[StoreError] = []

    async def write() -> None:
        async with (
            open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path, clock=clock) as log,
            log.open_stage(index=1, stage_id="a") as stage,
            log.open_stage(index=2, stage_id="b") as other,
        ):
            await stage.append({"number": 1})
            with files_of_at_most(100), pytest.raises(StoreError) as first:
                await stage.append({"number": 2})
            told.append(first.value)
            for late in (stage, other):
                with pytest.raises(StoreError) as again:
                    await late.append({"number": 3})
                told.append(again.value)

    with pytest.raises(StoreError, match=r"runner\.ndjson: cannot write to it") as refused:
        await write()
    assert told == [refused.value] * 3
    torn = (tmp_path / "runner.ndjson").read_bytes()
    assert json.loads(torn.split(b"\n")[0])["number"] == 1
    assert len(torn) == 100


@on_a_quick_and_on_a_slow_disk
async def test_everybody_whose_line_was_in_the_batch_that_failed_is_told(tmp_path: Path, clock: SteppingClock) -> None:
    told: list[int] = []

    async def write(number: int) -> None:
        async with log.open_stage(index=number, stage_id="a") as stage:
            try:
                await stage.append({"number": number})
            except StoreError:
                told.append(number)

    log = EventLog(runner=LogFile(path=tmp_path / "runner.ndjson"), commands_folder=tmp_path, clock=clock)
    with files_of_at_most(10):
        async with create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(write, number)
    await log.close()
    assert sorted(told) == list(range(20))


@pytest.mark.parametrize("place", ["runner.ndjson", "commands/01-a.ndjson", "commands"])
async def test_something_else_in_the_place_of_a_file_is_named(tmp_path: Path, place: str) -> None:
    if place == "commands":
        (tmp_path / place).write_text("a file")
    else:
        (tmp_path / place).mkdir(parents=True)
    with pytest.raises(StoreError, match=place):
        async with (
            open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path / "commands", clock=CLOCK) as log,
            log.open_stage(index=1, stage_id="a") as stage,
        ):
            await stage.append({"number": 1})


async def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "runner.ndjson").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"runner\.ndjson: is a symbolic link"):
        async with open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path, clock=CLOCK):
            pytest.fail("it was opened")
    assert not (tmp_path / "elsewhere").exists()


async def test_what_the_block_raises_comes_out_plain_and_the_lines_are_kept(tmp_path: Path) -> None:
    async def write() -> None:
        async with (
            open_event_log(runner_path=tmp_path / "runner.ndjson", commands_folder=tmp_path, clock=CLOCK) as log,
            log.open_stage(index=1, stage_id="a") as stage,
        ):
            await stage.append({"number": 1})
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await write()
    assert len(lines_of(tmp_path / "runner.ndjson")) == 1


# In memory ---------------------------------------------------------------------------------------------------------


async def test_the_twin_in_memory_keeps_the_events_of_each_stage() -> None:
    log = MemoryEventLog()
    for number in range(2):
        async with log.open_stage(index=1, stage_id="a") as stage:
            await stage.append({"number": number})
    assert {index: stage.events for index, stage in log.stages.items()} == {1: [{"number": 0}, {"number": 1}]}
