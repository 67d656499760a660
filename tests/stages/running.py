"""Real commands for the tests of this folder: how they are run, and what the kernel knows about them afterwards."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from anyio import fail_after, sleep
from attrs import define, field

from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.ports import StageLog
from orchestrator_py.stages.command import run_command
from orchestrator_py.store.event_log import MemoryStageLog

GRACE = Grace(timedelta(minutes=10))
PATIENCE_SECONDS = 60.0


class SystemClock:
    """The real time."""

    def now(self) -> Timestamp:
        return Timestamp("2025-12-21T14:02:47.637Z")

    def monotonic(self) -> float:
        return time.monotonic()


@define
class SteppingClock:
    """Each look at it is 1.5 seconds after the one before."""

    seconds: float = field(default=0.0, init=False)

    def now(self) -> Timestamp:
        return Timestamp("2025-12-21T14:02:47.637Z")

    def monotonic(self) -> float:
        self.seconds += 1.5
        return self.seconds


def spec_of(command: str, *, cwd: Path | None = None, stdin_text: bytes | None = None) -> CommandSpec:
    return CommandSpec(command=command, cwd=cwd or Path("/"), env=dict(os.environ), stdin_text=stdin_text)


async def run(command: str, *, log: StageLog | None = None, stdin_text: bytes | None = None, grace: Grace = GRACE) -> Execution:
    spec = spec_of(command, stdin_text=stdin_text)
    with fail_after(PATIENCE_SECONDS):
        return await run_command(spec, log or MemoryStageLog(), clock=SystemClock(), grace=grace)


def chunks(log: MemoryStageLog, stream: str) -> list[Mapping[str, object]]:
    return [event for event in log.events if event["type"] == "exec:chunk" and event["stream"] == stream]


def said(log: MemoryStageLog, stream: str = "stdout") -> str:
    """What a stream says in the log, put together again."""
    return "".join(str(chunk["data"]) for chunk in chunks(log, stream))


def state_of(pid: int) -> str | None:
    """One letter for what a process does (`T`: stopped, `Z`: zombie), None if there is none with this number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat[stat.rindex(")") + 2]


def is_running(pid: int) -> bool:
    return state_of(pid) not in (None, "Z", "X")


def own_children() -> set[int]:
    """The children of this program, zombies included."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(pid) for children in lists for pid in children.read_text().split()}


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails if it never does."""
    with fail_after(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - another process makes it true, which sets no event here
            await sleep(0.005)
