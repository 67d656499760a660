"""One run in flight: worker lanes take turns at the schedule, each result is told to the aggregator, the end is asked of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TypeVarTuple

from orchestrator_py.actors.agents import RunRules, SubtaskOrder
from orchestrator_py.actors.chores import beat, keep_time
from orchestrator_py.actors.mailbox import Ref
from orchestrator_py.actors.outlast import ENDS_THE_PROGRAM, forget_cancellation
from orchestrator_py.actors.reporter import Reporter
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.actors.subtask import LOOP_IS_CLOSING, LaneScope, StopCell, end_of_program, run_subtask
from orchestrator_py.actors.turns import Turns
from orchestrator_py.core.answers import owned_plan
from orchestrator_py.core.schedule import Schedule, order_of_work
from orchestrator_py.errors import DefectError, OrchestratorError
from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.lean import define, field, maker
from orchestrator_py.model.manifest import ChildRun
from orchestrator_py.model.messages import (
    ChildRunTold,
    ClosedRun,
    CloseRun,
    InstanceReleased,
    Message,
    OpenRun,
    StopAsked,
    SubtaskPlaced,
    SubtaskTaken,
)
from orchestrator_py.model.outcome import StopCause, StopKind
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import Mode, PlanItem, PlanResult

Ts = TypeVarTuple("Ts")
_log = logging.getLogger("orchestrator_py")

_make_cell, _make_order = maker(StopCell), maker(SubtaskOrder)
_make_taken, _make_released = maker(SubtaskTaken), maker(InstanceReleased)


@define(eq=False)
class Run:
    """Cooperates with whoever holds it: `stop` records why and ends the work, `finished` is set when everything is on record.

    `error` says what went wrong with the run itself, `closed` what is on record, `left_by` what ends the program after that. InputError
    if the rules do not fit the plan.
    """

    opening: OpenRun
    rules: RunRules
    clock: RunClock
    finished: asyncio.Event = field(factory=asyncio.Event, init=False)
    closed: ClosedRun | None = field(default=None, init=False)
    error: Exception | None = field(default=None, init=False)
    left_by: BaseException | None = field(default=None, init=False)
    cause: StopCause | None = field(default=None, init=False)
    cut_short: bool = field(default=False, init=False)
    _given: PlanResult = field(init=False)
    _given_items: dict[str, PlanItem] = field(init=False)
    _cloud: frozenset[str] = field(init=False)  # the subtasks of that mode; the others have the usual one
    _turns: Turns = field(init=False)
    _cells: dict[SubtaskId, StopCell] = field(factory=dict, init=False)
    _ref: Ref[Message] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        settled = frozenset(report.subtask_id for report in self.opening.settled)
        self._turns = Turns(Schedule(order_of_work(self.opening), self.rules.bounds, self.rules.on_failure, settled))
        self._given = owned_plan(self.opening.plan)  # to agents, which may change it
        self._given_items = {} if self._given is self.opening.plan else {item.id: item for item in self._given.items}
        task, mode_of = self.opening.task, self.rules.mode_of
        self._cloud = frozenset([item.id for item in self.opening.order if mode_of(task, self._given_item(item)) is Mode.CLOUD])

    @property
    def run_id(self) -> RunId:
        return self.opening.run_id

    def stop(self, cause: StopCause) -> None:
        """Start nothing new and end what runs. The cause is recorded first, and the first cause stays."""
        if self.cause is not None or self.finished.is_set():
            return
        self.cause = cause
        self._tell_stop(cause)
        self._turns.stop(cause)
        self._end_running(cause)

    async def tell_child(self, child: ChildRun) -> None:
        """News of a sub-pipeline's run, for the manifest."""
        if self._ref is not None:
            await self._ref.tell(ChildRunTold(run_id=self.run_id, child=child))

    async def tell_placed(self, subtask_id: SubtaskId, worker: str | None) -> None:
        """A command is about to begin elsewhere, or has ended there."""
        if self._ref is not None:
            await self._ref.tell(SubtaskPlaced(run_id=self.run_id, subtask_id=subtask_id, worker=worker))

    async def work(self, ref: Ref[Message]) -> None:
        """Work it off; never raises. A cancellation comes from an event loop that is closing: it stops the run, which is still recorded."""
        try:
            reporter = self._reporter(ref)
            await self._open(reporter)
            self._ref = ref
            await self._work_off(ref)
            await self._close(reporter)
        except ENDS_THE_PROGRAM as error:
            self._leave(error)
        except Exception as error:  # the boundary of the run: whoever waits for it is told
            self._fail(error)
        finally:
            self.finished.set()

    def _reporter(self, ref: Ref[Message]) -> Reporter:
        """The run itself holds none: a reporter knows the run, and a circle of the two would be left to the garbage collector."""
        return Reporter(ref, self.run_id, self.clock, self._stop_with_loop)

    async def _open(self, reporter: Reporter) -> None:
        if self.opening.manifest is None:
            await reporter.tell(self.opening)
        else:
            await reporter.ask(self.opening)  # its manifest stands before anything starts
        for report in self.opening.settled:
            await reporter.tell_end(report)

    async def _work_off(self, ref: Ref[Message]) -> None:
        """Lanes and chores are plain tasks: each guards itself, and a task group would cost more than a small run.

        The first lane is this task: a run whose agents wait for nothing needs no other.
        """
        chores = self._start_chores(ref)
        lanes: list[asyncio.Task[None]] = []
        with self._turns:
            instances = iter(self._instances())
            first = next(instances, None)
            for instance_id in instances:
                self._turns.enlist(partial(self._begin_lane, lanes, ref, instance_id))
            if first is not None:
                await self._work_here(ref, first)
            await self._see_end(lanes)
        for chore in chores:
            chore.cancel()
        await self._see_end(chores)

    def _begin_lane(self, lanes: "list[asyncio.Task[None]]", ref: Ref[Message], instance_id: InstanceId) -> None:
        lanes.append(self._start(self._lane, ref, instance_id))

    async def _work_here(self, ref: Ref[Message], instance_id: InstanceId) -> None:
        try:
            await self._guard(self._lane, ref, instance_id)
        except asyncio.CancelledError:
            self._stop_with_loop()

    async def _see_end(self, tasks: "Sequence[asyncio.Task[None]]") -> None:
        while waiting := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(waiting)
            except asyncio.CancelledError:  # it reaches what is waited for, too
                self._stop_with_loop()

    async def _close(self, reporter: Reporter) -> None:
        if self.cause is not None:  # told again, in case that the run ended first: twice is no news
            await reporter.tell(StopAsked(run_id=self.run_id, cause=self.cause, at=self.clock.now()))
        for report in self._turns.unstarted():
            self._note_end(report)
            await reporter.tell_end(report)
        defect = None if self.error is None else str(self.error)
        closed = await reporter.ask(CloseRun(run_id=self.run_id, at=self.clock.now(), defect=defect))
        if not isinstance(closed, ClosedRun):
            raise DefectError(f"Run {self.run_id} was closed with {closed!r:.80}.")
        self.closed = closed

    # Lanes -------------------------------------------------------------------------------------------------------

    def _instances(self) -> tuple[InstanceId, ...]:
        scheduler = self.opening.scheduler
        return () if scheduler is None else tuple(scheduler.assignments)

    async def _lane(self, ref: Ref[Message], instance_id: InstanceId) -> None:
        """One worker slot: takes what may start, runs it, tells how it went, until nothing is left."""
        with ref.clone() as channel, closing(LaneScope()) as scope:
            reporter = self._reporter(channel)
            while (item := await self._turns.next()) is not None:
                await self._run_item(reporter, scope, instance_id, item)
            await reporter.tell(_make_released(run_id=self.run_id, instance_id=instance_id, at=self.clock.now()))

    async def _run_item(self, reporter: Reporter, scope: LaneScope, instance_id: InstanceId, item: PlanItem) -> None:
        subtask_id = SubtaskId(item.id)
        cell = self._cells[subtask_id] = _make_cell(self.cause)  # before the first wait: what is ended from here on is ended here too
        opening, run_id = self.opening, self.opening.run_id
        await reporter.tell(_make_taken(run_id=run_id, subtask_id=subtask_id, instance_id=instance_id, at=self.clock.now()))
        given, mode = self._given_item(item), Mode.CLOUD if item.id in self._cloud else Mode.MCP
        order = _make_order(task=opening.task, plan=self._given, item=given, mode=mode, run_id=run_id)
        report = await run_subtask(order, self.rules, clock=self.clock, cell=cell, lane=scope, on_retry=reporter.tell_attempt)
        self.cut_short = self.cut_short or (cell.kept_back and cell.cause == self.cause)
        del self._cells[subtask_id]
        await self._settle(reporter, instance_id, report)

    def _given_item(self, item: PlanItem) -> PlanItem:
        return self._given_items.get(item.id, item) if self._given_items else item

    async def _settle(self, reporter: Reporter, instance_id: InstanceId, report: SubtaskReport) -> None:
        if report.cause is not None and report.cause == LOOP_IS_CLOSING:
            self.stop(LOOP_IS_CLOSING)
        if isinstance(report.error, ENDS_THE_PROGRAM):
            self._leave(report.error)
        self._note_end(report)
        settled = self._turns.settle(report)
        if settled.cancel is not None:
            self._end_running(settled.cancel)
        await reporter.tell_end(report, instance_id)
        for skipped in settled.skipped:
            await reporter.tell_end(skipped)

    def _note_end(self, report: SubtaskReport) -> None:
        self.cut_short = self.cut_short or (report.cause is not None and report.cause == self.cause)

    def _end_running(self, cause: StopCause) -> None:
        for cell in tuple(self._cells.values()):
            cell.stop(cause)

    def _stop_with_loop(self) -> None:
        forget_cancellation()
        self.stop(LOOP_IS_CLOSING)

    # Tasks -------------------------------------------------------------------------------------------------------

    def _start(self, work: Callable[[*Ts], Awaitable[None]], *arguments: *Ts) -> "asyncio.Task[None]":
        return asyncio.get_running_loop().create_task(self._guard(work, *arguments))

    def _start_chores(self, ref: Ref[Message]) -> "list[asyncio.Task[None]]":
        heartbeat, timeout = self.rules.heartbeat, self.rules.timeout
        chores = [] if heartbeat is None else [self._start(beat, self.run_id, self.clock, ref, heartbeat)]
        return chores if timeout is None else [*chores, self._start(keep_time, timeout, self.stop)]

    async def _guard(self, work: Callable[[*Ts], Awaitable[None]], *arguments: *Ts) -> None:
        """One lane or chore must not take the others down by an exception: they are stopped, and told why."""
        try:
            await work(*arguments)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except ENDS_THE_PROGRAM as error:
            self._leave(error)
        except BaseException as error:  # whatever it is, the other lanes would wait for this one
            self._fail(error)

    def _tell_stop(self, cause: StopCause) -> None:
        """Before anything is ended, room or not. Where the aggregator has ended, the run learns it from its next message."""
        if self._ref is not None:
            with suppress(OrchestratorError):
                self._ref.push(StopAsked(run_id=self.run_id, cause=cause, at=self.clock.now()))

    def _leave(self, error: BaseException) -> None:
        """What works is ended and put on record; then whoever waits for the run is left by it."""
        self.left_by = self.left_by or error
        self.stop(end_of_program(error))

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, OrchestratorError):
            _log.error("run %s failed", self.run_id, exc_info=error)
            error = DefectError(f"Run {self.run_id} failed ({type(error).__name__}: {error}); its report cannot be vouched for.")
        self.error = self.error or error
        self.stop(StopCause(StopKind.EMBEDDER, "the run cannot be put on record"))
