"""Counts the calls that change the disk, and does something at the n-th: the tests kill, tear or fail there."""

import errno
import fcntl
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

CHANGING = tuple(name for name in ("open", "write", "fsync", "fdatasync", "replace", "unlink", "mkdir") if hasattr(os, name))
LOOKING = ("stat", "lstat", "fstat", "listdir", "lseek", "close", "fdopen", "flock")
"""Calls that change nothing on disk; what `fdopen` returns counts its reads."""
COUNTS_SYNCS = pytest.mark.skipif(sys.platform == "darwin", reason="macOS syncs through fcntl, which is not counted here")
_MODULES = {"flock": fcntl}
_REAL: dict[str, Callable[..., Any]] = {name: getattr(_MODULES.get(name, os), name) for name in CHANGING + LOOKING}


@define(kw_only=True)
class Calls:
    """`at_call(number, name, arguments)` runs before each counted call; what it raises takes the place of the call."""

    at_call: Callable[[int, str, tuple[Any, ...]], None] = lambda number, name, arguments: None
    shortened: Callable[[int, bytes], bytes] = lambda number, data: data
    """As much of a write as the system takes."""
    count: int = 0
    raised: int = 0
    trace: list[str] = field(factory=list)
    """Each call with the file that it is about: `fsync metrics.pending`."""
    _names: dict[int, str] = field(factory=dict)
    bytes_written: int = 0
    sync: bool = True
    """False: fsync and fdatasync are counted but left out, which only a power loss could tell."""
    looking: bool = False
    """True: calls that only look are counted too."""

    def _at_call(self, name: str, arguments: tuple[Any, ...]) -> None:
        try:
            self.at_call(self.count, name, arguments)
        except OSError:
            self.raised += 1
            raise

    def wrapper(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not self.looking and not arguments[1] & os.O_CREAT:
                return self._opened(arguments, options)
            self.count += 1
            self.trace.append(f"{name} {self._file(name, arguments)}")
            if name == "close":
                _REAL[name](*arguments)  # a close that fails has closed nevertheless
            self._at_call(name, arguments)
            return None if name == "close" else self._done(name, arguments, options)

        return call

    def _done(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        match name:
            case "open":
                return self._opened(arguments, options)
            case "write":
                written: int = _REAL[name](arguments[0], self.shortened(self.count, arguments[1]))
                self.bytes_written += written
                return written
            case "fsync" | "fdatasync" if not self.sync:
                return None
            case "fdopen":
                return io.BufferedReader(_CountedFile(arguments[0], self))
            case _:
                return _REAL[name](*arguments, **options)

    def reading(self, descriptor: int) -> None:
        self.count += 1
        self.trace.append(f"read {self._file('read', (descriptor,))}")
        self._at_call("read", (descriptor,))

    def _opened(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
        descriptor: int = _REAL["open"](*arguments, **options)
        self._names[descriptor] = _short_name(arguments[0])
        return descriptor

    def _file(self, name: str, arguments: tuple[Any, ...]) -> str:
        if isinstance(arguments[0], int):
            return self._names.get(arguments[0], "?")
        return _short_name(arguments[-1] if name == "replace" else arguments[0])


class _CountedFile(io.FileIO):
    """Reads count as calls."""

    def __init__(self, descriptor: int, calls: Calls) -> None:
        super().__init__(descriptor, "rb")
        self._calls = calls

    def readinto(self, buffer: Any, /) -> int:
        self._calls.reading(self.fileno())
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._calls.reading(self.fileno())
        return super().readall()


def _short_name(path: object) -> str:
    """The last part of a path, without what is different each time."""
    return re.sub(r"\.tmp-.*", ".tmp", re.sub(r"^[0-9]{20}-[0-9a-f]{32}", "queued", Path(str(path)).name))


def refuse_links(*_: object) -> None:
    """In place of `os.link`: what FAT and exFAT answer."""
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


@contextmanager
def counting(calls: Calls) -> Iterator[Calls]:
    """The package's calls go through `calls` inside the block."""
    try:
        for name in CHANGING + LOOKING if calls.looking else CHANGING:
            setattr(_MODULES.get(name, os), name, calls.wrapper(name))
        yield calls
    finally:
        for name, real in _REAL.items():
            setattr(_MODULES.get(name, os), name, real)


def fail_at(wanted: str, *, times: int) -> Calls:
    """The first calls of that name fail."""
    left = [times]

    def at_call(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == wanted and left[0] > 0:
            left[0] -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    return Calls(at_call=at_call)


def write_half(descriptor: int, data: bytes) -> None:
    """A write that was torn in the middle."""
    _REAL["write"](descriptor, bytes(data)[: len(data) // 2])


def tell(text: str) -> None:
    """One line on stdout, past all counting."""
    _REAL["write"](1, f"{text}\n".encode())
