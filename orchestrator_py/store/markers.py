"""Locked files that tell a living owner from a dead one.

The lock is the kernel's: nothing is decided by age, pid or heartbeat. A marker that can be locked belonged to a process that died.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from time import sleep

from orchestrator_py.lean import define
from orchestrator_py.store.files import list_folder, make_folders, open_file, remove_file, telling
from orchestrator_py.store.lock import close_kept, keep_from_children

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system without them says: FAT, exFAT, some that are mounted by programs."""
LOOKS, LOOK_SECONDS = 500, 0.002


class _Refusal(Enum):
    """Why a marker could not be locked."""

    HELD = "held"
    MISSING = "missing"


@define
class Marker:
    """A marker that is locked by us."""

    path: Path
    _descriptor: int

    def __attrs_post_init__(self) -> None:
        keep_from_children(self._descriptor)

    def end(self) -> None:
        """The marker goes, then the lock."""
        try:
            remove_file(self.path)
        finally:
            self.release()

    def release(self) -> None:
        """Let go and leave the marker: whoever comes next finds that its owner has died."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            close_kept(descriptor)


def hold_marker(path: Path) -> Marker | None:
    """Make the marker, or take over a dead owner's; None if its owner lives. It appears locked, so nobody takes it for a dead one's."""
    make_folders(path.parent)
    while True:
        held = _try_lock(path)
        if held is _Refusal.HELD:
            return None
        descriptor = _make_locked(path) if isinstance(held, _Refusal) else held
        if descriptor is not None:
            return Marker(path, descriptor)


def make_marker(path: Path) -> Marker | None:
    """A new marker; None if there is one, whether its owner lives or not."""
    make_folders(path.parent)
    descriptor = _make_locked(path)
    return None if descriptor is None else Marker(path, descriptor)


def take_over(path: Path) -> Marker | None:
    """The marker of a dead owner; None if there is none, or its owner lives."""
    held = _try_lock(path)
    return None if isinstance(held, _Refusal) else Marker(path, held)


def markers_left(folder: Path) -> Iterator[Marker]:
    """Those of dead owners, each locked by us from here on: end it, or release it."""
    for name in list_folder(folder):
        marker = take_over(folder / name)
        if marker is not None and name.startswith("."):  # it was being made when its process died
            marker.end()
        elif marker is not None:
            yield marker


def is_held(path: Path) -> bool:
    """Whether the marker's owner lives at this moment. Who begins a run then waits for the look, and is not turned away by it."""
    with telling(path, "look at the run's marker"):
        try:
            descriptor = open_file(path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _try_lock(path: Path) -> int | _Refusal:
    """The descriptor of the marker, locked by us, or why there is none."""
    with telling(path, "lock the run's marker"):
        try:
            descriptor = open_file(path, os.O_RDWR)
        except FileNotFoundError:
            return _Refusal.MISSING
        ours = False
        try:
            if not _lock(descriptor):
                return _Refusal.HELD
            ours = os.fstat(descriptor).st_nlink > 0  # else its owner ended it between our open and our lock
        finally:
            if not ours:
                os.close(descriptor)
    return descriptor if ours else _Refusal.MISSING


def _lock(descriptor: int) -> bool:
    """False if the owner lives. Who only looks whether it does holds a shared lock for a moment, and is waited for."""
    for _ in range(LOOKS):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        sleep(LOOK_SECONDS)
    return False


def _make_locked(path: Path) -> int | None:
    """A new marker, locked before it has its name; None if somebody else came between: look again."""
    fresh = path.with_name(f".{os.urandom(16).hex()}")
    with telling(fresh, "make the run's marker"):
        descriptor = open_file(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        made = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _put_in_place(fresh, path)
            made = True
        except (BlockingIOError, FileNotFoundError, FileExistsError):
            return None
        finally:
            if not made:
                os.close(descriptor)
                with suppress(OSError):
                    os.unlink(fresh)
    return descriptor


def _put_in_place(fresh: Path, path: Path) -> None:
    """FileExistsError if another marker has the name."""
    try:
        os.link(fresh, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_into_place(fresh, path)
    else:
        os.unlink(fresh)


def _rename_into_place(fresh: Path, path: Path) -> None:
    """Where there are no hard links. A rename could take another marker's place: while the folder is locked, nobody makes one."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    keep_from_children(folder)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        os.rename(fresh, path)
    finally:
        close_kept(folder)
