"""Which command-line runs are alive: each holds a locked marker, so that a dead owner's run can be told from a slow one.

The lock is the kernel's: nothing is decided by age, pid or heartbeat. A marker that can be locked belonged to a process that died.
"""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from time import sleep

from orchestrator_py.errors import RunHeldError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define
from orchestrator_py.store.files import list_folder, make_folders, open_file, remove_file, telling
from orchestrator_py.store.layout import TaskLayout

_counter = itertools.count()
LOOKS, LOOK_SECONDS = 500, 0.002


class Marker(Enum):
    """Why a marker could not be locked."""

    HELD = "held"
    MISSING = "missing"


@define
class LiveRun:
    """A run's marker, locked by us."""

    run_id: RunId
    path: Path
    _descriptor: int

    def end(self) -> None:
        """The run's record is complete: the marker goes, then the lock."""
        remove_file(self.path)
        self.release()

    def release(self) -> None:
        """Let go and leave the marker: whoever comes next finds a lost run."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def begin_live_run(task: TaskLayout, run_id: RunId) -> LiveRun:
    """Mark a run as alive. The marker appears locked, so nobody can take it for a lost one. RunHeldError if the run is alive already."""
    make_folders(task.live_runs)
    path = task.live_runs / run_id
    while True:
        held = _try_lock(path)
        if held is Marker.HELD:
            raise RunHeldError(f"Run {run_id} is held by another live process; wait for it, or end it, then try again.")
        descriptor = held if held is not Marker.MISSING else _make_locked(path)
        if descriptor is not None:
            return LiveRun(run_id, path, descriptor)


@contextmanager
def living(task: TaskLayout, run_id: RunId) -> Iterator[None]:
    """The run is alive inside. Left by an exception, its marker stays: its record may be incomplete, and the next open looks after it."""
    run = begin_live_run(task, run_id)
    try:
        yield
        run.end()
    finally:
        run.release()


def lost_runs(task: TaskLayout) -> Iterator[LiveRun]:
    """The runs whose process died, each locked by us from here on: end it, or release it."""
    for name in list_folder(task.live_runs):
        if name.startswith("."):
            _sweep(task.live_runs / name)
            continue
        held = _try_lock(task.live_runs / name)
        if not isinstance(held, Marker):
            yield LiveRun(RunId(name), task.live_runs / name, held)


def is_live(task: TaskLayout, run_id: RunId) -> bool:
    """Whether the run's process is alive at this moment."""
    held = _try_lock(task.live_runs / run_id)
    if not isinstance(held, Marker):
        os.close(held)
    return held is Marker.HELD


def _try_lock(path: Path) -> int | Marker:
    """The descriptor of the marker, locked by us, or why there is none."""
    with telling(path, "lock the run's marker"):
        try:
            descriptor = open_file(path, os.O_RDWR)
        except FileNotFoundError:
            return Marker.MISSING
        if not _lock(descriptor):
            os.close(descriptor)
            return Marker.HELD
        if os.fstat(descriptor).st_nlink == 0:  # its owner ended it between our open and our lock
            os.close(descriptor)
            return Marker.MISSING
    return descriptor


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
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{next(_counter)}")
    with telling(fresh, "make the run's marker"):
        descriptor = open_file(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.link(fresh, path)
            os.unlink(fresh)
        except (BlockingIOError, FileNotFoundError, FileExistsError):
            os.close(descriptor)
            remove_file(fresh)
            return None
    return descriptor


def _sweep(path: Path) -> None:
    """A marker that was being made when its process died."""
    held = _try_lock(path)
    if not isinstance(held, Marker):
        remove_file(path)
        os.close(held)
