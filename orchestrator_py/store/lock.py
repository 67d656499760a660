"""The writer's lock of one task: the kernel's, so that a dead owner's lock is gone with it and a slow owner keeps it."""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from orchestrator_py.errors import StoreError
from orchestrator_py.lean import define
from orchestrator_py.store.files import open_file, telling


@define
class WriterLock:
    """Held from `try_lock` to `release`, or to the end of the process. The file is never unlinked."""

    path: Path
    _descriptor: int | None

    def __attrs_post_init__(self) -> None:
        if self._descriptor is not None:
            keep_from_children(self._descriptor)

    def check(self) -> None:
        """StoreError if the path no longer leads to the locked file: then another process may hold the path's lock."""
        with telling(self.path, "find the lock again"):
            standing = os.stat(self.path, follow_symlinks=False)
        held = os.fstat(self._descriptor) if self._descriptor is not None else None
        if held is not None and stat.S_ISCHR(held.st_mode):
            raise StoreError(f"{self.path}: is held by the process that this one was forked from; open the manager again here.")
        if held is None or (held.st_dev, held.st_ino) != (standing.st_dev, standing.st_ino):
            raise StoreError(
                f"{self.path}: the folder or the lock file was replaced; leave them alone while a run is going on, and start again."
            )

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # a close that fails has closed nevertheless
                close_kept(descriptor)


def try_lock(path: Path) -> WriterLock | None:
    """The lock, or None if somebody else holds it (another store of this process too). Never waits."""
    with telling(path, "lock it"):
        descriptor = open_file(path, os.O_RDWR | os.O_CREAT)
        lock = WriterLock(path, descriptor)
        held = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.check()
            held = True
        except BlockingIOError:
            return None
        finally:
            if not held:
                lock.release()
    return lock


# Forked processes --------------------------------------------------------------------------------------------------

_kept: set[int] = set()


def keep_from_children(descriptor: int) -> None:
    """A process that is forked from this one, a worker of a pool perhaps, does not keep the lock when this one has let go or has died.

    The kernel frees a lock when no process has its descriptor any more. A program that is executed does not get it anyway.
    """
    _kept.add(descriptor)


def close_kept(descriptor: int) -> None:
    """Lets go of a lock whose descriptor was kept from children."""
    _kept.discard(descriptor)
    os.close(descriptor)


def _let_go_in_child() -> None:
    """The number stays taken, by something that is no lock: whoever believes that it holds one finds out, and closes nobody else's."""
    if _kept:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for descriptor in _kept:
            os.dup2(nothing, descriptor, inheritable=False)
        os.close(nothing)
        _kept.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
