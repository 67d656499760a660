"""uvicorn for one dashboard in one process: the socket, what may reach it, and an end that waits for nobody."""

import asyncio
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import Receive, Scope, Send

from orchestrator_py.dashboard.app import Dashboard
from orchestrator_py.dashboard.guard import LOOPBACK, Policy
from orchestrator_py.dashboard.live import CUT
from orchestrator_py.dashboard.token import Token
from orchestrator_py.errors import InputError
from orchestrator_py.lean import define

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_SECONDS = 1


def bind(host: str, port: int) -> socket.socket:
    """A socket that is bound, and does not listen yet. InputError if the name is none of ours or the port is taken."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family, kind)
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host {host}: no address of this machine ({error}); 127.0.0.1 is one.") from None
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen()  # here, so that a port that is taken is seen before anything is told
    except OSError as error:
        bound.close()
        raise InputError(
            f"{host}:{port}: cannot listen there ({error.strerror}); choose another one with --port, or any free one with --port 0."
        ) from None
    return bound


def policy_for(listening: socket.socket, host: str, more: Sequence[str], token: Token | None) -> Policy:
    """Loopback is reached by its names and this port. Beyond it nobody gets in without a token: InputError if there is none."""
    address, port = listening.getsockname()[:2]
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return Policy(hosts=(*LOOPBACK, host, address, *more), port=None if more else port, token=token)
    if token is None:
        raise InputError(
            f"--host {host} can be reached from other machines: give a token with --token, or better in ORCHESTRATOR_PY_TOKEN, "
            "which no list of processes shows; or stay at 127.0.0.1."
        )
    return Policy(hosts=(*LOOPBACK, host, socket.gethostname(), *more), literals=True, token=token)


def address_of(listening: socket.socket, host: str) -> str:
    """Where a browser on this machine finds it."""
    address, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, host)
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def serve_until_signal(app: Dashboard, listening: socket.socket, started: Callable[[], object]) -> int:
    """The number of the signal. A second one takes away the last second that open connections have."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return asyncio.run(_serve(app, listening, started))


class _Server(uvicorn.Server):
    """Signals are ours; `up` is called in a thread as soon as it takes requests."""

    def __init__(self, config: uvicorn.Config, up: Callable[[], object]) -> None:
        super().__init__(config)
        self.up = up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        await asyncio.to_thread(self.up)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@define(eq=False)
class _Cuttable:
    """The application, which may cut a connection: closed, it would stay until a reader that has stopped reading has read the rest."""

    app: Dashboard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        await self.app(scope if transport is None else {**scope, CUT: transport.abort}, receive, send)


async def _serve(app: Dashboard, listening: socket.socket, started: Callable[[], object]) -> int:
    config = uvicorn.Config(
        _Cuttable(app),
        access_log=False,  # addresses of runs are nobody's business but the reader's
        log_config=None,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )
    server, got = _Server(config, started), list[int]()

    def stop(number: int) -> None:
        server.force_exit = bool(got)
        server.should_exit = True
        got.append(number)
        app.close()

    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
    await server.serve(sockets=[listening])
    return got[0] if got else signal.SIGTERM
