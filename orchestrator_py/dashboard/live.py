"""`/api/events`: the live stream. It tells what has changed; where things stand is asked of the other endpoints after `ready`."""

from collections.abc import AsyncIterator

from anyio import to_thread
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orchestrator_py.dashboard.answers import RefusedError, json_text, now, number, parse_task_of, query
from orchestrator_py.dashboard.api import LARGEST_STAGE, TAIL_BYTES, Api, log_data
from orchestrator_py.dashboard.feed import Feed
from orchestrator_py.dashboard.rows import with_elapsed
from orchestrator_py.dashboard.subscription import News
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import RunId, TaskId, parse_run_id
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.reading.files import Data, UnreadableError
from orchestrator_py.reading.log_tail import read_added, read_tail_of
from orchestrator_py.reading.stage_log import StageLog

RETRY_MILLISECONDS = 1_000
PING_SECONDS = 15
SEND_SECONDS = 30
"""So long a reader may take nothing of what it is sent."""
CUT = "orchestrator_py.cut"
"""Where a server of ours puts into the scope what ends the connection without another word."""


@frozen
class Followed:
    """The run, and perhaps the stage of it, that a reader looks at."""

    task: TaskId
    run_id: RunId
    stage: int | None


@define(eq=False)
class Live:
    """The endpoint. Events: `ready`, `runs`, `gone`, `tasks`, and of the run that is followed `run` and `log`."""

    api: Api
    feed: Feed

    async def events(self, request: Request) -> Response:
        """`?task=…&run=…` follows a run, `&stage=N` the log of its Nth stage too."""
        followed = _parse_followed(request)
        if self.feed.is_full:
            raise RefusedError(503, "There are too many readers of the live stream, or it has ended.")
        if followed is not None:
            await to_thread.run_sync(self._require, followed)
        return _Stream(self._stream(followed), ping=PING_SECONDS, sep="\n", send_timeout=SEND_SECONDS)

    def _require(self, followed: Followed) -> None:
        self.api.read_detail(followed.task, followed.run_id)
        if followed.stage is not None:
            self.api.find_log(followed.task, followed.run_id, followed.stage)

    async def _stream(self, followed: Followed | None) -> AsyncIterator[ServerSentEvent]:
        key = None if followed is None else (followed.task, followed.run_id)
        log = _LogReader(self.api, followed)
        with self.feed.subscribed(key) as reader:
            await self.feed.ready()
            yield _event("ready", {"now": now()}, retry=RETRY_MILLISECONDS)
            news: News | None = News(rows=[], gone=[], tasks=[], touched=followed is not None)
            while news is not None:
                for event in _changes(news):
                    yield event
                if followed is not None and news.touched:
                    for event in await to_thread.run_sync(self._followed, followed, log):
                        yield event
                news = await reader.next()

    def _followed(self, followed: Followed, log: "_LogReader") -> list[ServerSentEvent]:
        """Where the run stands, and what its stage has printed meanwhile; nothing once it cannot be read any more."""
        try:
            detail = self.api.read_detail(followed.task, followed.run_id)
            added = log.read()
        except RefusedError:
            return []
        return [_event("run", detail), *([_event("log", added)] if added is not None else [])]


class _Stream(EventSourceResponse):
    """It ends for a reader that has stopped reading; no defect of ours, so that nobody is told."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except* SendTimeoutError:
            if CUT in scope:
                scope[CUT]()
                while (await receive())["type"] != "http.disconnect":
                    pass  # the server has to hear of it, or it calls this an answer that was not completed


@define(eq=False)
class _LogReader:
    """The log of the stage that is followed, from its tail on."""

    _api: Api
    _followed: Followed | None
    _log: StageLog | None = field(default=None, init=False)
    _end: int | None = field(default=None, init=False)

    def read(self) -> Data | None:
        """What was added; the tail at the first time. None if there is nothing new."""
        if self._followed is None or self._followed.stage is None:
            return None
        self._log = self._log or self._api.find_log(self._followed.task, self._followed.run_id, self._followed.stage)
        try:
            part = read_tail_of(self._log, TAIL_BYTES) if self._end is None else read_added(self._log, self._end, TAIL_BYTES)
        except UnreadableError:
            return None
        if part is None:
            return None
        self._end = part.end
        return log_data(part)


def _changes(news: News) -> list[ServerSentEvent]:
    moment, events = now(), list[ServerSentEvent]()
    if news.rows:
        events.append(_event("runs", {"now": moment, "runs": [with_elapsed(row, moment) for row in news.rows]}))
    if news.gone:
        events.append(_event("gone", {"runs": [{"task": task, "run_id": run_id} for task, run_id in news.gone]}))
    if news.tasks:
        events.append(_event("tasks", {"tasks": news.tasks}))
    return events


def _event(kind: str, data: Data, retry: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(json_text(data), event=kind, retry=retry)


def _parse_followed(request: Request) -> Followed | None:
    words = query(request, "task", "run", "stage")
    if not words:
        return None
    if "task" not in words or "run" not in words:
        raise RefusedError(400, "task and run belong together.")
    try:
        run_id = parse_run_id(words["run"])
    except IdentifierError:
        raise RefusedError(404, "There is no such run.") from None
    stage = number(words, "stage", default=1, least=1, most=LARGEST_STAGE) if "stage" in words else None
    return Followed(parse_task_of(words["task"]), run_id, stage)
