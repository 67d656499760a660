"""The output of a running command: the event loop reads it as it comes, but no faster than it is taken away."""

import os
from collections.abc import Callable
from fcntl import ioctl
from struct import calcsize, unpack
from termios import FIONREAD
from typing import Literal

from orchestrator_py.lean import define, field
from orchestrator_py.stages.capture import Capture
from orchestrator_py.stages.watch import Watch

CHUNK_BYTES = 64 * 1024


@define(eq=False, kw_only=True)
class Stream:
    """A pipe that a command writes to. `tell` is called when it has said something; and at its end, if that `end_is_news`.

    At most CHUNK_BYTES wait here to be taken; more waits in the pipe, and when that is full, so does the command.
    """

    name: Literal["stdout", "stderr"]
    descriptor: int
    watch: Watch
    tell: Callable[[], object]
    end_is_news: bool
    capture: Capture = field(factory=Capture, init=False)
    is_open: bool = field(default=True, init=False)
    owed: int = field(default=0, init=False)  # bytes that are to be read whatever happens
    _waiting: bytearray = field(factory=bytearray, init=False)
    _is_read: bool = field(default=False, init=False)

    def read_on(self) -> None:
        """From now on what comes is read; to the end, or until too much waits."""
        if self.is_open and not self._is_read:
            self.watch.add(self.descriptor, self._read)
            self._is_read = True

    def rest(self) -> None:
        """Nothing is read."""
        if self._is_read:
            self.watch.remove(self.descriptor)
            self._is_read = False

    @property
    def was_silent(self) -> bool:
        """Nothing has come so far."""
        return not self._waiting and self.capture.is_empty

    def take(self) -> bytes:
        """What waits."""
        if not self._waiting:
            return b""
        data = bytes(self._waiting)
        self._waiting.clear()
        self.read_on()
        return data

    def owe(self) -> None:
        """What lies in the pipe is to be read."""
        answer = ioctl(self.descriptor, FIONREAD, bytes(calcsize("i")))
        self.owed = int(unpack("i", answer)[0])

    def _read(self) -> None:
        data = os.read(self.descriptor, CHUNK_BYTES - len(self._waiting))
        self.owed = max(0, self.owed - len(data))
        self._waiting += data
        self.is_open = bool(data)
        if not self.is_open or len(self._waiting) == CHUNK_BYTES:
            self.rest()
        if self.is_open or self.end_is_news:
            self.tell()
