"""The talk with a running command: output is taken as it comes, input is fed, and the end is waited for or brought about."""

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from fcntl import ioctl
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from signal import SIGCONT, SIGKILL, SIGTERM
from struct import calcsize, unpack
from termios import FIONREAD
from typing import Literal

from anyio import CancelScope, current_time, get_cancelled_exc_class, move_on_after, sleep
from attrs import field

from orchestrator_py.lean import define
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.stages.capture import Capture
from orchestrator_py.stages.process_group import ProcessGroup
from orchestrator_py.stages.readiness import readable

CHUNK_BYTES = 64 * 1024
DRAIN_SECONDS = 0.5
KILL_SECONDS = 5.0
_PROBE_SECONDS = 0.01  # the kernel does not tell when the last member of a group goes: it has to be asked
_LONGEST_PROBE_SECONDS = 0.1


@define(eq=False, kw_only=True)
class _Stream:
    """A pipe that the command writes to. `owed` bytes lay in it when the command ended; they are read whatever happens."""

    name: Literal["stdout", "stderr"]
    descriptor: int
    capture: Capture = field(factory=Capture)
    is_open: bool = True
    owed: int = 0


@define(eq=False, kw_only=True)
class Conversation:
    """Everything happens in the caller's task, so nothing outlives the call and errors come plain.

    `put` gets the name of a stream, its next piece of text and the number of bytes behind it; while it waits, nothing more is read,
    and a command that prints more than a pipe holds waits too. The command is waited for in `_step` alone: a cancellation comes
    in there and never cuts off a piece on its way to the log.
    """

    group: ProcessGroup
    put: Callable[[str, str, int], Awaitable[None]]
    stdin: bytes = b""
    _streams: tuple[_Stream, ...] = field(default=(), init=False)

    async def run(self, *, grace: Grace, elapsed: Callable[[], timedelta]) -> Execution:
        """Until the command has ended by itself, or was ended since the caller is cancelled."""
        try:
            return await self._run(grace, elapsed)
        except BaseException:
            with CancelScope(shield=True):
                await self._kill()
            raise

    async def _run(self, grace: Grace, elapsed: Callable[[], timedelta]) -> Execution:
        self._open()
        stopped = leaked = False
        try:
            while not self.group.has_ended():
                await self._step(inf)
        except get_cancelled_exc_class():
            stopped = True
        with CancelScope(shield=True):
            if stopped:
                leaked = not await self._stop(grace)
            duration = elapsed()
            await self._drain()
        stdout, stderr = (stream.capture.output() for stream in self._streams)
        return Execution(
            exit_code=self.group.exit_code,
            signal=self.group.signal_name,
            stopped=stopped,
            leaked=leaked,
            duration=duration,
            stdout=stdout,
            stderr=stderr,
        )

    # Ending ------------------------------------------------------------------------------------------------------------

    async def _stop(self, grace: Grace) -> bool:
        """SIGTERM, and SIGCONT for those that stand still; after the grace SIGKILL. False if even then something is left.

        SIGKILL goes to a group of zombies too: it cannot hurt, and a member that was born while we looked is not missed.
        """
        self.group.signal(SIGTERM)
        self.group.signal(SIGCONT)
        await self._gone_before(grace.is_over)
        self.group.signal(SIGKILL)
        return await self._gone_before(lambda waited_seconds: waited_seconds >= KILL_SECONDS)

    async def _gone_before(self, is_over: Callable[[float], bool]) -> bool:
        """Whether the group goes before its time, asked with the seconds that were waited, is over."""
        started_at, pause = current_time(), _PROBE_SECONDS
        while self.group.is_alive():
            if is_over(current_time() - started_at):
                return False
            await self._step(pause)
            pause = min(2 * pause, _LONGEST_PROBE_SECONDS)
        return True

    async def _kill(self) -> None:
        """Nothing that it still says can be put on record."""
        self.group.signal(SIGKILL)
        with move_on_after(KILL_SECONDS):
            while self.group.is_alive():  # noqa: ASYNC110 - the kernel sets no event
                await sleep(_PROBE_SECONDS)

    async def _drain(self) -> None:
        """The rest of the output: to the end of the pipes, or, if somebody else still holds them, for a short while.

        A slow log takes nothing from what the command itself wrote.
        """
        deadline = current_time() + DRAIN_SECONDS
        for stream in self._open_streams():
            stream.owed = _readable_bytes(stream.descriptor)
        while any(stream.owed or current_time() < deadline for stream in self._open_streams()):
            await self._step(deadline - current_time())
        for stream in self._streams:
            await self._take(stream, b"", final=True)

    # Talking -----------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        process, selector = self.group.process, self.group.selector
        assert process.stdout is not None
        assert process.stderr is not None
        self._streams = (
            _Stream(name="stdout", descriptor=process.stdout.fileno()),
            _Stream(name="stderr", descriptor=process.stderr.fileno()),
        )
        for stream in self._streams:
            selector.register(stream.descriptor, EVENT_READ, stream)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, EVENT_WRITE)

    def _open_streams(self) -> list[_Stream]:
        return [stream for stream in self._streams if stream.is_open]

    async def _step(self, seconds: float) -> None:
        """Waits until there is something to do, at most that long, and does it."""
        with move_on_after(min(seconds, _PROBE_SECONDS) if self.group.must_be_polled else seconds):
            await readable(self.group.selector.fileno())
        with CancelScope(shield=True):
            for key, events in self.group.selector.select(0):
                if isinstance(key.data, _Stream):
                    await self._read(key.data)
                elif events & EVENT_WRITE:
                    self._feed()

    async def _read(self, stream: _Stream) -> None:
        data = os.read(stream.descriptor, CHUNK_BYTES)
        stream.owed = max(0, stream.owed - len(data))
        if data:
            await self._take(stream, data)
        else:
            stream.is_open = False
            self.group.selector.unregister(stream.descriptor)

    async def _take(self, stream: _Stream, data: bytes, *, final: bool = False) -> None:
        text, size = stream.capture.feed(data, final=final)
        if text:
            await self.put(stream.name, text, size)

    def _feed(self) -> None:
        """The next piece of the input; a command that reads no further has had enough of it."""
        pipe = self.group.process.stdin
        assert pipe is not None
        try:
            self.stdin = self.stdin[os.write(pipe.fileno(), self.stdin[:CHUNK_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.stdin = b""
        if not self.stdin:
            self.group.selector.unregister(pipe)
            pipe.close()


def _readable_bytes(descriptor: int) -> int:
    """How much lies in a pipe, unread."""
    answer = ioctl(descriptor, FIONREAD, bytes(calcsize("i")))
    return int(unpack("i", answer)[0])
