"""The talk with a running command: output is taken as it comes, input is fed, and the end is waited for or brought about."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from math import inf
from signal import SIGCONT, SIGKILL, SIGTERM

from anyio import CancelScope, move_on_after, sleep
from anyio.lowlevel import checkpoint

from orchestrator_py.lean import define, field
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.stages.process_group import ProcessGroup
from orchestrator_py.stages.stream import CHUNK_BYTES, Stream
from orchestrator_py.stages.watch import Watch, running_watch

DRAIN_SECONDS = 0.5
KILL_SECONDS = 5.0
_PROBE_SECONDS = 0.01  # the kernel does not tell when the last member of a group goes: it has to be asked
_LONGEST_PROBE_SECONDS = 0.1


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
    _streams: tuple[Stream, ...] = field(default=(), init=False)
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop, init=False)
    _watch: Watch = field(factory=running_watch, init=False)
    _watches_exit: bool = field(default=False, init=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def run(self, *, grace: Grace, elapsed: Callable[[], timedelta]) -> Execution:
        """Until the command has ended by itself, or was ended since the caller is cancelled."""
        try:
            self._open()
            return await self._run(grace, elapsed)
        except BaseException:
            with CancelScope(shield=True):
                await self._kill()
            raise
        finally:
            self._close()

    async def _run(self, grace: Grace, elapsed: Callable[[], timedelta]) -> Execution:
        stopped = leaked = False
        try:
            while not self.group.has_ended():
                await self._step(inf)
        except asyncio.CancelledError:
            stopped = True
        if stopped:
            with CancelScope(shield=True):
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
        for stream in self._streams:
            stream.end_is_news = True  # perhaps the last member went with it
        self.group.signal(SIGTERM)
        self.group.signal(SIGCONT)
        await self._gone_before(grace.is_over)
        self.group.signal(SIGKILL)
        return await self._gone_before(lambda waited_seconds: waited_seconds >= KILL_SECONDS)

    async def _gone_before(self, is_over: Callable[[float], bool]) -> bool:
        """Whether the group goes before its time, asked with the seconds that were waited, is over."""
        started_at, pause = self._loop.time(), _PROBE_SECONDS
        while self.group.is_alive():
            if is_over(self._loop.time() - started_at):
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
        if left := self._open_streams():
            deadline = self._loop.time() + DRAIN_SECONDS
            for stream in left:
                stream.owe()
                stream.end_is_news = True
            with CancelScope(shield=True):
                while any(stream.owed or self._loop.time() < deadline for stream in self._open_streams()):
                    await self._step(deadline - self._loop.time())
        for stream in self._streams:
            if not stream.was_silent:
                await self._take(stream, stream.take(), final=True)

    # Talking -----------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        group, watch, tell = self.group, self._watch, self._news.set
        stdin, is_polled = group.process.stdin, group.must_be_polled  # where nothing tells of the end, that of the output is a hint
        self._streams = (
            Stream(name="stdout", descriptor=group.stdout, watch=watch, tell=tell, end_is_news=is_polled),
            Stream(name="stderr", descriptor=group.stderr, watch=watch, tell=tell, end_is_news=is_polled),
        )
        for stream in self._streams:
            stream.read_on()
        if stdin is not None:
            os.set_blocking(stdin.fileno(), False)
            self._loop.add_writer(stdin, self._feed)
        if group.exit_watch is not None:
            watch.add(group.exit_watch, self._note_end)
            self._watches_exit = True

    def _close(self) -> None:
        for stream in self._streams:
            stream.rest()
        if self.group.process.stdin is not None and not self.group.process.stdin.closed:
            self._loop.remove_writer(self.group.process.stdin)
        self._rest_exit_watch()

    def _open_streams(self) -> list[Stream]:
        return [stream for stream in self._streams if stream.is_open]

    async def _step(self, seconds: float) -> None:
        """Waits until there is something to do, at most that long, and does it."""
        await self._wait(min(seconds, _PROBE_SECONDS) if self.group.must_be_polled else seconds)
        self._news.clear()
        for stream in self._streams:
            if data := stream.take():
                await self._take(stream, data)

    async def _wait(self, seconds: float) -> None:
        """For news; never without a turn of the event loop, or output without end would keep a cancellation out."""
        if self._news.is_set():
            await checkpoint()
        elif seconds == inf:
            await self._news.wait()
        else:
            alarm = self._loop.call_later(max(0.0, seconds), self._news.set)
            try:
                await self._news.wait()
            finally:
                alarm.cancel()

    def _note_end(self) -> None:
        self._rest_exit_watch()
        self._news.set()

    def _rest_exit_watch(self) -> None:
        if self._watches_exit and self.group.exit_watch is not None:
            self._watch.remove(self.group.exit_watch)
            self._watches_exit = False

    async def _take(self, stream: Stream, data: bytes, *, final: bool = False) -> None:
        text, size = stream.capture.feed(data, final=final)
        if text:
            with CancelScope(shield=True):
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
            self._loop.remove_writer(pipe)
            pipe.close()
