"""`logs --follow`: the logs of a run that goes on, all of them at once, until it has ended."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import aiofiles
from aiofiles.threadpool.binary import AsyncBufferedReader

from orchestrator_py.reading.files import BLOCK, UnreadableError
from orchestrator_py.reading.stage_log import Piece, StageLog

REST_SECONDS = 0.1
"""Between two looks at logs that have nothing new."""


async def follow(logs: Sequence[StageLog], has_ended: Callable[[], bool], tell: Callable[[Piece], None]) -> None:
    """Tells every piece once, those of one stage in their order. UnreadableError if a log is no file."""
    async with AsyncExitStack() as opened:
        tails = [_Tail(log, opened) for log in logs]
        while True:
            ended = has_ended()  # asked first: what was written before the end is read after it
            found = await asyncio.gather(*(tail.read() for tail in tails))
            for piece in (piece for pieces in found for piece in pieces):
                tell(piece)
            if ended and not any(found):
                return
            if not any(found):
                await asyncio.sleep(REST_SECONDS)


class _Tail:
    """One log, from its first byte to wherever it has grown."""

    def __init__(self, log: StageLog, opened: AsyncExitStack) -> None:
        self._log = log
        self._opened = opened
        self._file: AsyncBufferedReader | None = None
        self._rest = b""

    async def read(self) -> list[Piece]:
        """The pieces in the whole lines that have come."""
        pieces: list[Piece] = []
        while not pieces:
            if self._file is None and not await self._open():
                break
            assert self._file is not None
            block = await self._file.read(BLOCK)
            if not block:
                break
            *lines, self._rest = (self._rest + block).split(b"\n")
            pieces = [piece for line in lines if (piece := self._log.piece_in(line)) is not None]
        return pieces

    async def _open(self) -> bool:
        try:
            self._file = await self._opened.enter_async_context(aiofiles.open(self._log.path, "rb", opener=_open_unlinked))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UnreadableError(self._log.path, f"cannot be opened: {error.strerror}") from None
        return True


def _open_unlinked(path: str, flags: int) -> int:
    """No link is followed, and nobody who waits at a FIFO holds us up."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
