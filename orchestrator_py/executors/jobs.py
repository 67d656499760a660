"""The two kinds of work that are sent to workers: a command, and a call of an agent's method."""

import asyncio
import os
import pickle
import shutil
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from typing import Literal, Protocol, Self

from anyio import CancelScope, get_cancelled_exc_class, sleep

from orchestrator_py.executors.heir import heir
from orchestrator_py.lean import define, evolve, field, frozen
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.ports import Clock, StageLog

_DIES_WITH_US = ("--pdeathsig", "KILL", "--")
_POLL_SECONDS = 0.02


class Runner(Protocol):
    """Runs one command on the machine that it is called on. `while_running` is given its process group, and entered as long as it runs."""

    def __call__(
        self,
        spec: CommandSpec,
        log: StageLog,
        /,
        *,
        clock: Clock,
        grace: Grace,
        while_running: Callable[[int], AbstractContextManager[object]],
    ) -> Awaitable[Execution]: ...


@frozen(kw_only=True)
class CommandJob:
    """A command, and the function that runs it on the worker as it would on our own machine."""

    spec: CommandSpec
    runner: Runner
    clock: Clock

    async def run(self, log: StageLog, grace: Grace) -> object:
        """The Execution. What the spec says of the environment is added to that of the worker. The command dies with the worker:
        the kernel sees to the shell at once, where it can be told so, and the worker's heir to all that the shell has started.
        """
        spec, setpriv = self.spec, shutil.which("setpriv")
        return await self.runner(
            evolve(
                spec,
                env={**os.environ, **spec.env, "CODEX_ORCHESTRATOR_PYTHON": sys.executable},
                wrapper=() if setpriv is None else (setpriv, *_DIES_WITH_US),
            ),
            log,
            clock=self.clock,
            grace=grace,
            while_running=heir.knowing,
        )


@frozen(kw_only=True)
class Raised:
    """An exception on its way. It may hold a lock, or not be made again as it was; what it `said`, and its `kind`, arrive in any case."""

    kind: str
    said: str
    pickled: bytes | None

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Where it was raised."""
        from distributed.protocol.pickle import dumps

        said, pickled = "<exception str() failed>", None  # in Python's words
        with suppress(Exception):
            said = str(error)
            pickled = dumps(error)
        return cls(kind=f"{type(error).__module__}.{type(error).__qualname__}", said=said, pickled=pickled)

    def exception(self) -> Exception:
        """Where it is told: the same one, else one that says the same."""
        with suppress(Exception):
            found = None if self.pickled is None else pickle.loads(self.pickled)
            if isinstance(found, Exception) and str(found) == self.said:
                return found
        substitute = RuntimeError(self.said)
        substitute.add_note(f"The agent raised {self.kind}, which cannot be sent.")
        return substitute


@frozen(kw_only=True)
class CallEnd:
    """How a call ended: it `returned` a value, `raised` an exception (a Raised), was `stopped`, or did not heed the stop (`leaked`)."""

    word: Literal["returned", "raised", "stopped", "leaked"]
    value: object = None


@frozen(kw_only=True)
class CallJob:
    """A method of an agent. It has a thread and an event loop of its own: one that blocks does not make the worker look dead."""

    method: Callable[..., Awaitable[object]]
    given: object

    async def run(self, _: StageLog, grace: Grace) -> CallEnd:
        """Cancelled, the method's task is cancelled; what does not heed it within the grace cannot be ended, for it is a thread."""
        call = _Call(self.method, self.given)
        threading.Thread(target=call.run, daemon=True, name="orchestrator-py agent").start()
        try:
            await call.ended.wait()
        except get_cancelled_exc_class():
            with CancelScope(shield=True):
                return await call.stop(grace)
        return call.end


@define(eq=False)
class _Call:
    method: Callable[..., Awaitable[object]]
    given: object
    end: CallEnd = field(default=CallEnd(word="leaked"), init=False)
    ended: asyncio.Event = field(factory=asyncio.Event, init=False)
    _home: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _task: "asyncio.Task[CallEnd] | None" = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)

    def run(self) -> None:
        try:
            self.end = asyncio.run(self._answer())
        except BaseException as error:  # whatever it is, the manager is told
            self.end = CallEnd(word="raised", value=Raised.of(RuntimeError(f"{type(error).__name__}: {error}")))
        self._home.call_soon_threadsafe(self.ended.set)

    async def stop(self, grace: Grace) -> CallEnd:
        self._stopping = True
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        waited = 0.0
        while not self.ended.is_set() and not grace.is_over(waited):
            await sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        return self.end if self.ended.is_set() else CallEnd(word="leaked")

    async def _answer(self) -> CallEnd:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            if self._stopping:
                return CallEnd(word="stopped")
            return CallEnd(word="returned", value=await self.method(self.given))
        except asyncio.CancelledError:
            return CallEnd(word="stopped" if self._stopping else "raised", value=Raised.of(RuntimeError("the agent cancelled itself")))
        except Exception as error:  # agents may raise anything
            return CallEnd(word="raised", value=Raised.of(error))
