"""Signals end a run honestly: the first one stops it, the second one takes away the grace."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from orchestrator_py.app.run_service import RunService
from orchestrator_py.model.outcome import StopCause, StopKind
from orchestrator_py.stages.grace import Grace

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@asynccontextmanager
async def stopping_on_signals(service: RunService, grace: Grace) -> AsyncIterator[None]:
    """Inside, SIGINT, SIGTERM and SIGHUP stop all runs of the service. A signal that we were told to ignore (nohup) stays ignored."""
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    async with anyio.create_task_group() as group:
        ready = anyio.Event()
        group.start_soon(_listen, heeded, service, grace, ready)
        await ready.wait()
        yield
        group.cancel_scope.cancel()


async def _listen(heeded: list[signal.Signals], service: RunService, grace: Grace, ready: anyio.Event) -> None:
    asked = False
    with anyio.open_signal_receiver(*heeded) as received:
        ready.set()
        async for number in received:
            if asked:
                grace.hurry()
            asked = True
            service.stop(StopCause(StopKind.SIGNAL, signal.Signals(number).name))
