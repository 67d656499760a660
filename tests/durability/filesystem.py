"""A recorded file system: real files, the calls that changed them, and the weak model of what a disk may keep of those calls.

The model: a sync makes durable what it covers, and nothing else is sure. Each write and each change of a folder survives a power
loss or not, whatever came before or after it; a write may survive torn. After a failed sync a later one proves nothing about the
same bytes. A rename is atomic. Assumed: a torn write leaves alone what it does not change, and a folder can be synced again.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from attrs import define, field, frozen

_NAMES = tuple(
    name for name in ("open", "write", "lseek", "fsync", "fdatasync", "replace", "unlink", "mkdir", "close") if hasattr(os, name)
)
_REAL: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in _NAMES}

Node: TypeAlias = "File | None"
"""What a name leads to; None is a folder."""


class Killed(BaseException):
    """In the place of SIGKILL: from here on the process changes nothing."""


@frozen(kw_only=True)
class Faults:
    """What happens at which call, counted from 1."""

    kill_at: int | None = None
    error_at: int | None = None
    lasting: bool = False
    """Every call after the failing one fails too."""
    torn: bool = False
    """A write at which it happens leaves half of its bytes."""


@define
class _Write:
    offset: int
    data: bytes
    durable: bool = False
    doubtful: bool = False
    """A sync failed: no later sync makes this write durable."""


@define(eq=False)
class File:
    """One inode."""

    inode: int
    writes: list[_Write] = field(factory=list)


@define
class _Change:
    """Of one folder: `gone` leads nowhere any more, `made` leads to the node."""

    gone: str | None
    made: str | None
    node: Node
    durable: bool = False


@define
class _Opened:
    node: Node
    path: str
    position: int = 0


@frozen(kw_only=True)
class CrashState:
    """What a disk may hold after the power loss: by path below the root, None for a folder, and the inode number of each file."""

    contents: dict[str, bytes | None]
    inodes: dict[str, int]


@define(kw_only=True)
class RecordedFileSystem:
    """What is there at the start is durable. `before_call` runs before each call that changes something."""

    root: str
    faults: Faults = Faults()
    before_call: Callable[[], None] = lambda: None
    calls: int = 0
    dead: bool = False
    errors: int = 0
    _opened: dict[int, _Opened] = field(factory=dict)
    _nodes: dict[str, File] = field(factory=dict)
    _changes: dict[str, list[_Change]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for path in sorted(Path(self.root).rglob("*")):
            node = None if path.is_dir() else self._new_file(str(path), path.stat().st_ino)
            if node is not None:
                node.writes.append(_Write(0, path.read_bytes(), durable=True))
            self._change(_Change(None, str(path), node, durable=True))

    def restart(self, *, before_call: Callable[[], None]) -> None:
        """Another process begins, on what the one before has left in the page cache."""
        self.dead, self.faults, self.before_call = False, Faults(), before_call
        self._opened.clear()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """The calls of the package go through this file system inside the block."""
        try:
            for name in _NAMES:
                setattr(os, name, getattr(self, name))
            yield
        finally:
            for name, real in _REAL.items():
                setattr(os, name, real)

    # The calls -------------------------------------------------------------------------------------------------

    def open(self, path: "str | Path", flags: int, mode: int = 0o777, **options: Any) -> int:
        name = str(path)
        inside = name.startswith(self.root)
        new = inside and bool(flags & os.O_CREAT) and not os.path.lexists(name)
        if inside and flags & os.O_CREAT:
            self._call()
        descriptor: int = _REAL["open"](path, flags, mode, **options)
        self._opened.pop(descriptor, None)
        if new:
            self._change(_Change(None, name, self._new_file(name, os.fstat(descriptor).st_ino)))
        if inside:
            self._opened[descriptor] = _Opened(self._nodes.get(name), name)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        opened = self._opened.get(descriptor)
        if opened is None or opened.node is None:
            return int(_REAL["write"](descriptor, data))
        alive = not self.dead
        try:
            self._call()
        except (OSError, Killed):
            if alive and self.faults.torn:
                self._write(opened, descriptor, bytes(data)[: len(data) // 2])
            raise
        return self._write(opened, descriptor, bytes(data))

    def _write(self, opened: _Opened, descriptor: int, data: bytes) -> int:
        assert opened.node is not None
        written: int = _REAL["write"](descriptor, data)
        opened.node.writes.append(_Write(opened.position, data[:written]))
        opened.position += written
        return written

    def lseek(self, descriptor: int, offset: int, how: int) -> int:
        position: int = _REAL["lseek"](descriptor, offset, how)
        if descriptor in self._opened:
            self._opened[descriptor].position = position
        return position

    def fsync(self, descriptor: int) -> None:
        opened = self._opened[descriptor]
        writes = opened.node.writes if opened.node is not None else []
        try:
            self._call()
        except OSError:
            for write in writes:
                write.doubtful |= not write.durable
            raise
        for write in writes:
            write.durable |= not write.doubtful
        for change in self._changes.get(opened.path, ()) if opened.node is None else ():
            change.durable = True

    fdatasync = fsync

    def replace(self, old: "str | Path", new: "str | Path") -> None:
        self._call()
        _REAL["replace"](old, new)
        node = self._nodes[str(new)] = self._nodes.pop(str(old))
        self._change(_Change(str(old), str(new), node))

    def unlink(self, path: "str | Path") -> None:
        self._call()
        _REAL["unlink"](path)
        self._nodes.pop(str(path), None)
        self._change(_Change(str(path), None, None))

    def mkdir(self, path: "str | Path", mode: int = 0o777) -> None:
        self._call()
        _REAL["mkdir"](path, mode)
        self._change(_Change(None, str(path), None))

    def close(self, descriptor: int) -> None:
        self._opened.pop(descriptor, None)
        _REAL["close"](descriptor)

    def _call(self) -> None:
        if self.dead:
            raise Killed
        self.before_call()
        self.calls += 1
        if self.calls == self.faults.kill_at:
            self.dead = True
            raise Killed
        failing = self.faults.error_at
        if failing is not None and (self.calls == failing or (self.faults.lasting and self.calls > failing)):
            self.errors += 1
            raise OSError(errno.EIO, "injected")

    def _new_file(self, path: str, inode: int) -> File:
        self._nodes[path] = File(inode)
        return self._nodes[path]

    def _change(self, change: _Change) -> None:
        self._changes.setdefault(os.path.dirname(change.made or change.gone or ""), []).append(change)

    # The power loss --------------------------------------------------------------------------------------------

    def crash(self, random: Random, chance: float) -> CrashState:
        """One state that the disk may hold if the power is lost now; what is not durable survives with that chance."""
        names = self._surviving_names(random, chance)
        contents: dict[str, bytes | None] = {}
        inodes: dict[str, int] = {}
        for path, node in sorted(names.items()):
            folder, below = os.path.dirname(path), path[len(self.root) + 1 :]
            if folder != self.root and folder[len(self.root) + 1 :] not in contents:
                continue
            contents[below] = None if node is None else _surviving_bytes(node, random, chance)
            if node is not None:
                inodes[below] = node.inode
        return CrashState(contents=contents, inodes=inodes)

    def _surviving_names(self, random: Random, chance: float) -> dict[str, Node]:
        names: dict[str, Node] = {}
        for changes in self._changes.values():
            for change in changes:
                if change.durable or random.random() < chance:
                    names.pop(change.gone or "", None)
                    if change.made is not None:
                        names[change.made] = change.node
        return names


def _surviving_bytes(file: File, random: Random, chance: float) -> bytes:
    """A hole reads as zeros."""
    content = bytearray()
    for write in file.writes:
        data = write.data
        if not write.durable:
            if random.random() >= chance:
                continue
            if chance < 1 and random.random() < 0.4:
                data = data[: random.randrange(len(data) + 1)]
        content.extend(bytes(max(0, write.offset - len(content))))
        content[write.offset : write.offset + len(data)] = data
    return bytes(content)
