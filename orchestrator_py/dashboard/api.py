"""The JSON API. Every endpoint reads the files when it is asked, in a worker thread, and changes nothing."""

from collections.abc import Awaitable, Callable
from itertools import islice

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from orchestrator_py.dashboard.answers import RefusedError, answer, now, number, query, refuse, run_of, task_of, word
from orchestrator_py.dashboard.record import HISTORY, Record
from orchestrator_py.dashboard.rows import history_detail, run_detail, with_elapsed
from orchestrator_py.dashboard.signatures import Problems
from orchestrator_py.dashboard.tasks import task_detail, task_summary
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define
from orchestrator_py.reading.files import Data, UnreadableError
from orchestrator_py.reading.log_tail import LogPart, read_tail_of
from orchestrator_py.reading.run import QUEUED, RUNNING, Run
from orchestrator_py.reading.stage_events import read_stage_events
from orchestrator_py.reading.stage_log import StageLog, stage_logs

Endpoint = Callable[[Request], Awaitable[Response]]

MOST_RUNS = 1_000
TAIL_BYTES = 128 * 1024
"""So much of a log is shown at once, as it stands in the file."""
LARGEST_STAGE = 99_999
_OUT_OF_SIGHT = f"No such run has a folder or is among the newest {HISTORY:,} of the task's history; older ones are not looked at."
_GOING_ON = (QUEUED, RUNNING)
"""Runs with one of these words have a marker, or are in flight, so that no other manifest need be read to find them."""


def telling(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose refusals and unreadable files are told as JSON."""

    async def told(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as error:
            return refuse(error.status, error.message)

    return told


@define(eq=False)
class Api:
    """The endpoints over one record."""

    record: Record

    async def tasks(self, request: Request) -> Response:
        """`/api/tasks`."""
        query(request)
        return answer(await to_thread.run_sync(self._tasks))

    async def task(self, request: Request) -> Response:
        """`/api/tasks/{task}`."""
        task = task_of(request)
        last = number(query(request, "last"), "last", default=200, least=1, most=MOST_RUNS)
        return answer(await to_thread.run_sync(self._task, task, last))

    async def runs(self, request: Request) -> Response:
        """`/api/runs`."""
        words = query(request, "task", "status", "limit", "offset")
        limit = number(words, "limit", default=100, least=1, most=MOST_RUNS)
        offset = number(words, "offset", default=0, least=0, most=99_999_999)
        return answer(await to_thread.run_sync(self._runs, words.get("task"), word(words, "status"), limit, offset))

    async def run(self, request: Request) -> Response:
        """`/api/runs/{task}/{run}`."""
        task, run_id = task_of(request), run_of(request)
        query(request)
        return answer(await to_thread.run_sync(self.read_detail, task, run_id))

    async def log(self, request: Request) -> Response:
        """`/api/runs/{task}/{run}/log/{stage}`."""
        task, run_id = task_of(request), run_of(request)
        query(request)
        stage = number(request.path_params, "stage", default=1, least=1, most=LARGEST_STAGE)
        return answer(await to_thread.run_sync(self._log, task, run_id, stage))

    # In worker threads ------------------------------------------------------------------------------------------------

    def read_detail(self, task: TaskId, run_id: RunId) -> Data:
        """RefusedError if there is no such run, or if it cannot be read."""
        self._require(task)
        try:
            run = self.record.run(task, run_id)
            if run is not None:
                return run_detail(run, _told(run), now())
            flight = self.record.flights_by_id(task).get(run_id)
            if flight is not None:
                return run_detail(flight, _told(flight), now())
        except UnreadableError as error:
            raise RefusedError(422, self.record.relative(error)) from None
        entry = self.record.entries(task, []).get(run_id)
        if entry is None:
            raise RefusedError(404, _OUT_OF_SIGHT if self.record.has_older(task) else "There is no such run.")
        return history_detail(task, entry, self.record.summarised(task, run_id))

    def find_log(self, task: TaskId, run_id: RunId, stage: int) -> StageLog:
        """RefusedError if there is no such stage."""
        self._require(task)
        try:
            run = self.record.run(task, run_id)
        except UnreadableError as error:
            raise RefusedError(422, self.record.relative(error)) from None
        logs = [] if run is None else stage_logs(run)
        if not 1 <= stage <= len(logs):
            raise RefusedError(404, "There is no such stage.")
        return logs[stage - 1]

    def _tasks(self) -> Data:
        problems: Problems = []
        found = [task_summary(self.record, task, problems) for task in self.record.tasks(problems)]
        return {"now": now(), "tasks": found, "problems": self._told(problems)}

    def _task(self, task: TaskId, last: int) -> Data:
        self._require(task)
        problems: Problems = []
        return {"now": now(), **task_detail(self.record, task, last, problems), "problems": self._told(problems)}

    def _runs(self, task: str | None, status: str | None, limit: int, offset: int) -> Data:
        problems: Problems = []
        tasks = [known for known in self.record.tasks(problems) if task in (None, known)]
        if task is not None and not tasks:
            raise RefusedError(404, "There is no such task.")
        moment, names = now(), self.record.newest(tasks, problems)
        total = len(names)
        if status in _GOING_ON:
            live = self._live(tasks)
            names = [name for name in names if name[1:] in live]
        rows = self.record.rows(names if status is not None else names[offset : offset + limit], problems)
        if status is not None:
            rows = islice((row for row in rows if row["status"] == status), offset, offset + limit)
        found = [with_elapsed(row, moment) for row in rows]
        older = any(map(self.record.has_older, tasks))
        return {"now": moment, "runs": found, "total": total, "older": older, "problems": self._told(problems)}

    def _log(self, task: TaskId, run_id: RunId, stage: int) -> Data:
        try:
            return log_data(read_tail_of(self.find_log(task, run_id, stage), TAIL_BYTES))
        except UnreadableError as error:
            raise RefusedError(422, self.record.relative(error)) from None

    def _live(self, tasks: list[str]) -> set[tuple[str, str]]:
        return {(task, run_id) for task in tasks for run_id in self.record.live_names(task)}

    def _require(self, task: TaskId) -> None:
        if task not in self.record.tasks([]):
            raise RefusedError(404, "There is no such task.")

    def _told(self, problems: Problems) -> list[str]:
        return sorted({self.record.relative(problem) for problem in problems})


def log_data(part: LogPart) -> Data:
    pieces = [{"stream": one.stream, "attempt": _count(one.attempt), "timestamp": one.timestamp, "data": one.data} for one in part.pieces]
    return {"fresh": part.fresh, "cut": part.cut, "end": part.end, "pieces": pieces}


def _told(run: Run) -> dict[str, Data]:
    """A log of events that cannot be read takes nothing from the run."""
    try:
        return read_stage_events(run)
    except UnreadableError:
        return {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
