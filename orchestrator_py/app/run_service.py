"""Runs in flight and the aggregators that they report to: what the embedded manager and the command line share."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

from orchestrator_py.actors.agents import RunRules
from orchestrator_py.actors.aggregator import Aggregator
from orchestrator_py.actors.directory import Handle, join_aggregator
from orchestrator_py.actors.event_stream import EventRouter, EventStream, Switchboard
from orchestrator_py.actors.host import Host
from orchestrator_py.actors.outlast import outlast
from orchestrator_py.actors.run import Run
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.errors import DefectError, OrchestratorError, StoreError
from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.lean import define, field
from orchestrator_py.model.events import Event
from orchestrator_py.model.messages import ClosedRun, Flush, OpenRun
from orchestrator_py.model.outcome import StopCause, StopKind
from orchestrator_py.ports import Clock, FlightBoard, HistoryStore, RunFiles
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.lost_runs import complete_lost_runs
from orchestrator_py.store.queue import list_queue
from orchestrator_py.store.run_files import DiskRunFiles, MemoryRunFiles
from orchestrator_py.store.task_store import open_task_store

TYPE_CHECKING = False  # who keeps a record on disk does not pay for the one in memory
if TYPE_CHECKING:
    from orchestrator_py.store.memory import MemoryTaskStore

_log = logging.getLogger("orchestrator_py")

IDLE_TASKS = 32
"""Aggregators without a run that are kept open, so that the next run of their task finds everything in place."""


@define(eq=False)
class RunService:
    """`layout` None keeps everything in memory. Used as `async with`: leaving ends every run that is still in flight."""

    layout: Layout | None
    clock: Clock
    events: Switchboard = field(factory=Switchboard, init=False)
    _host: Host = field(factory=Host, init=False)
    _runs: set[Run] = field(factory=set, init=False)
    _kept: "OrderedDict[TaskId, Handle]" = field(factory=OrderedDict, init=False)
    _dismissed: deque[tuple[TaskId, Handle]] = field(factory=deque, init=False)
    _leaving: set[Handle] = field(factory=set, init=False)
    _problems: dict[TaskId, OrchestratorError] = field(factory=dict, init=False)
    _memory: "dict[TaskId, tuple[MemoryTaskStore, MemoryRunFiles]]" = field(factory=dict, init=False)

    async def __aenter__(self) -> Self:
        await self._host.__aenter__()
        self._problems.clear()  # of an earlier time, and told at its end
        self.events.open()
        return self

    async def __aexit__(self, _: object = None, error: BaseException | None = None, __: object = None) -> None:
        """StoreError if a task could not be put in order; every other task is put in order before that.

        An OrchestratorError that leaves the block knows more of it than we do, and is left to go on.
        """
        self.stop(StopCause(StopKind.EMBEDDER, "the manager was closed"))
        cancelled = await outlast(self._end)
        if cancelled:
            raise asyncio.CancelledError
        for problem in () if isinstance(error, OrchestratorError) else self._problems.values():
            raise problem

    async def _end(self) -> None:
        await self._host.__aexit__()
        self._dismissed += self._kept.items()
        self._kept.clear()
        await self._let_go_of_dismissed()
        self.events.close()

    def start(self, opening: OpenRun, rules: RunRules, clock: RunClock) -> Run:
        """Begin a run; it is worked off whatever becomes of the caller, until it is stopped.

        InputError outside of the `async with` block, or if the mode policy has no answer for a subtask.
        """
        run = Run(opening, rules, clock)

        def end() -> None:
            run.finished.set()
            self._runs.discard(run)

        self._host.start_soon(self._conduct(run), at_end=end)
        self._runs.add(run)
        return run

    async def wait(self, run: Run) -> ClosedRun:
        """The end of a run, when it is on record. A caller that is cancelled stops it, waits for the record, and is cancelled still.

        Raises StoreError if it could not be put on record, DefectError if the report cannot be vouched for, and the KeyboardInterrupt or
        SystemExit that an agent ended the program with.
        """
        try:
            await run.finished.wait()
        except asyncio.CancelledError:
            run.stop(StopCause(StopKind.EMBEDDER, "the caller was cancelled"))
            await outlast(run.finished.wait)
            if run.error is not None:
                _log.error("run %s, whose caller was cancelled, is not on record: %s", run.run_id, run.error)
            if run.left_by is None:
                raise
        if run.left_by is not None:
            raise run.left_by
        if run.error is not None:
            raise run.error
        if run.closed is None:
            raise DefectError(f"Run {run.run_id} ended without a report.")
        return run.closed

    def stop(self, cause: StopCause) -> None:
        """Stop every run in flight."""
        for run in tuple(self._runs):
            run.stop(cause)

    async def tell_placed(self, run_id: RunId, subtask_id: SubtaskId, worker: str | None) -> None:
        """A command of a run in flight is about to begin on a worker elsewhere; None: it has ended there."""
        for run in tuple(self._runs):
            if run.run_id == run_id:
                await run.tell_placed(subtask_id, worker)

    async def flush(self) -> None:
        """Everything recorded so far stands in the history and the rollups when this returns.

        StoreError if that failed for a task; every other task is flushed before that.
        """
        problems: list[OrchestratorError] = []
        dismissed = [handle for _, handle in self._dismissed]
        holds = [handle.again() for handle in (*self._kept.values(), *dismissed)]  # meanwhile tasks may have to make room
        leaving = tuple(self._leaving)
        async with AsyncExitStack() as held:
            for hold in holds:
                held.push_async_callback(hold.leave)
            for hold in holds:
                try:
                    await hold.ref.ask(Flush())
                except OrchestratorError as problem:
                    problems.append(problem)
        for handle in leaving:
            await handle.ended()
        if problems:
            raise problems[0]

    def follow(self) -> EventStream:
        """The events of all runs of this service from now on."""
        return self.events.follow()

    def subscribe(self, subscriber: Callable[[Event], object]) -> Callable[[], None]:
        """Call the subscriber with every event; what it raises is logged. The answer unsubscribes."""
        return self.events.subscribe(subscriber)

    # Aggregators -------------------------------------------------------------------------------------------------

    async def _conduct(self, run: Run) -> None:
        task_id = run.opening.task.id
        try:
            async with await self._join(task_id) as handle:
                with handle.events.routing(run.run_id, self.events):
                    self._keep(task_id, handle)
                    await run.work(handle.ref)
        except Exception as error:  # joining the aggregator failed: whoever waits for the run is told
            run.error = run.error or error
        self._runs.discard(run)
        self._dismiss_idle()
        await self._let_go_of_dismissed()

    async def _join(self, task_id: TaskId) -> Handle:
        key: Hashable = (self, task_id) if self.layout is None else (self.layout.runs_root, self.layout.out_root, task_id)
        return await join_aggregator(key, lambda events: self._create_aggregator(task_id, events))

    def _create_aggregator(self, task_id: TaskId, events: EventRouter) -> Aggregator:
        open_history, files = self._in_memory(task_id) if self.layout is None else self._on_disk(self.layout, task_id)
        aggregator = partial(Aggregator, task_id=task_id, open_history=open_history, files=files, sink=events, clock=self.clock)
        if self.layout is None:
            return aggregator()
        task = self.layout.task(task_id)
        return aggregator(open_board=partial(_open_board, task), has_queued=partial(_has_queued, task))

    def _on_disk(self, layout: Layout, task_id: TaskId) -> tuple[Callable[[], HistoryStore], RunFiles]:
        return lambda: _open_history(layout, task_id, self.clock), DiskRunFiles(layout, task_id)

    def _in_memory(self, task_id: TaskId) -> tuple[Callable[[], HistoryStore], RunFiles]:
        from orchestrator_py.store.memory import MemoryTaskStore

        store, files = self._memory.setdefault(task_id, (MemoryTaskStore(), MemoryRunFiles()))
        return lambda: MemoryTaskStore(store.lines), files

    def _keep(self, task_id: TaskId, handle: Handle) -> None:
        """Hold on to the task's aggregator after the run; one that has failed gives way to its successor."""
        kept = self._kept.get(task_id)
        if kept is None or not kept.is_same(handle):
            self._kept[task_id] = handle.again()
            self._dismissed += [(task_id, kept)] if kept else []
        self._kept.move_to_end(task_id)

    def _dismiss_idle(self) -> None:
        """The tasks that were idle longest make room."""
        if len(self._kept) <= IDLE_TASKS:
            return
        busy = {run.opening.task.id for run in self._runs}
        idle = [task_id for task_id in self._kept if task_id not in busy]
        self._dismissed += [(task_id, self._kept.pop(task_id)) for task_id in idle[: max(0, len(self._kept) - IDLE_TASKS)]]

    async def _let_go_of_dismissed(self) -> None:
        """What goes wrong then is nobody's run: it is told when the service is left, unless the task was put in order since."""
        while self._dismissed:
            task_id, handle = self._dismissed.popleft()
            self._leaving.add(handle)
            try:
                await handle.leave()
            finally:
                self._leaving.remove(handle)
            self._problems.pop(task_id, None)
            if (failure := handle.ref.failure) is not None:
                self._problems[task_id] = failure


def _open_history(layout: Layout, task_id: TaskId, clock: Clock) -> HistoryStore:
    """The task's store; runs whose process died are put on record before anything new is."""
    store = open_task_store(layout, task_id, now=clock.now)
    try:
        complete_lost_runs(layout.task(task_id), store, clock.now)
        _complete_lost_flights(layout.task(task_id), store, clock)
    except BaseException:
        store.close()
        raise
    return store


def _complete_lost_flights(task: TaskLayout, store: HistoryStore, clock: Clock) -> None:
    if task.in_flight.exists():
        from orchestrator_py.store.lost_flights import complete_lost_flights  # most command lines never meet one

        complete_lost_flights(task, store, clock.now)


def _has_queued(task: TaskLayout) -> bool:
    """A folder that cannot be listed now is left to the next commit, which tells of it."""
    try:
        return bool(list_queue(task.pending))
    except StoreError:
        return False


def _open_board(task: TaskLayout) -> FlightBoard:
    from orchestrator_py.store.flight_board import DiskFlightBoard  # only who runs something embedded, and lasts, waits for it

    return DiskFlightBoard(task)
