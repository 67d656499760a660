"""Runs commands and agents on the workers of a Dask cluster, and tells the truth about them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from anyio import CancelScope

from orchestrator_py.core.command_summary import begin_events, end_events
from orchestrator_py.errors import InputError
from orchestrator_py.executors.attempt import Ended, Order, run_order
from orchestrator_py.executors.client import client_here
from orchestrator_py.executors.jobs import CallEnd, CallJob, CommandJob, Raised, Runner
from orchestrator_py.executors.link import Demands, Link
from orchestrator_py.executors.place import PERHAPS_RAN
from orchestrator_py.executors.places import Places
from orchestrator_py.executors.wire import BEAT_SECONDS, Job
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import evolve, frozen
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution, Loss, LossKind
from orchestrator_py.model.grace import Grace
from orchestrator_py.ports import Clock, Hear, StageLog

if TYPE_CHECKING:
    from distributed import Client

_HEAR_SECONDS = 2.0

Placed = Callable[[RunId, SubtaskId, str | None], Awaitable[object]]
"""Told which worker a subtask runs on, and None when it does so no longer."""


class DaskExecutor:
    """Work on the workers of a cluster, each attempt at most once.

    `client` is a client of `distributed` that is the caller's, who closes it; one that is not asynchronous is only asked for its scheduler,
    to which we connect as well. The scheduler must not repeat lost work by itself: `allowed-failures` 0. `resources` tells how many units
    of which resource of a worker stand behind a name that subtasks `ask` for. `insecure`: plain connections beyond this machine are the
    caller's own affair. `grace`: what a stopped agent is given.

    Used as `async with`, also again after it was left; entering raises InputError if scheduler or workers cannot be trusted with the
    work, or if it is in use already, and names the remedy.
    """

    def __init__(
        self,
        client: "Client",
        *,
        resources: Mapping[str, float] | None = None,
        insecure: bool = False,
        grace: timedelta = timedelta(seconds=10),
        demands: Demands | None = None,
        runner: Runner | None = None,
    ) -> None:
        self._client = client
        self._in_use = False
        self._kept = AsyncExitStack()
        self._demands = demands or Demands(insecure=insecure, resources=resources or {})
        self._begin_anew(client)
        self._grace = Grace(grace)
        self._runner = runner
        self.placed: Placed | None = None

    async def __aenter__(self) -> Self:
        if self._in_use:
            raise InputError("The executor is in use already; give each manager a DaskExecutor of its own, for which one client will do.")
        async with AsyncExitStack() as stack:
            self._in_use = True
            stack.callback(self._leave)
            self._begin_anew(await stack.enter_async_context(client_here(self._client)))
            await self._link.open()
            stack.callback(self._link.close)
            stack.push_async_callback(self._places.close)
            stack.push_async_callback(_end, asyncio.create_task(self._beat()))
            self._kept = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kept.aclose()

    def _begin_anew(self, client: "Client") -> None:
        """Workers remember whom they have been told to forget, and the places of then are gone: nothing of an earlier use is used again."""
        self._link = Link(client, self._demands, lambda arrival: self._places.arrived(arrival))
        self._places = Places(self._link)

    def _leave(self) -> None:
        self._in_use = False

    @property
    def slots(self) -> int:
        """How many things the workers did at a time when the executor was entered."""
        return self._link.slots

    # Commands -------------------------------------------------------------------------------------------------------

    async def run_command(self, spec: CommandSpec, log: StageLog, /, *, clock: Clock, grace: Grace, hear: Hear | None = None) -> Execution:
        """As the port says. The environment of the spec is added to the worker's own."""
        assert self._runner is not None
        spec = evolve(spec, correlation_id=spec.correlation_id or str(uuid4()))
        said = _Said(spec, log, hear, clock)
        subject = _Subject(run_id=spec.run_id, subtask_id=spec.subtask_id, asks=spec.asks)
        ended = await self._run(CommandJob(spec=spec, runner=self._runner, clock=clock), subject, grace=grace, said=said)
        execution = _execution(ended, said.elapsed())
        await said.complete(execution)
        return execution

    # Agents ---------------------------------------------------------------------------------------------------------

    async def call(self, method: Callable[..., Awaitable[object]], given: object, /) -> object:
        """As the port says. Method and answer travel pickled; the method works in a thread with an event loop of its own."""
        subject = _Subject(run_id=getattr(given, "run_id", None), subtask_id=_subtask_of(given), asks=_asks_of(given))
        ended = await self._run(CallJob(method=method, given=given), subject, grace=self._grace)
        match ended.value:
            case CallEnd(word="returned", value=value):
                return value
            case CallEnd(word="raised", value=Raised() as raised):
                raise raised.exception()
        return _execution(ended, timedelta())

    # Both -----------------------------------------------------------------------------------------------------------

    async def _run(self, job: Job, subject: "_Subject", *, grace: Grace, said: "_Said | None" = None) -> Ended:
        async def placed(worker: str | None) -> None:
            if said is not None and worker is not None:
                said.placed(worker)
            if self.placed is not None and subject.run_id is not None and subject.subtask_id is not None:
                await self.placed(subject.run_id, subject.subtask_id, worker)

        order = Order(
            name=subject.subtask_id or "an agent",
            job=job,
            grace=grace,
            needs=tuple((name, units) for name, units in self._demands.resources.items() if name in subject.asks),
            say=_ignore if said is None else said.say,
            placed=placed,
        )
        ended = await run_order(order, self._places)
        return evolve(ended, loss=await self._ended_by()) if _was_ended(ended) else ended

    async def _ended_by(self) -> Loss:
        """Why a worker has ended work that we did not stop: it was closed; perhaps since it has lost its scheduler, as we may yet hear."""
        await self._link.lost_within(_HEAR_SECONDS)
        if self._link.lost:
            return Loss(LossKind.ENGINE, f"the connection to the scheduler was lost, and the worker has ended it; {PERHAPS_RAN}")
        return Loss(LossKind.WORKER, f"the worker was closed, and has ended it; {PERHAPS_RAN}")

    async def _beat(self) -> None:
        """Every worker that works for us hears that we are there, however slow our disk is; and we hear which of them have left."""
        while not self._link.lost:
            await asyncio.sleep(BEAT_SECONDS)
            busy: dict[str, list[str]] = {}
            for ticket, place in self._places.known.items():
                if place.arrival is not None:
                    busy.setdefault(place.arrival["worker"], []).append(ticket)
            beats = [self._link.ask(worker, "beat", tickets=tuple(tickets)) for worker, tickets in busy.items()]
            await asyncio.gather(*beats, return_exceptions=True)
            if busy:
                await self._look_around()

    async def _look_around(self) -> None:
        try:
            workers = await self._link.list_workers()
        except OSError:
            return
        for place in tuple(self._places.known.values()):
            place.workers_are(frozenset(worker.address for worker in workers))


@frozen(kw_only=True)
class _Subject:
    """What a piece of work is about."""

    run_id: RunId | None
    subtask_id: SubtaskId | None
    asks: tuple[str, ...]


class _Said:
    """What a command says, on its way to the log of its stage; the log tells where it ran."""

    def __init__(self, spec: CommandSpec, log: StageLog, hear: Hear | None, clock: Clock) -> None:
        self._spec, self._log, self._hear, self._clock = spec, log, hear, clock
        self._begun = self._ended = False
        self._worker = ""
        self._placed_at: float | None = None

    def placed(self, worker: str) -> None:
        """It begins there; so long it has waited."""
        self._worker, self._placed_at = worker, self._clock.monotonic()

    def elapsed(self) -> timedelta:
        """Since it was placed; none if it never was."""
        return timedelta() if self._placed_at is None else timedelta(seconds=self._clock.monotonic() - self._placed_at)

    async def say(self, events: Sequence[Mapping[str, object]]) -> None:
        await self._log.append(*(self._located(event) for event in events))
        for event in events:
            kind = event["type"]
            self._begun = self._begun or kind == "exec:begin"
            self._ended = self._ended or kind == "command:end"
            if kind == "exec:chunk" and self._hear is not None:
                self._hear(str(event["data"]))

    async def complete(self, execution: Execution) -> None:
        """Begin and end of a command whose own were not heard."""
        missing: list[Mapping[str, object]] = []
        if not self._begun:
            missing += map(self._located, begin_events(self._spec, self._spec.correlation_id))
        if not self._ended:
            missing += end_events(self._spec, self._spec.correlation_id, execution)
        if missing:
            with CancelScope(shield=True):
                await self._log.append(*missing)

    def _located(self, event: Mapping[str, object]) -> Mapping[str, object]:
        return {**event, "worker": self._worker} if event["type"] == "exec:begin" and self._worker else event


def _was_ended(ended: Ended) -> bool:
    """By its worker, and not since we wanted it."""
    word = ended.value.word if isinstance(ended.value, CallEnd) else ""
    stopped = isinstance(ended.value, Execution) and ended.value.stopped
    return (stopped or word in ("stopped", "leaked")) and not ended.stopped


def _execution(ended: Ended, duration: timedelta) -> Execution:
    """The facts of an end, as far as they came back."""
    if ended.refusal is not None:
        return Execution(worker=ended.worker, spawn_error=ended.refusal)
    match ended.value:
        case Execution() as execution:
            return evolve(execution, worker=ended.worker, stopped=ended.stopped, loss=ended.loss)
        case CallEnd(word=word):
            return Execution(worker=ended.worker, stopped=ended.stopped, leaked=word == "leaked", loss=ended.loss)
        case Exception() as error:
            return Execution(worker=ended.worker, spawn_error=f"worker {ended.worker} could not run it ({error})")
        case _:
            return Execution(worker=ended.worker, loss=ended.loss, stopped=ended.stopped, leaked=ended.leaked, duration=duration)


def _asks_of(given: object) -> tuple[str, ...]:
    policy = getattr(getattr(given, "target", None), "policy", None)
    return tuple(getattr(policy, "resources", ()))


def _subtask_of(given: object) -> SubtaskId | None:
    found = getattr(getattr(given, "target", None), "id", None)
    return SubtaskId(found) if isinstance(found, str) else None


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _ignore(_: Sequence[Mapping[str, object]]) -> None:
    """Agents say nothing on the way."""
