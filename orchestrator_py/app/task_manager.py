"""The embedded manager: give it four agents, hand it tasks, get summaries that can be trusted."""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from orchestrator_py.actors.agents import Agents, ModePolicy, RunRules
from orchestrator_py.actors.event_stream import EventStream
from orchestrator_py.actors.outlast import ENDS_THE_PROGRAM, is_being_cancelled
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.actors.subtask import StopCell
from orchestrator_py.app.arguments import check_agent, checked_count, checked_resources, checked_text, checked_timeout, parse_policy
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_chance import system_chance
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.core import fixed_texts
from orchestrator_py.core.answers import accept_plan
from orchestrator_py.core.mode import default_mode
from orchestrator_py.core.names import create_embedded_run_id
from orchestrator_py.core.places import refuse_reserved_task
from orchestrator_py.core.plan import validate_needs
from orchestrator_py.core.resources import validate_resources
from orchestrator_py.core.run_opening import RunPaths, open_after_planner_error, open_embedded
from orchestrator_py.core.schedule import Bounds
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import RunId, TaskId, parse_run_id
from orchestrator_py.model.events import Event
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.outcome import FailurePolicy, StopCause, StopKind
from orchestrator_py.model.policy import VerdictRules
from orchestrator_py.model.summary import RunSummary
from orchestrator_py.model.task import TaskContext
from orchestrator_py.ports import Builder, Clock, Executor, Planner, Reviewer, Tester
from orchestrator_py.store.layout import RESERVED_RUN_IDS, Layout, embedded_artifact_root

DEFAULT_CONCURRENCY = 32


class TaskManager:
    """Runs the subtasks of tasks concurrently, in the caller's event loop, and reports how they went.

    `planner`, `builder`, `tester` and `reviewer` are objects with one async method each. `root`: the folder below which `.runs/` and
    `out/` are written; None keeps everything in memory. `max_concurrency`: subtasks of one run at a time. `on_failure`: `"stop"` starts
    nothing new after a failure, `"cancel"` also ends what runs, `"continue"` goes on. `group=False` runs one subtask, the one that the
    plan selects. `keep_summaries=False` records the metrics entry only. `run_id_factory` is called with the task.
    `timeout`: for each run; what still works then is timed out. `resources`: how many units each run has of what `SubtaskPolicy.resources`
    names. `strict`: a waived failure counts as what it is; `fail_on_flaky`: a success after a retry as failed. `executor`: where builder,
    tester and reviewer work, if not in this program.

    Raises InputError for arguments that make no sense. Several managers may work on the same tasks at the same time.
    """

    def __init__(
        self,
        *,
        planner: Planner,
        builder: Builder,
        tester: Tester,
        reviewer: Reviewer,
        root: Path | str | None = None,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        on_failure: Literal["stop", "cancel", "continue"] | FailurePolicy = "stop",
        group: bool = True,
        keep_summaries: bool = True,
        mode_policy: ModePolicy = default_mode,
        run_id_factory: Callable[[TaskContext], str] | None = None,
        clock: Clock | None = None,
        pipeline_id: str = "embedded",
        timeout: timedelta | None = None,
        resources: Mapping[str, int] | None = None,
        strict: bool = False,
        fail_on_flaky: bool = False,
        executor: Executor | None = None,
    ) -> None:
        agents = (("planner", planner, "plan"), ("builder", builder, "build"), ("tester", tester, "test"), ("reviewer", reviewer, "review"))
        for name, agent, method in agents:
            check_agent(name, agent, method)
        self._clock = clock or SystemClock()
        self._planner = planner
        self._rules = RunRules(
            agents=self._agents(Agents(builder=builder, tester=tester, reviewer=reviewer), executor),
            mode_policy=mode_policy,
            bounds=Bounds(limit=checked_count("max_concurrency", max_concurrency), resources=checked_resources(resources)),
            on_failure=parse_policy(on_failure),
            chance=system_chance,
            timeout=checked_timeout(timeout),
        )
        self._verdict_rules = VerdictRules(strict=strict, fail_on_flaky=fail_on_flaky)
        self._group = group
        self._keep_summaries = keep_summaries
        self._run_id_factory = run_id_factory
        self._pipeline_id = checked_text("pipeline_id", pipeline_id)
        self._layout = None if root is None else Layout.below(Path(root))
        self._service = RunService(self._layout, self._clock)
        self._executor = executor
        self._planned: set[StopCell] = set()

    async def __aenter__(self) -> Self:
        """InputError if the executor cannot be trusted with the work."""
        if self._executor is not None:
            await self._executor.__aenter__()
        await self._service.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Runs still in flight are stopped and put on record; the rollups hold everything recorded.

        A history beyond 1 MiB is not copied for every close: what is new may still stand in the journal; `flush` folds it.
        """
        try:
            await self._service.__aexit__(kind, error, trace)
        finally:
            if self._executor is not None:
                await self._executor.__aexit__(kind, error, trace)

    async def execute(self, task: TaskContext) -> RunSummary:
        """Plan the task, run its subtasks, and return the summary once it is on record.

        A planner that raises gives a summary that says so. Raises PlanError if nothing can run (or, without a group, nothing is
        selected), InputError for a title that is no text, for a run id that cannot name a folder or is in
        flight already, StoreError if the run could not be put on record, DefectError if the report cannot be vouched for. Cancelling the
        call stops the subtasks, leaves a `cancelled` record and goes on as the cancellation.
        """
        checked_text("the title of a task", task.title)
        clock = RunClock(self._clock)
        run_id = self._name_run(task, clock)
        cell = StopCell()  # a stop that comes while the task is planned finds no run to be recorded in
        self._planned.add(cell)
        try:
            opening = await self._open(task, run_id, clock)
        finally:
            self._planned.discard(cell)
        run = self._service.start(opening, self._rules, clock)
        if cell.cause is not None:
            run.stop(cell.cause)
        return (await self._service.wait(run)).summary

    async def flush(self) -> None:
        """Fold and publish: history and rollups hold every finished run when this returns, of each task that this event loop holds.

        Where another program (or event loop) holds the task, finished runs are durable in its queue. It takes them in within a few seconds
        while none of its runs goes on, else after the next of them that ends.
        """
        await self._service.flush()

    def stop(self, reason: str = "stop was called") -> None:
        """Stop every run in flight, those that are still planned too; their `execute` calls return `cancelled` summaries.

        To be called in the event loop; from another thread by `loop.call_soon_threadsafe(manager.stop)`.
        """
        cause = StopCause(StopKind.EMBEDDER, reason)
        for cell in self._planned:
            cell.stop(cause)
        self._service.stop(cause)

    def events(self) -> EventStream:
        """An async iterator over the events of all runs of this manager from now on; it ends when the manager closes."""
        return self._service.follow()

    def subscribe(self, subscriber: Callable[[Event], object]) -> Callable[[], None]:
        """Call `subscriber` with every event from now on; what it raises is logged and changes nothing. The answer unsubscribes."""
        return self._service.subscribe(subscriber)

    @staticmethod
    def _agents(agents: Agents, executor: Executor | None) -> Agents:
        if executor is None:
            return agents
        from orchestrator_py.app.remote_agents import remote_agents

        return remote_agents(agents, executor)

    async def _open(self, task: TaskContext, run_id: RunId, clock: RunClock) -> OpenRun:
        plan = accept_plan(await self._ask_planner(task))
        named = self._run_id_factory is not None  # who names runs may give a name again, today or years later
        paths = RunPaths(artifact_root=self._artifact_root(task.id, run_id))
        if isinstance(plan, str):
            return open_after_planner_error(
                run_id=run_id,
                task=task,
                message=plan,
                pipeline_id=self._pipeline_id,
                paths=paths,
                started_at=clock.started_at,
                keep_summary=self._keep_summaries,
                repeated=named,
            )
        opening = open_embedded(
            run_id=run_id,
            task=task,
            plan=plan,
            grouped=self._group,
            limit=self._rules.bounds.limit,
            pipeline_id=self._pipeline_id,
            paths=paths,
            started_at=clock.started_at,
            keep_summary=self._keep_summaries,
            repeated=named,
            rules=self._verdict_rules,
        )
        if self._group:  # one subtask by itself waits for nobody
            validate_needs(opening.order)
        validate_resources(opening.order, self._rules.bounds.resources)
        return opening

    async def _ask_planner(self, task: TaskContext) -> object:
        """The plan, or what the planner raised: it is the caller's code, and what it raises is reported."""
        try:
            return await self._planner.plan(task)
        except asyncio.CancelledError:
            if is_being_cancelled():
                raise
            return RuntimeError(fixed_texts.CANCELLED_ITSELF)
        except (*ENDS_THE_PROGRAM, GeneratorExit):
            raise
        except BaseException as error:  # a planner is the caller's code; what it raises is reported
            return error

    def _artifact_root(self, task_id: TaskId, run_id: RunId) -> str:
        return f".runs/{task_id}/{run_id}" if self._layout is None else embedded_artifact_root(self._layout, task_id, run_id)

    def _name_run(self, task: TaskContext, clock: RunClock) -> RunId:
        refuse_reserved_task(task.id)
        if self._run_id_factory is None:
            return create_embedded_run_id(task.id, clock.started_at, os.urandom(4).hex())
        run_id = parse_run_id(self._run_id_factory(task))
        if run_id in RESERVED_RUN_IDS:
            raise IdentifierError(f'Invalid run ID "{run_id}": the task\'s own files have that name; choose another.')
        return run_id
