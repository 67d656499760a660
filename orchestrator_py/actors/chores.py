"""What goes on beside the lanes of a run, as long as they work."""

from collections.abc import Callable
from datetime import timedelta

import anyio

from orchestrator_py.actors.mailbox import Ref
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.ids import RunId
from orchestrator_py.model.messages import Beat, Message
from orchestrator_py.model.outcome import StopCause, StopKind


async def beat(run_id: RunId, clock: RunClock, ref: Ref[Message], every: timedelta) -> None:
    """Tell again and again that the run's process is alive."""
    while True:
        await ref.tell(Beat(run_id=run_id, at=clock.now()))
        await anyio.sleep(every.total_seconds())


async def keep_time(limit: timedelta, stop: Callable[[StopCause], None]) -> None:
    """Stop the run when its time is up."""
    seconds = limit.total_seconds()
    await anyio.sleep(seconds)
    stop(StopCause(StopKind.TIMEOUT, f"{seconds:g} s for the whole run"))
