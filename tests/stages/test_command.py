"""A command that ends by itself: the facts of its end, its output in the log, and nothing left behind."""

import gc
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import pytest
from anyio import create_task_group, fail_after
from attrs import define, evolve, field

from orchestrator_py.errors import StoreError
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.stages import conversation
from orchestrator_py.stages.command import run_command
from orchestrator_py.store.event_log import MemoryStageLog
from tests.stages.running import (
    GRACE,
    SteppingClock,
    SystemClock,
    chunks,
    is_running,
    open_descriptors,
    own_children,
    run,
    said,
    spec_of,
    until,
)

# How it ended ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 3, 127, 255])
async def test_an_exit_code_is_told_as_it_is(code: int) -> None:
    execution = await run(f"exit {code}")
    assert (execution.exit_code, execution.signal, execution.stopped, execution.spawn_error) == (code, None, False, None)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGUSR1"])  # under nohup SIGHUP is ignored by all
async def test_a_death_by_signal_is_told_by_name_and_has_no_exit_code(name: str) -> None:
    execution = await run(f"kill -{name.removeprefix('SIG')} $$")
    assert (execution.exit_code, execution.signal, execution.stopped) == (None, name, False)


async def test_a_signal_without_a_name_is_told_by_number() -> None:
    execution = await run(f"kill -{signal.SIGRTMIN + 3} $$")
    assert execution.signal == f"SIG{signal.SIGRTMIN + 3}"


def test_a_status_that_somebody_else_collected_is_unknown_and_never_a_zero() -> None:
    program = """
import anyio, signal
from tests.stages.running import run
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
execution = anyio.run(run, "echo said; exit 0")
print(execution.exit_code, execution.signal, execution.spawn_error, execution.stdout.text)
"""
    told = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "None None None said\n\n"
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (spec_of("true", cwd=Path("/no/such/folder")), "No such file or directory: /no/such/folder"),
        (spec_of("true", cwd=Path("/dev/null")), "Not a directory: /dev/null"),
        (spec_of("echo a\0b"), "embedded null byte"),
        (spec_of("echo \ud800"), "surrogates not allowed"),
        (spec_of("x" * 3_000_000), "Argument list too long: /bin/sh"),
        (evolve(spec_of("true"), env={"A=B": "C"}), "illegal environment variable name"),
    ],
    ids=["no folder", "no folder but a file", "NUL", "surrogate", "too long", "bad environment"],
)
async def test_a_command_that_cannot_be_started_says_why(spec: CommandSpec, reason: str) -> None:
    log = MemoryStageLog()
    execution = await run_command(spec, log, clock=SystemClock(), grace=GRACE)
    assert execution.spawn_error is not None
    assert reason in execution.spawn_error
    assert execution.exit_code is None
    assert [event["type"] for event in log.events] == ["command:start", "exec:begin", "exec:end", "command:end"]
    assert log.events[2]["status"] == "failed"


def test_no_free_descriptor_is_an_end_like_any_other() -> None:
    program = """
import anyio, resource
from tests.stages.running import open_descriptors, run
async def main():
    await run("true")
    before = open_descriptors()
    for room in range(12):
        resource.setrlimit(resource.RLIMIT_NOFILE, (before + room, 1024))
        execution = await run("true")
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
        print(room, execution.exit_code, execution.spawn_error, open_descriptors() - before)
anyio.run(main)
"""
    told = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stderr == ""
    first, *_, last = lines = told.stdout.splitlines()
    assert first.startswith("0 None Too many open files")
    assert last == "11 0 None 0"
    assert all(line.endswith(" 0") for line in lines), lines


async def test_the_duration_is_the_monotonic_clock_s() -> None:
    log = MemoryStageLog()
    execution = await run_command(spec_of("true"), log, clock=SteppingClock(), grace=GRACE)
    assert execution.duration.total_seconds() == 1.5
    assert [event["duration_ms"] for event in log.events[-2:]] == [1500, 1500]


async def test_it_works_where_the_kernel_does_not_tell_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise OSError("not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    execution = await run("exec >&- 2>&-; exec sh -c 'exit 5'")
    assert execution.exit_code == 5


async def test_many_commands_at_once_keep_their_ends_apart() -> None:
    codes: dict[int, int | None] = {}

    async def run_one(code: int) -> None:
        log = MemoryStageLog()
        codes[code] = (await run(f"echo {code}; exit {code}", log=log)).exit_code
        assert said(log) == f"{code}\n"

    async with create_task_group() as tasks:
        for code in range(40):
            tasks.start_soon(run_one, code)
    assert codes == {code: code for code in range(40)}


# What it was given -------------------------------------------------------------------------------------------------


async def test_the_environment_is_the_one_that_was_given_and_nothing_more(tmp_path: Path) -> None:
    log = MemoryStageLog()
    spec = CommandSpec(command='cd "$WHERE" && /usr/bin/env', cwd=tmp_path, env={"WHERE": "/"})
    await run_command(spec, log, clock=SystemClock(), grace=GRACE)
    assert set(said(log).splitlines()) - {"PWD=/", f"OLDPWD={tmp_path}"} == {"WHERE=/"}


async def test_it_runs_in_its_folder_and_leads_its_own_session(tmp_path: Path) -> None:
    log = MemoryStageLog()
    spec = spec_of("pwd; echo $$; cut -d' ' -f5,6 /proc/self/stat", cwd=tmp_path)
    await run_command(spec, log, clock=SystemClock(), grace=GRACE)
    folder, pid, group_and_session = said(log).splitlines()
    assert (folder, group_and_session) == (str(tmp_path), f"{pid} {pid}")


async def test_the_input_is_empty_unless_one_is_given() -> None:
    assert (await run("cat; echo end")).stdout.text == "end\n"


async def test_a_long_input_arrives_whole_while_output_flows() -> None:
    log = MemoryStageLog()
    text = b"0123456789abcdef" * 70_000
    assert (await run("cat", log=log, stdin_text=text)).exit_code == 0
    assert said(log).encode() == text


@pytest.mark.parametrize("text", [b"", b"x" * 1_000_000])
async def test_a_command_need_not_read_its_input(text: bytes) -> None:
    assert (await run("exec true", stdin_text=text)).exit_code == 0


# What it said ------------------------------------------------------------------------------------------------------


async def test_the_log_holds_the_events_of_the_contract_key_by_key(tmp_path: Path) -> None:
    log = MemoryStageLog()
    spec = evolve(spec_of("printf out; sleep 0.01; printf err >&2; exit 2", cwd=tmp_path), attempt=3, session_id="s", correlation_id="c")
    await run_command(spec, log, clock=SteppingClock(), grace=GRACE)
    same = {"correlation_id": "c", "attempt": 3}
    place = {"args": [], "cwd": str(tmp_path), "session_id": "s", "sandbox_state": "sandboxed", "persisted": True}
    end = {"exit_code": 2, "signal": None, "duration_ms": 1500}
    expected: list[dict[str, object]] = [
        {"type": "command:start", "command": spec.command},
        {"type": "exec:begin", **same, "command": spec.command, **place},
        {"type": "exec:chunk", **same, "stream": "stdout", "sequence": 1, "bytes": 3, "data": "out"},
        {"type": "exec:chunk", **same, "stream": "stderr", "sequence": 2, "bytes": 3, "data": "err"},
        {"type": "exec:end", **same, **end, "status": "failed"},
        {"type": "command:end", **end},
    ]
    assert [list(event.items()) for event in log.events] == [list(event.items()) for event in expected]


async def test_bytes_that_are_no_text_are_spelled_out_and_a_nul_stays() -> None:
    log = MemoryStageLog()
    execution = await run(r"printf 'a\377b\0c\342\202\254'", log=log)
    assert said(log) == execution.stdout.text == "a\\xffb\0c€"
    assert sum(int(str(chunk["bytes"])) for chunk in chunks(log, "stdout")) == 8


async def test_a_character_that_two_pieces_share_is_whole_in_the_log() -> None:
    log = MemoryStageLog()
    await run(f"{sys.executable} -c \"import sys; sys.stdout.write('x' + '€' * 100_000)\"", log=log)
    assert len(chunks(log, "stdout")) > 1
    assert said(log) == "x" + "€" * 100_000


@define
class HashingLog:
    """Keeps nothing: a checksum of all output, and whether the pieces came in order."""

    checksum: int = 0
    size: int = 0
    sequence: int = 0

    async def append(self, *events: Mapping[str, object]) -> None:
        for event in events:
            if event["type"] == "exec:chunk":
                data = str(event["data"]).encode()
                assert event["sequence"] == self.sequence + 1
                self.sequence += 1
                self.size += len(data)
                self.checksum = crc32(data, self.checksum)


async def test_twenty_megabytes_arrive_complete_and_in_order_in_little_memory() -> None:
    log = HashingLog()
    tracemalloc.start()
    try:
        execution = await run("seq 1 2900000", log=log)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    expected = "".join(f"{number}\n" for number in range(1, 2_900_001)).encode()
    assert log.size == len(expected) > 20_000_000
    assert log.checksum == crc32(expected)
    assert peak < 4_000_000
    assert execution.stdout.truncated
    assert execution.stdout.tail.endswith("2899999\n2900000\n")


async def test_output_that_nobody_ends_with_a_newline_and_closed_streams_are_fine() -> None:
    execution = await run("printf x; exec >&- 2>&-; exec sleep 0.01")
    assert (execution.exit_code, execution.stdout.text) == (0, "x")


# What it left behind -----------------------------------------------------------------------------------------------


async def test_a_grandchild_that_keeps_the_pipes_open_does_not_hold_up_the_end_and_is_left_alone() -> None:
    execution = await run("sleep 600 & echo $!")
    daemon = int(execution.stdout.text)
    try:
        assert execution.exit_code == 0
        assert is_running(daemon)
    finally:
        os.kill(daemon, signal.SIGKILL)


@define
class PatientLog:
    """Takes the first piece of output only when the command, which said its number, has ended."""

    inner: MemoryStageLog = field(factory=MemoryStageLog)

    async def append(self, *events: Mapping[str, object]) -> None:
        if events[0]["type"] == "exec:chunk" and not said(self.inner):
            pid = int(str(events[0]["data"]))
            await until(lambda: not is_running(pid))
        await self.inner.append(*events)


async def test_all_that_the_command_itself_wrote_is_read_even_without_any_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "DRAIN_SECONDS", -1.0)
    log = PatientLog()
    await run("echo $$; sleep 0.05; head -c 60000 /dev/zero | tr '\\0' x; sleep 600 & echo $! >&2", log=log)
    os.kill(int(said(log.inner, "stderr")), signal.SIGKILL)
    assert said(log.inner).endswith("x" * 60_000)


async def test_a_grandchild_that_floods_the_pipes_does_not_hold_up_the_end() -> None:
    execution = await run("yes & echo $! >&2", log=HashingLog())
    os.kill(int(execution.stderr.text), signal.SIGKILL)
    assert execution.exit_code == 0


async def test_no_descriptor_and_no_process_is_left() -> None:
    await run("true")
    descriptors, children = open_descriptors(), own_children()
    for command in ("true", "exit 3", "kill -9 $$", "echo x; echo y >&2"):
        await run(command, stdin_text=b"input")
        await run_command(spec_of(command, cwd=Path("/no/such/folder")), MemoryStageLog(), clock=SystemClock(), grace=GRACE)
    gc.collect()  # a process that was not collected would complain now
    assert (open_descriptors(), own_children()) == (descriptors, children)


# When the log fails ------------------------------------------------------------------------------------------------


@define
class FailingLog:
    """Fails at the first event of a type, the other way round than a disk: at a known place."""

    kind: str
    inner: MemoryStageLog = field(factory=MemoryStageLog)

    async def append(self, *events: Mapping[str, object]) -> None:
        if any(event["type"] == self.kind for event in events):
            raise StoreError("disk full")
        await self.inner.append(*events)


@pytest.mark.parametrize("kind", ["command:start", "exec:begin", "exec:chunk", "exec:end", "command:end"])
async def test_a_log_that_cannot_be_written_ends_the_command_and_says_so_plainly(kind: str) -> None:
    descriptors, children = open_descriptors(), own_children()
    never = "; sleep 600" if kind == "exec:chunk" else ""
    with fail_after(60), pytest.raises(StoreError, match="disk full"):
        await run(f"echo x{never}", log=FailingLog(kind))
    assert (open_descriptors(), own_children()) == (descriptors, children)
