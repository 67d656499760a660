"""The event logs of one run: every line in runner.ndjson, and the lines of each stage in a file of its own.

A program that reads them while they grow finds whole lines, but for one at the very end that a crash or a full disk has torn.
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock as ThreadLock

from anyio import CancelScope, Lock, to_thread
from anyio.lowlevel import checkpoint
from attrs import field

from orchestrator_py.core.json_text import compact_json, encode_json
from orchestrator_py.core.names import command_log_name as command_log_name
from orchestrator_py.errors import StoreError
from orchestrator_py.lean import define, frozen
from orchestrator_py.ports import Clock, StageLog
from orchestrator_py.store.files import make_folders, open_file, telling, write_all


@asynccontextmanager
async def open_event_log(*, runner_path: Path, commands_folder: Path, clock: Clock) -> "AsyncIterator[EventLog]":
    """The logs of one run; existing ones are continued. Folders are made. StoreError if a file cannot be opened or written."""
    runner = LogFile(path=runner_path)
    with CancelScope(shield=True):
        await to_thread.run_sync(runner.open)
    log = EventLog(runner=runner, commands_folder=commands_folder, clock=clock)
    try:
        yield log
    finally:
        with CancelScope(shield=True):
            await log.close()
    log.refuse_failure()


@define(eq=False)
class LogFile:
    """One file that is only appended to, in whole lines. All methods are synchronous and raise StoreError."""

    path: Path
    _descriptor: int | None = field(default=None, init=False)

    def open(self) -> None:
        """Makes folder and file if they are missing. A torn last line of a process that died gets its end, so that it stays alone."""
        if self._descriptor is not None:
            return
        self._descriptor = self._open_or_create()
        if self._is_torn(self._descriptor):
            self.append([b"\n"])

    def append(self, lines: Sequence[bytes]) -> None:
        """One write for all lines, which are whole, unless the disk takes less."""
        self.open()
        assert self._descriptor is not None
        with telling(self.path, "write to it"):
            write_all(self._descriptor, b"".join(lines))

    def close(self) -> None:
        """A second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with telling(self.path, "close it"):
                os.close(descriptor)

    def _open_or_create(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        with telling(self.path, "open it"):
            try:
                return open_file(self.path, flags)
            except FileNotFoundError:
                make_folders(self.path.parent)
                return open_file(self.path, flags)

    def _is_torn(self, descriptor: int) -> bool:
        with telling(self.path, "read it"):
            size = os.fstat(descriptor).st_size
            return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


@frozen(eq=False)
class _Line:
    file: LogFile
    text: bytes


@define(eq=False, kw_only=True)
class EventLog:
    """Shared by all stages of a run. An append returns when its line is written; what comes meanwhile goes out in the next batch.

    One hop to a thread carries a batch to all its files: the hop costs far more than the writing. A failed write is
    final, since the line it has torn must stay the last one: every later append raises the same StoreError.
    """

    runner: LogFile
    commands_folder: Path
    clock: Clock
    _waiting: list[_Line] = field(factory=list, init=False)
    _turn: Lock = field(factory=Lock, init=False)
    _disk: ThreadLock = field(factory=ThreadLock, init=False)  # a thread writes on when its asyncio task was cancelled
    _failure: StoreError | None = field(default=None, init=False)

    @asynccontextmanager
    async def open_stage(self, *, index: int, stage_id: str) -> AsyncIterator[StageLog]:
        """The log of one stage: `commands/NN-<slug>.ndjson`, opened with its first line and closed with the block."""
        file = LogFile(path=self.commands_folder / command_log_name(index, stage_id))
        try:
            yield _StageLog(log=self, file=file, index=index)
        finally:
            with CancelScope(shield=True):
                await self._write_waiting()
            with self._disk:
                file.close()

    async def append(self, file: LogFile, text: bytes) -> None:
        """Whole lines for the runner's log and for `file`. Lines whose writer was cancelled are written later."""
        self.refuse_failure()
        self._waiting.append(_Line(file, text))
        await self._write_waiting()
        self.refuse_failure()

    async def close(self) -> None:
        """Writes what still waits and closes the runner's log."""
        await self._write_waiting()
        with self._disk:
            self.runner.close()

    def refuse_failure(self) -> None:
        """Raises the StoreError of the write that failed, if one did."""
        if self._failure is not None:
            raise self._failure

    async def _write_waiting(self) -> None:
        """Takes all lines that wait; who comes second finds its line written by the first."""
        async with self._turn:
            batch, self._waiting = self._waiting, []
            if batch and self._failure is None:
                with CancelScope(shield=True):
                    await to_thread.run_sync(self._write, batch)

    def _write(self, batch: Sequence[_Line]) -> None:
        lines_of: dict[LogFile, list[bytes]] = {}
        for line in batch:
            lines_of.setdefault(self.runner, []).append(line.text)
            lines_of.setdefault(line.file, []).append(line.text)
        with self._disk:
            try:
                for file, lines in lines_of.items():
                    file.append(lines)
            except StoreError as error:
                self._failure = error


@frozen(kw_only=True, eq=False)
class _StageLog:
    """Adds time and place to each event."""

    log: EventLog
    file: LogFile
    index: int

    async def append(self, *events: Mapping[str, object]) -> None:
        place = {"timestamp": self.log.clock.now(), "index": self.index}
        await self.log.append(self.file, encode_json("".join([f"{compact_json({**event, **place})}\n" for event in events])))


# In memory ---------------------------------------------------------------------------------------------------------


@define(eq=False)
class MemoryStageLog:
    """A StageLog for tests and for embedding without files: the events as they came."""

    events: list[dict[str, object]] = field(factory=list)

    async def append(self, *events: Mapping[str, object]) -> None:
        await checkpoint()
        self.events.extend(dict(event) for event in events)


@define(eq=False)
class MemoryEventLog:
    """The twin of EventLog: the log of each stage by its place, across all times that it was opened."""

    stages: dict[int, MemoryStageLog] = field(factory=dict)

    @asynccontextmanager
    async def open_stage(self, *, index: int, stage_id: str) -> AsyncIterator[StageLog]:
        yield self.stages.setdefault(index, MemoryStageLog())
