"""Signals end a run honestly: the first one stops it, the second one takes away the grace."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator_py.app.run_service import RunService
from orchestrator_py.cli.ending import STOP_SIGNALS, die_by
from orchestrator_py.lean import define, field
from orchestrator_py.model.events import Event, RunStarted
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.outcome import StopCause, StopKind


@define(eq=False)
class StopSignals:
    """SIGINT, SIGTERM and SIGHUP for the runs of a service. A signal that we were told to ignore (nohup) stays ignored."""

    service: RunService = field(repr=False)  # `signal.signal` prints every handler that it replaces
    grace: Grace
    tell: Callable[[str], object] = field(repr=False)
    _cause: StopCause | None = field(default=None, init=False)
    _came_late: bool = field(default=False, init=False)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Inside, a signal stops what runs. Afterwards everything is on record: one signal has no effect, so that the exit code
        stays that of the record, and a second one ends the program, should its output find no reader."""
        loop = asyncio.get_running_loop()
        heeded = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        unsubscribe = self.service.subscribe(self._stop_what_begins)
        for number in heeded:
            loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in heeded:
                loop.remove_signal_handler(number)
                signal.signal(number, self._come_too_late)
            unsubscribe()

    def _stop(self, number: signal.Signals) -> None:
        if self._cause is not None:
            self.tell("killing what still runs")
            self.grace.hurry()
            return
        self._cause = StopCause(StopKind.SIGNAL, number.name)
        seconds = self.grace.period.total_seconds()
        self.tell(f"stopping ({number.name}): what runs has {seconds:g} s to end; one more signal kills it at once")
        self.service.stop(self._cause)

    def _stop_what_begins(self, event: Event) -> None:
        """A signal that came before the run is on record found nothing to stop."""
        if isinstance(event, RunStarted) and self._cause is not None:
            self.service.stop(self._cause)

    def _come_too_late(self, number: int, _: object) -> None:
        if self._came_late:
            die_by(number)
        self._came_late = True
