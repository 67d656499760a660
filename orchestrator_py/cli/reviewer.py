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
from orchestrator_py.cli.console import PROGRAM
from orchestrator_py.cli.ending import STOP_SIGNALS, die_by
from orchestrator_py.cli.line_printer import LinePrinter
from orchestrator_py.cli.whole_lines import WholeLines
from orchestrator_py.lean import define, field
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.reading.run import Run
from orchestrator_py.stages.command import run_command

GRACE = timedelta(seconds=5)
"""Less than a stage gets by default: as a stage of a run we are ended too, and leave nobody behind."""

MOST_WAITING = 100
"""Pieces of what a reviewer says, of 64 KiB at most, that wait for whoever reads stderr; then the reviewer waits, too."""
REST_SECONDS = 0.02


def ask_reviewer(spec: CommandSpec, timeout: float | None, printer: LinePrinter) -> "Reviewing":
    """What the reviewer says is shown on stderr as it comes. Blocks until it has ended, of itself or by us."""
    reviewing = Reviewing(printer)
    anyio.run(partial(reviewing.run, spec, math.inf if timeout is None else timeout))
    reviewing.echo.end()
    return reviewing


@define(eq=False)
class Reviewing:
    """`execution` is how the reviewer ended, None if it was not started; `number` is the signal that has made us end it.

    Who does not read stderr holds up the reviewer, and neither its time limit nor a signal.
    """

    printer: LinePrinter
    execution: Execution | None = field(default=None, init=False)
    number: signal.Signals | None = field(default=None, init=False)
    echo: "Echo" = field(init=False)
    _grace: Grace = field(factory=lambda: Grace(GRACE), init=False)

    def __attrs_post_init__(self) -> None:
        self.echo = Echo(self.printer)

    @property
    def cut_short_by(self) -> signal.Signals | None:
        """A signal that came when the reviewer had its word said changes nothing."""
        return self.number if self.execution is None or self.execution.stopped else None

    async def run(self, spec: CommandSpec, seconds: float) -> None:
        """The first cause of an end is the one that counts."""
        with anyio.CancelScope(deadline=anyio.current_time() + seconds) as scope, self._heeded(scope):
            self.execution = await run_command(
                spec, _NoLog(self.printer, scope), clock=SystemClock(), grace=self._grace, hear=self.echo.hear
            )

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
            self._say("killing the reviewer")
            self._grace.hurry()
            return
        self._say(f"ending the reviewer ({number.name}): it has {GRACE.total_seconds():g} s; one more signal kills it at once")
        self.number = number
        scope.cancel()

    def _say(self, message: str) -> None:
        self.printer.print(f"{PROGRAM}: {message}")


@define(eq=False)
class Echo:
    """Whole lines for stderr, from pieces of text. What a reviewer goes on to say while it is ended, and nobody reads, is left out."""

    printer: LinePrinter
    _lines: WholeLines = field(factory=WholeLines, init=False)
    _left_out: bool = field(default=False, init=False)

    def hear(self, text: str) -> None:
        if self.printer.waiting() > MOST_WAITING:
            self._left_out = True
        elif lines := self._lines.feed(text):
            self.printer.print(*lines)

    def end(self) -> None:
        if rest := self._lines.end():
            self.printer.print(rest)
        if self._left_out:
            self.printer.print(f"{PROGRAM}: some of what the reviewer said last is not shown: nobody has read it")


@define(eq=False)
class _NoLog:
    """What is said stands on stderr, and its beginning in review.json. A slow reader of it holds up the next piece, up to a stop."""

    _printer: LinePrinter
    _scope: anyio.CancelScope

    async def append(self, *_: Mapping[str, object]) -> None:
        while self._printer.waiting() > MOST_WAITING and not self._scope.cancel_called:  # noqa: ASYNC110 - a thread sets no event
            await anyio.sleep(REST_SECONDS)


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
