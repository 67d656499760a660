"""The application: routes, in front of them the guard."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from orchestrator_py.core.places import OUT, RUNS
from orchestrator_py.dashboard.answers import answer, refuse
from orchestrator_py.dashboard.api import Api, Endpoint, telling
from orchestrator_py.dashboard.assets import PAGE, read_assets
from orchestrator_py.dashboard.feed import Feed
from orchestrator_py.dashboard.guard import LOOPBACK, Guard, Policy
from orchestrator_py.dashboard.live import Live
from orchestrator_py.dashboard.metrics import Metrics
from orchestrator_py.dashboard.record import Record
from orchestrator_py.dashboard.token import Token
from orchestrator_py.lean import define, field


@define(eq=False)
class Dashboard:
    """An ASGI application. `close` ends its live streams, which would otherwise keep a server from ending."""

    record: Record
    policy: Policy
    _feed: Feed = field(init=False)
    _guarded: Guard = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._feed = Feed(self.record)
        self._guarded = Guard(Starlette(routes=_routes(self.record, self._feed), exception_handlers={HTTPException: _tell}), self.policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guarded(scope, receive, send)

    def close(self) -> None:
        """Readers of the live stream are told to go."""
        self._feed.close()


def create_app(
    root: Path | str,
    *,
    runs_dir: Path | str = RUNS,
    out_dir: Path | str = OUT,
    allowed_hosts: Sequence[str] = LOOPBACK,
    allowed_origins: Sequence[str] = (),
    token: str | None = None,
) -> Dashboard:
    """The dashboard of the repository at `root`, to be served by itself or mounted under any prefix. It only reads.

    `runs_dir` and `out_dir` are meant below the root. `allowed_hosts` are the names, without ports, under which it may be reached: loopback
    alone by default; `["*"]` leaves the check to the application around it. Pages of its own origin may ask, and those of
    `allowed_origins`. With a `token` nobody gets in without it. InputError if that is too short.
    """
    folder = Path(root).absolute()
    policy = Policy(hosts=allowed_hosts, origins=allowed_origins, token=None if token is None else Token(token))
    return Dashboard(Record(str(folder / runs_dir), str(folder / out_dir)), policy)


def _routes(record: Record, feed: Feed) -> list[Route]:
    api, assets = Api(record), read_assets()
    live = Live(api, feed)

    async def page(_: Request) -> Response:
        return assets[PAGE]

    async def asset(request: Request) -> Response:
        return assets.get(request.path_params["name"]) or refuse(404, "There is no such file.")

    endpoints: dict[str, Endpoint] = {
        "/": page,
        "/static/{name}": asset,
        "/api/openapi.json": _describe,
        "/api/tasks": api.tasks,
        "/api/tasks/{task}": api.task,
        "/api/runs": api.runs,
        "/api/runs/{task}/{run}": api.run,
        "/api/runs/{task}/{run}/log/{stage}": api.log,
        "/api/events": live.events,
        "/metrics": Metrics(record).metrics,
    }
    return [Route(path, telling(endpoint), methods=["GET"]) for path, endpoint in endpoints.items()]


async def _describe(request: Request) -> Response:
    """The description of the API, with where it is mounted."""
    document = json.loads((files(__package__) / "openapi.json").read_bytes())
    return answer({**document, "servers": [{"url": request.scope.get("root_path") or "/"}]})


async def _tell(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = refuse(error.status_code, error.detail)
    told.headers.update(error.headers or {})
    return told
