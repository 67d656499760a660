"""Counts the calls that change the disk, and does something at the n-th: the tests kill, tear or fail there."""

import errno
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
COUNTS_SYNCS = pytest.mark.skipif(sys.platform == "darwin", reason="macOS syncs through fcntl, which is not counted here")
_REAL: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in CHANGING}


@define(kw_only=True)
class Calls:
    """`at_call(number, name, arguments)` runs before each counted call; what it raises takes the place of the call."""

    at_call: Callable[[int, str, tuple[Any, ...]], None] = lambda number, name, arguments: None
    count: int = 0
    raised: int = 0
    trace: list[str] = field(factory=list)
    """Each call with the file that it is about: `fsync metrics.pending`."""
    _names: dict[int, str] = field(factory=dict)
    bytes_written: int = 0
    sync: bool = True
    """False: fsync and fdatasync are counted but left out, which only a power loss could tell."""

    def _at_call(self, name: str, arguments: tuple[Any, ...]) -> None:
        try:
            self.at_call(self.count, name, arguments)
        except OSError:
            self.raised += 1
            raise

    def wrapper(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return self._opened(arguments, options)
            self.count += 1
            self.trace.append(f"{name} {self._file(name, arguments)}")
            self._at_call(name, arguments)
            if not self.sync and name in ("fsync", "fdatasync"):
                return None
            result = self._opened(arguments, options) if name == "open" else _REAL[name](*arguments, **options)
            self.bytes_written += result if name == "write" else 0
            return result

        return call

    def _opened(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
        descriptor: int = _REAL["open"](*arguments, **options)
        self._names[descriptor] = _short_name(arguments[0])
        return descriptor

    def _file(self, name: str, arguments: tuple[Any, ...]) -> str:
        if name in ("write", "fsync", "fdatasync"):
            return self._names.get(arguments[0], "?")
        return _short_name(arguments[-1] if name == "replace" else arguments[0])


def _short_name(path: object) -> str:
    """The last part of a path, without what is different each time."""
    return re.sub(r"\.tmp-.*", ".tmp", re.sub(r"^[0-9]{20}-[0-9a-f]{32}", "queued", Path(str(path)).name))


@contextmanager
def counting(calls: Calls) -> Iterator[Calls]:
    """The package's calls go through `calls` inside the block."""
    try:
        for name in CHANGING:
            setattr(os, name, calls.wrapper(name))
        yield calls
    finally:
        for name, real in _REAL.items():
            setattr(os, name, real)


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
