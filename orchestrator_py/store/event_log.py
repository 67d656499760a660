"""The event logs of one run: every line in runner.ndjson, and the lines of each stage in a file of its own.

A program that reads them while they grow finds whole lines, but for one at the very end that a crash or a full disk has torn.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Self, TypeVarTuple

from anyio import CancelScope
from anyio.lowlevel import checkpoint

from orchestrator_py.core.json_text import compact_json, encode_json
from orchestrator_py.core.names import command_log_name as command_log_name
from orchestrator_py.lean import define, field
from orchestrator_py.ports import Clock, StageLog
from orchestrator_py.store.files import make_folders, open_file, store_error, telling, write_all

Ts = TypeVarTuple("Ts")


@asynccontextmanager
async def open_event_log(*, runner_path: Path, commands_folder: Path, clock: Clock) -> "AsyncIterator[EventLog]":
    """The logs of one run; existing ones are continued. Folders are made. StoreError if a file cannot be opened or written."""
    runner = LogFile(path=runner_path)
    runner.open()
    log = EventLog(runner=runner, commands_folder=commands_folder, clock=clock)
    try:
        yield log
    finally:
        with CancelScope(shield=True):
            await log.close()
    log.refuse_failure()


@define(eq=False)
class LogFile:
    """One file that is only appended to, in whole lines. All methods are synchronous and raise StoreError.

    What is done for each stage catches its errors itself: `telling` costs as much as some of the calls.
    """

    path: Path | str
    _descriptor: int | None = field(default=None, init=False)

    def open(self) -> None:
        """Makes folder and file if they are missing. A torn last line of a process that died gets its end, so that it stays alone."""
        if self._descriptor is None and not self._create():
            self._continue()

    def append(self, lines: bytes) -> None:
        """One write for all lines, which are whole, unless the disk takes less."""
        if self._descriptor is None:
            self.open()
        assert self._descriptor is not None
        try:
            write_all(self._descriptor, lines)
        except OSError as error:
            raise store_error(self.path, "write to it", error) from error

    def close(self) -> None:
        """A second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                os.close(descriptor)
            except OSError as error:
                raise store_error(self.path, "close it", error) from error

    def _create(self) -> bool:
        """Whether it is a new file: most are, and need no look at what stands there."""
        try:
            self._descriptor = _create_file(self.path)
        except FileNotFoundError:
            make_folders(Path(self.path).parent)
            with telling(self.path, "open it"):
                self._descriptor = _create_file(self.path)
        except FileExistsError:
            return False
        except OSError as error:
            raise store_error(self.path, "open it", error) from error
        return True

    def _continue(self) -> None:
        with telling(self.path, "open it"):
            self._descriptor = open_file(Path(self.path), os.O_RDWR | os.O_APPEND | os.O_CREAT)
        if self._is_torn(self._descriptor):
            self.append(b"\n")

    def _is_torn(self, descriptor: int) -> bool:
        with telling(self.path, "read it"):
            size = os.fstat(descriptor).st_size
            return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _create_file(path: Path | str) -> int:
    """FileExistsError if anything stands there, a symbolic link too."""
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


SLOW_SECONDS = 0.1
"""A disk that took so long for a batch once is slow."""


@define(eq=False)
class _Batch:
    """Lines that go to the disk together, in their order: all of them to the runner's log, and each to its file. Then files are closed."""

    lines: list[bytes] = field(factory=list, init=False)
    lines_of: "dict[LogFile, list[bytes]]" = field(factory=dict, init=False)
    closing: "list[LogFile]" = field(factory=list, init=False)
    written: asyncio.Event = field(factory=asyncio.Event, init=False)


@define(eq=False, kw_only=True)
class EventLog:
    """Shared by all stages of a run. An append returns when its line is written.

    That is done at once, as the way to a thread and back costs many times more, until the disk turns out to be slow: from then on a thread
    carries the lines there, a batch at a time, so that no deadline waits for it; what comes meanwhile goes out in the next batch.

    A failed write is final, since the line it has torn must stay the last one: every later append raises the same StoreError.
    """

    runner: LogFile
    commands_folder: Path
    clock: Clock
    _next: _Batch = field(factory=_Batch, init=False)
    _writing: _Batch | None = field(default=None, init=False)
    _thread: "SimpleQueue[_Batch | None] | None" = field(default=None, init=False)
    _failure: Exception | None = field(default=None, init=False)

    def open_stage(self, *, index: int, stage_id: str) -> "_StageLog":
        """The log of one stage: `commands/NN-<slug>.ndjson`, made with its first line; it is closed soon after the block."""
        path = f"{self.commands_folder}/{command_log_name(index, stage_id)}"  # a Path for each stage would cost more than its file
        return _StageLog(log=self, file=LogFile(path=path), index=index)

    def write_at_once(self, file: LogFile, lines: bytes) -> bool:
        """Whole lines for the runner's log and for `file`. False, and nothing is done, if the disk is slow."""
        if self._thread is not None:
            return False
        began = self.clock.monotonic()
        self._try(self._write, lines, {file: lines})
        if self.clock.monotonic() - began >= SLOW_SECONDS:
            self._start_thread()
        return True

    def put(self, file: LogFile, text: bytes) -> asyncio.Event:
        """The same by the thread. They are written, whatever becomes of the caller, when the answer is set."""
        batch = self._next
        batch.lines.append(text)
        batch.lines_of.setdefault(file, []).append(text)
        self._go_on()
        return batch.written

    def put_away(self, file: LogFile) -> None:
        """No line follows for the file: it is closed."""
        if self._thread is None:
            self._try(file.close)
        else:
            self._next.closing.append(file)
            self._go_on()

    async def close(self) -> None:
        """Writes what still waits and closes all files."""
        self.put_away(self.runner)
        while self._writing is not None:
            await self._writing.written.wait()
        if self._thread is not None:
            self._thread.put(None)

    def refuse_failure(self) -> None:
        """Raises the error of the write that failed, if one did."""
        if self._failure is not None:
            raise self._failure

    def _go_on(self) -> None:
        """Gives the thread what waits, unless it is busy: then it comes back for it."""
        if self._writing is not None or not (self._next.lines or self._next.closing):
            return
        self._writing, self._next = self._next, _Batch()
        assert self._thread is not None
        self._thread.put(self._writing)

    def _come_back(self, batch: _Batch) -> None:
        self._writing = None
        batch.written.set()
        self._go_on()

    def _start_thread(self) -> None:
        self._thread = SimpleQueue()
        Thread(target=self._work, args=(self._thread, asyncio.get_running_loop()), name="event log", daemon=True).start()

    def _work(self, batches: "SimpleQueue[_Batch | None]", loop: asyncio.AbstractEventLoop) -> None:
        while (batch := batches.get()) is not None:
            self._work_off(batch)
            with suppress(RuntimeError):  # the event loop was torn down
                loop.call_soon_threadsafe(self._come_back, batch)

    def _work_off(self, batch: _Batch) -> None:
        self._try(self._write, b"".join(batch.lines), {file: b"".join(lines) for file, lines in batch.lines_of.items()})
        for file in batch.closing:
            self._try(file.close)

    def _try(self, work: Callable[[*Ts], object], *arguments: *Ts) -> None:
        try:
            work(*arguments)
        except Exception as error:  # whatever it is, nobody may take the lines for written
            self._failure = self._failure or error

    def _write(self, lines: bytes, lines_of: Mapping[LogFile, bytes]) -> None:
        if lines and self._failure is None:
            self.runner.append(lines)
            for file, own in lines_of.items():
                file.append(own)


@define(kw_only=True, eq=False)
class _StageLog:
    """Adds time and place to each event. Used as `async with`."""

    log: EventLog
    file: LogFile
    index: int
    _written: asyncio.Event | None = field(default=None, init=False)  # what came last

    async def append(self, *events: Mapping[str, object]) -> None:
        self.log.refuse_failure()
        place = {"timestamp": self.log.clock.now(), "index": self.index}
        lines = encode_json("".join([f"{compact_json({**event, **place})}\n" for event in events]))
        if not self.log.write_at_once(self.file, lines):
            self._written = self.log.put(self.file, lines)
            await self._written.wait()
        self.log.refuse_failure()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._written is not None and not self._written.is_set():  # its writer was cancelled
            with CancelScope(shield=True):
                await self._written.wait()
        self.log.put_away(self.file)


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
