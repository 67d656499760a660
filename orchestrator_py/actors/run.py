"""One run in flight: worker lanes pull from the schedule, each result is told to the aggregator, the end is asked of it."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta

import anyio
from attrs import define, field, frozen

from orchestrator_py.actors.mailbox import Ref
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.actors.subtask import Agents, StopCell, SubtaskOrder, run_subtask
from orchestrator_py.core.schedule import Schedule
from orchestrator_py.errors import DefectError, OrchestratorError
from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.model.manifest import ChildRun
from orchestrator_py.model.messages import (
    AttemptEnded,
    Beat,
    ChildRunTold,
    ClosedRun,
    CloseRun,
    InstanceReleased,
    Message,
    OpenRun,
    StopAsked,
    SubtaskEnded,
    SubtaskTaken,
)
from orchestrator_py.model.outcome import FailurePolicy, StopCause, StopKind
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.task import Mode, PlanItem, TaskContext

_log = logging.getLogger("orchestrator_py")

def order_of_work(opening: OpenRun) -> tuple[PlanItem, ...]:
    """An embedded group is worked off in its reported order, target first; a pipeline in the order of its file, whatever the target."""
    if opening.manifest is None:
        return opening.order
    planned = {item.id for item in opening.order}
    return tuple(item for item in opening.plan.items if item.id in planned)


ModePolicy = Callable[[TaskContext, PlanItem], Mode]


@frozen(kw_only=True)
class RunRules:
    """How a run is worked off: who works, how many at once, what a failure does. `heartbeat` None: nobody is told that it lives."""

    agents: Agents
    mode_policy: ModePolicy
    limit: int
    on_failure: FailurePolicy
    heartbeat: timedelta | None = None


@define(eq=False)
class Run:
    """Cooperates with whoever holds it: `stop` records why and ends the work, `finished` is set when everything is on record."""

    opening: OpenRun
    rules: RunRules
    clock: RunClock
    finished: anyio.Event = field(factory=anyio.Event, init=False)
    closed: ClosedRun | None = field(default=None, init=False)
    error: Exception | None = field(default=None, init=False)
    cause: StopCause | None = field(default=None, init=False)
    cut_short: bool = field(default=False, init=False)
    _schedule: Schedule = field(init=False)
    _stopping: anyio.Event = field(factory=anyio.Event, init=False)
    _cells: dict[SubtaskId, StopCell] = field(factory=dict, init=False)
    _idle: deque[anyio.Event] = field(factory=deque, init=False)
    _ref: Ref[Message] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._schedule = Schedule(order_of_work(self.opening), self.rules.limit, self.rules.on_failure)

    @property
    def run_id(self) -> RunId:
        return self.opening.run_id

    def stop(self, cause: StopCause) -> None:
        """Start nothing new and end what runs. The cause is recorded first, and the first cause stays."""
        if self.cause is not None or self.finished.is_set():
            return
        self.cause = cause
        self._stopping.set()
        self._schedule.stop(cause)
        self._end_running(cause)

    async def tell_child(self, child: ChildRun) -> None:
        """News of a sub-pipeline's run, for the manifest."""
        if self._ref is not None:
            await self._ref.tell(ChildRunTold(run_id=self.run_id, child=child))

    async def work(self, ref: Ref[Message]) -> None:
        """Work it off; never raises: `error` says what went wrong with the run itself."""
        self._ref = ref
        try:
            await self._open(ref)
            await self._work_lanes(ref)
            await self._close(ref)
        except Exception as error:  # the boundary of the run: whoever waits for it is told
            self._fail(error)
        finally:
            self.finished.set()

    async def _open(self, ref: Ref[Message]) -> None:
        if self.opening.manifest is None:
            await ref.tell(self.opening)
        else:
            await ref.ask(self.opening)  # its manifest stands before anything starts

    async def _work_lanes(self, ref: Ref[Message]) -> None:
        async with anyio.create_task_group() as chores:
            chores.start_soon(self._tell_stop, ref)
            if self.rules.heartbeat is not None:
                chores.start_soon(self._beat, ref, self.rules.heartbeat.total_seconds())
            async with anyio.create_task_group() as lanes:
                for instance_id in self._instances():
                    lanes.start_soon(self._lane, ref, instance_id)
            chores.cancel_scope.cancel()

    async def _close(self, ref: Ref[Message]) -> None:
        if self.error is not None:
            raise self.error
        if self.cause is not None:  # told again, in case that the run ended first: twice is no news
            await ref.tell(StopAsked(run_id=self.run_id, cause=self.cause, at=self.clock.now()))
        for report in self._schedule.unstarted():
            self.cut_short = self.cut_short or report.cause == self.cause
            await self._tell_end(ref, report, None)
        closed = await ref.ask(CloseRun(run_id=self.run_id, at=self.clock.now()))
        if not isinstance(closed, ClosedRun):
            raise DefectError(f"Run {self.run_id} was closed with {closed!r:.80}.")
        self.closed = closed

    # Lanes -------------------------------------------------------------------------------------------------------

    def _instances(self) -> tuple[InstanceId, ...]:
        scheduler = self.opening.scheduler
        return () if scheduler is None else tuple(scheduler.assignments)

    async def _lane(self, ref: Ref[Message], instance_id: InstanceId) -> None:
        """One worker slot: takes what may start, runs it, tells how it went, until nothing is left."""
        try:
            with ref.clone() as channel:
                while (item := await self._next()) is not None:
                    await self._run_item(channel, instance_id, item)
                await channel.tell(InstanceReleased(run_id=self.run_id, instance_id=instance_id, at=self.clock.now()))
        except Exception as error:  # one lane must not take the others down by an exception: they are stopped, and told why
            self._fail(error)

    async def _next(self) -> PlanItem | None:
        """The next subtask for a lane; waits while there may be one later. Lanes that wait are served in turn."""
        while (item := self._schedule.take()) is None:
            if self._schedule.finished or self._schedule.stopped is not None:
                return None
            turn = anyio.Event()
            self._idle.append(turn)
            await turn.wait()
        return item

    async def _run_item(self, channel: Ref[Message], instance_id: InstanceId, item: PlanItem) -> None:
        subtask_id = SubtaskId(item.id)
        await channel.tell(SubtaskTaken(run_id=self.run_id, subtask_id=subtask_id, instance_id=instance_id, at=self.clock.now()))

        async def on_retry(attempt: AttemptReport) -> None:
            await channel.tell(AttemptEnded(run_id=self.run_id, subtask_id=subtask_id, attempt=attempt))

        cell = self._cells[subtask_id] = StopCell(self.cause)
        order = SubtaskOrder(
            task=self.opening.task,
            plan=self.opening.plan,
            item=item,
            mode=self.rules.mode_policy(self.opening.task, item),
            run_id=self.run_id,
        )
        report = await run_subtask(order, self.rules.agents, clock=self.clock, cell=cell, on_retry=on_retry)
        del self._cells[subtask_id]
        await self._settle(channel, instance_id, report)

    async def _settle(self, channel: Ref[Message], instance_id: InstanceId, report: SubtaskReport) -> None:
        self.cut_short = self.cut_short or (report.cause is not None and report.cause == self.cause)
        settled = self._schedule.settle(report)
        if settled.cancel is not None:
            self._end_running(settled.cancel)
        self._wake()
        await self._tell_end(channel, report, instance_id)
        for skipped in settled.skipped:
            await self._tell_end(channel, skipped, None)

    async def _tell_end(self, ref: Ref[Message], report: SubtaskReport, instance_id: InstanceId | None) -> None:
        await ref.tell(SubtaskEnded(run_id=self.run_id, report=report, instance_id=instance_id, at=self.clock.now()))

    def _wake(self) -> None:
        """Let as many waiting lanes go on as can start something; all of them once nothing will start any more."""
        over = self._schedule.finished or self._schedule.stopped is not None
        count = len(self._idle) if over else min(len(self._idle), self._schedule.startable)
        for _ in range(count):
            self._idle.popleft().set()

    def _end_running(self, cause: StopCause) -> None:
        for cell in tuple(self._cells.values()):
            cell.stop(cause)
        self._wake()

    # Chores ------------------------------------------------------------------------------------------------------

    async def _tell_stop(self, ref: Ref[Message]) -> None:
        await self._stopping.wait()
        if self.cause is not None:
            await ref.tell(StopAsked(run_id=self.run_id, cause=self.cause, at=self.clock.now()))

    async def _beat(self, ref: Ref[Message], seconds: float) -> None:
        while True:
            await ref.tell(Beat(run_id=self.run_id, at=self.clock.now()))
            await anyio.sleep(seconds)

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, OrchestratorError):
            _log.error("run %s failed", self.run_id, exc_info=error)
            error = DefectError(f"Run {self.run_id} failed ({type(error).__name__}: {error}); its report cannot be vouched for.")
        self.error = self.error or error
        self.stop(StopCause(StopKind.EMBEDDER, "the run cannot be put on record"))
