"""A web service that runs a group of subtasks for each request, in its own event loop.

    pip install orchestrator-py starlette uvicorn
    uvicorn examples.embedded_starlette:app
    curl localhost:8000/runs -d '{"task": "release", "subtasks": ["docs", "wheel", "notes"]}'

The answer holds the outcome in one word and the whole summary. A client that goes away, or a server that is told to stop, ends its
run; what is on record then says `cancelled`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from attrs import frozen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator_py import (
    BuildInput,
    BuildResult,
    DecodeError,
    InputError,
    PlanError,
    PlanItem,
    PlanResult,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    RunSummary,
    StoreError,
    TaskContext,
    TaskManager,
    TestInput,
    TestResult,
    to_json,
)

CLIENT_CLOSED_REQUEST = 499

Work = Callable[[str], Awaitable[str]]
"""Does one subtask, given its name; the answer is a note on what was done."""


@frozen
class Workshop:
    """The four agents. What they share is frozen, so that any number of runs may use them at the same time."""

    work: Work

    async def plan(self, task: TaskContext) -> PlanResult:
        """The subtasks that the client has named."""
        names = task.metadata["subtasks"]
        assert isinstance(names, list)
        return PlanResult(items=[PlanItem(id=name) for name in names])

    async def build(self, input: BuildInput) -> BuildResult:
        """What the work raises makes this subtask a failed one; the others are not touched."""
        return BuildResult(subtask_id=input.target.id, success=True, notes=await self.work(input.target.id))

    async def test(self, input: TestInput) -> TestResult:
        """Work that has nothing to say for itself has not been done."""
        return TestResult(subtask_id=input.build.subtask_id, success=bool(input.build.notes))

    async def review(self, input: ReviewInput) -> ReviewResult:
        """Nobody has to agree here."""
        return ReviewResult(summary=f"{input.target.id} looks fine.", decision=ReviewDecision(approved=True))


async def start_run(request: Request) -> Response:
    """POST /runs: run the subtasks at the same time; the answer comes when the run is on record, whatever its verdict."""
    manager: TaskManager = request.app.state.manager
    try:
        task = parse_task(await request.body())
        summary = await execute_while_connected(manager, task, request)
    except (InputError, PlanError) as error:
        return JSONResponse({"error": str(error)}, status_code=422)
    except StoreError as error:
        return JSONResponse({"error": str(error)}, status_code=507)
    if summary is None or summary.outcome is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    return JSONResponse({"outcome": summary.outcome.value, "summary": to_json(summary)})


def parse_task(body: bytes) -> TaskContext:
    """The task that a request describes. DecodeError or IdentifierError, both of them InputErrors, say what is wrong."""
    match _json(body):
        case {"task": str(task_id), "subtasks": [*names]} if all(isinstance(name, str) and name for name in names):
            return TaskContext(id=task_id, title=f"Run {task_id}", metadata={"subtasks": names})
    raise DecodeError('expected {"task": "an id", "subtasks": ["a name", ...]}')


async def execute_while_connected(manager: TaskManager, task: TaskContext, request: Request) -> RunSummary | None:
    """The summary, or None if the client went away: cancelling the call ends the subtasks and leaves an honest record."""
    with anyio.CancelScope() as connected:
        watcher = asyncio.create_task(_cancel_when_disconnected(request, connected))
        try:
            return await manager.execute(task)
        finally:
            watcher.cancel()
    return None


async def _cancel_when_disconnected(request: Request, connected: anyio.CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    connected.cancel()


def _json(body: bytes) -> object:
    try:
        data: object = json.loads(body)
    except ValueError as error:
        raise DecodeError(f"the body is not JSON: {error}") from None
    return data


def create_app(work: Work, root: Path) -> Starlette:
    """The service; runs and metrics are written below `root`. One manager lives as long as the application does."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        agents = Workshop(work)
        async with TaskManager(planner=agents, builder=agents, tester=agents, reviewer=agents, root=root, on_failure="continue") as manager:
            app.state.manager = manager
            yield

    return Starlette(routes=[Route("/runs", start_run, methods=["POST"])], lifespan=lifespan)


async def pretend(name: str) -> str:
    """Put the real work here."""
    await asyncio.sleep(0.5)
    return f"{name} is done"


app = create_app(pretend, Path("."))
