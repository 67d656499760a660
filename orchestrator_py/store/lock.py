"""The writer's lock of one task: the kernel's, so that a dead owner's lock is gone with it and a slow owner keeps it."""

import fcntl
import os
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

    def check(self) -> None:
        """StoreError if the path no longer leads to the locked file: then another process may hold the path's lock."""
        with telling(self.path, "find the lock again"):
            standing = os.stat(self.path, follow_symlinks=False)
        held = os.fstat(self._descriptor) if self._descriptor is not None else None
        if held is None or (held.st_dev, held.st_ino) != (standing.st_dev, standing.st_ino):
            raise StoreError(
                f"{self.path}: the folder or the lock file was replaced; leave them alone while a run is going on, and start again."
            )

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # a close that fails has closed nevertheless
                os.close(descriptor)


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
