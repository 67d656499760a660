"""Which command-line runs are alive: each holds a locked marker, so that a dead owner's run can be told from a slow one."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator_py.errors import RunHeldError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.markers import Marker, hold_marker, is_held, make_marker, markers_left, take_over


@define
class LiveRun:
    """A run's marker, locked by us."""

    run_id: RunId
    _marker: Marker

    def end(self) -> None:
        """The run's record is complete: the marker goes, then the lock."""
        self._marker.end()

    def release(self) -> None:
        """Let go and leave the marker: whoever comes next finds a lost run."""
        self._marker.release()


def begin_live_run(task: TaskLayout, run_id: RunId) -> LiveRun:
    """Mark a run as alive. The marker appears locked, so nobody can take it for a lost one. RunHeldError if the run is alive already."""
    marker = hold_marker(task.live_runs / run_id)
    if marker is None:
        raise RunHeldError(f"Run {run_id} is held by another live process; wait for it, or end it, then try again.")
    return LiveRun(run_id, marker)


@contextmanager
def living(task: TaskLayout, run_id: RunId) -> Iterator[None]:
    """The run is alive inside. Left by an exception, its marker stays: its record may be incomplete, and the next open looks after it."""
    run = begin_live_run(task, run_id)
    try:
        yield
        run.end()
    finally:
        run.release()


def keep_from_resuming(task: TaskLayout, run_id: RunId) -> LiveRun | None:
    """Mark a run that has ended, so that nobody takes it up while its folders are worked on. None if it has a marker already."""
    marker = make_marker(task.live_runs / run_id)
    return None if marker is None else LiveRun(run_id, marker)


def lost_runs(task: TaskLayout) -> Iterator[LiveRun]:
    """The runs whose process died, each locked by us from here on: end it, or release it."""
    return (LiveRun(RunId(marker.path.name), marker) for marker in markers_left(task.live_runs))


def take_lost_run(task: TaskLayout, run_id: RunId) -> LiveRun | None:
    """That run, if its process died, locked by us from here on; None if it is alive, or its record is complete."""
    marker = take_over(task.live_runs / run_id)
    return None if marker is None else LiveRun(run_id, marker)


def is_live(task: TaskLayout, run_id: RunId) -> bool:
    """Whether the run's process is alive at this moment."""
    return is_held(task.live_runs / run_id)
