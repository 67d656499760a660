"""What the actors need from outside, as small protocols; the real parts and the in-memory ones both fit."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from orchestrator_py.ids import RunId
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.events import Event
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.result import BuildInput, BuildResult, ReviewInput, ReviewResult, TestInput, TestResult
from orchestrator_py.model.task import PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp


class Planner(Protocol):
    """Splits a task into subtasks. An exception becomes a summary with the planner's error, not an exception of the run."""

    async def plan(self, task: TaskContext, /) -> PlanResult: ...


class Builder(Protocol):
    """Does the work of one subtask. An exception, or `success=False`, fails it."""

    async def build(self, input: BuildInput, /) -> BuildResult: ...


class Tester(Protocol):
    """Checks what was built. An exception, or `success=False`, fails the subtask."""

    async def test(self, input: TestInput, /) -> TestResult: ...


class Reviewer(Protocol):
    """Judges what was built and tested. Not approved rejects the subtask; an exception is a crash, never a "no"."""

    async def review(self, input: ReviewInput, /) -> ReviewResult: ...


class Clock(Protocol):
    """Wall time for stamps, monotonic seconds for durations."""

    def now(self) -> Timestamp: ...

    def monotonic(self) -> float: ...


class Chance(Protocol):
    """A number that nobody can foretell, from 0 to 1, at each call."""

    def __call__(self) -> float: ...


class EventSink(Protocol):
    """Takes news without waiting. What it raises is logged and changes nothing."""

    def hears(self, run_id: RunId, /) -> bool:
        """Whether anybody would be told of the run now."""

    def publish(self, event: Event, /) -> None: ...


class HistoryStore(Protocol):
    """The history of one task. Every method is synchronous, may wait for the disk, raises StoreError, and is called in one thread."""

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        """Returns when every entry is durable."""

    def publish(self) -> None:
        """Under load, now and then: show what was recorded; fold only when the journal has grown large."""

    def rest(self) -> None:
        """Idle: fold by the size rule, publish the rollups."""

    def flush(self) -> None:
        """Fold and publish now."""

    def close(self) -> None:
        """Publish the rollups, fold by the size rule, hand over, unlock; a second call does nothing."""


class RunFiles(Protocol):
    """The documents of the runs of one task, each replaced whole; synchronous, raises StoreError."""

    def write(self, documents: Sequence[RunDocument], /) -> None: ...


class FlightBoard(Protocol):
    """Where it is shown which runs of a task go on in this process. Synchronous, may wait for the disk, never raises."""

    def show(self, document: bytes, /) -> None:
        """In place of the document before; an empty one takes it away."""

    def close(self) -> None:
        """Nothing goes on any more."""


class StageLog(Protocol):
    """Where the events of one stage go (the contract's `exec:chunk` and so on); the log adds `timestamp` and `index` to each.

    Waits when the disk is slow: that is the back-pressure on a stage's output. Events that are known together are given together.
    """

    async def append(self, *events: Mapping[str, object]) -> None: ...


Hear = Callable[[str], object]
"""Gets what a command says, piece by piece, after it went to the log; must neither raise nor wait."""


class CommandRunner(Protocol):
    """Runs one command from its start to its end, wherever that may be; its output goes to the log as it comes.

    Cancelled after the start, the command is ended (`grace` is what it gets between SIGTERM and SIGKILL) and the call *returns*, with
    `stopped` set; cancelled before, nothing was started and the cancellation goes through. StoreError from the log ends the command.
    """

    def __call__(
        self, spec: CommandSpec, log: StageLog, /, *, clock: Clock, grace: Grace, hear: Hear | None = None
    ) -> Awaitable[Execution]: ...


class Executor(Protocol):
    """Where agents work, if not in this program. Used as `async with`."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def call(self, method: Callable[..., Awaitable[object]], given: object, /) -> object:
        """What the method answers to `given`, or the Execution that tells why nobody knows its answer; what it raises is raised."""
