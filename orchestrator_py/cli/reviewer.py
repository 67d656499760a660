"""A reviewer at work: a shell command that gets the evidence on stdin, and is ended with its whole group if it has to be."""

import asyncio
import math
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import anyio

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import say, write_stderr
from orchestrator_py.cli.ending import STOP_SIGNALS, die_by
from orchestrator_py.lean import define, field
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.reading.run import Run
from orchestrator_py.stages.command import run_command

GRACE = timedelta(seconds=5)
"""Less than a stage gets by default: as a stage of a run we are ended too, and leave nobody behind."""


def ask_reviewer(spec: CommandSpec, timeout: float | None) -> "Reviewing":
    """What the reviewer says is shown on stderr as it comes. Blocks until it has ended, of itself or by us."""
    reviewing = Reviewing()
    anyio.run(partial(reviewing.run, spec, math.inf if timeout is None else timeout))
    reviewing.echo.end()
    return reviewing


@define(eq=False)
class Reviewing:
    """`execution` is how the reviewer ended, None if it was not started; `number` is the signal that has made us end it."""

    execution: Execution | None = field(default=None, init=False)
    number: signal.Signals | None = field(default=None, init=False)
    echo: "Echo" = field(factory=lambda: Echo(), init=False)
    _grace: Grace = field(factory=lambda: Grace(GRACE), init=False)

    @property
    def cut_short_by(self) -> signal.Signals | None:
        """A signal that came when the reviewer had its word said changes nothing."""
        return self.number if self.execution is None or self.execution.stopped else None

    async def run(self, spec: CommandSpec, seconds: float) -> None:
        """The first cause of an end is the one that counts."""
        with anyio.CancelScope(deadline=anyio.current_time() + seconds) as scope, self._heeded(scope):
            self.execution = await run_command(spec, _NoLog(), clock=SystemClock(), grace=self._grace, hear=self.echo.hear)

    @contextmanager
    def _heeded(self, scope: anyio.CancelScope) -> Iterator[None]:
        """A signal that we were told to ignore stays ignored; one that comes when the reviewer has ended ends us as any program."""
        loop = asyncio.get_running_loop()
        heeded = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in heeded:
            loop.add_signal_handler(number, self._stop, number, scope)
        try:
            yield
        finally:
            for number in heeded:
                loop.remove_signal_handler(number)
                signal.signal(number, lambda late, _: die_by(late))

    def _stop(self, number: signal.Signals, scope: anyio.CancelScope) -> None:
        if scope.cancel_called:
            say("killing the reviewer")
            self._grace.hurry()
            return
        say(f"ending the reviewer ({number.name}): it has {GRACE.total_seconds():g} s; one more signal kills it at once")
        self.number = number
        scope.cancel()


@define(eq=False)
class Echo:
    """Whole lines for stderr, from pieces of text."""

    _rest: str = field(default="", init=False)

    def hear(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            write_stderr(lines)

    def end(self) -> None:
        if self._rest:
            write_stderr([self._rest])


class _NoLog:
    """What is said stands on stderr, and its beginning in review.json."""

    async def append(self, *_: Mapping[str, object]) -> None:
        pass


def reviewer_environment(root: str, run: Run, evidence: str) -> dict[str, str]:
    """Ours, and which run it is about; paths are absolute."""
    told = {
        "TASK_ID": run.task,
        "RUN_ID": run.run_id,
        "MANIFEST_PATH": run.path,
        "RUN_DIR": os.path.dirname(run.path),
        "REVIEW_PATH": evidence,
        "ROOT": root,
    }
    return {**os.environ, **{f"CODEX_ORCHESTRATOR_{name}": value for name, value in told.items()}}
