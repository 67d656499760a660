"""Who may ask: the Host that we were reached by, the Origin of the page that asks, the token. And the headers that every answer carries."""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator_py.dashboard.answers import refuse
from orchestrator_py.dashboard.login import login_page, path_below
from orchestrator_py.dashboard.token import COOKIE, Token
from orchestrator_py.lean import define, field, frozen

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANY = "*"
_DEFAULT_PORT = 80

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # without any, browsers send `Origin: null` with the form of the token
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


@frozen(kw_only=True)
class Policy:
    """Names by which we may be reached, without ports, and pages of other origins that may ask.

    `literals`: any IP address will do as a Host, which no page can make its own by renaming it.
    """

    hosts: Sequence[str] = LOOPBACK
    origins: Sequence[str] = ()
    port: int | None = None
    literals: bool = False
    token: Token | None = field(default=None, repr=False)

    def knows_host(self, host: str) -> bool:
        """Whether that Host header names us."""
        if ANY in self.hosts:
            return True
        name, port = split_host(host)
        if self.port is not None and (port or _DEFAULT_PORT) != self.port:
            return False
        return name in {known.strip("[]").lower() for known in self.hosts} or (self.literals and _is_address(name))

    def knows_origin(self, origin: str | None, host: str) -> bool:
        """A page of our own, or of an origin that was named; a browser that tells none has followed a link, or asks for a page of ours."""
        if origin is None or origin in self.origins:
            return True
        scheme, _, rest = origin.partition("://")
        return scheme in ("http", "https") and rest.lower() == host.lower()


@define(eq=False)
class Guard:
    """Stands before the application."""

    app: ASGIApp
    policy: Policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = await self._refuse(Request(scope, receive))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await (answer or self.app)(scope, receive, guarded)

    async def _refuse(self, request: Request) -> Response | None:
        headers = request.headers
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self.policy.knows_host(host):
            return refuse(421, "This host is not served here; name it with --allow-host, or in allowed_hosts.")
        if not self.policy.knows_origin(headers.get("origin"), host) or _is_foreign(headers):
            return refuse(403, "Pages of other origins may not ask.")
        return None if self.policy.token is None else await self._refuse_stranger(request, self.policy.token)

    async def _refuse_stranger(self, request: Request, token: Token) -> Response | None:
        path = path_below(request.scope)
        if path == "/login" and request.method == "POST":
            if not token.matches(await token.in_form(request)):
                return login_page("That is not the token.", 403)
            answer = RedirectResponse("./", status_code=303)
            secure = request.url.scheme == "https"
            answer.set_cookie(
                COOKIE, token.cookie, httponly=True, samesite="strict", secure=secure, path=request.scope.get("root_path") or "/"
            )
            return answer
        if path.startswith("/static/") or token.admits(headers=request.headers, cookies=request.cookies):
            return None
        return login_page("", 401) if path == "/" else refuse(401, "The token is missing: send it as `Authorization: Bearer …`.")


def split_host(host: str) -> tuple[str, int | None]:
    """Name and port of a Host header, in lower case and without brackets; an empty name for what is none."""
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not colon:
        name, port = host, ""
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return "", None
    bracketed = name.startswith("[") and name.endswith("]")
    if not bracketed and ":" in name:
        return "", None
    return name.strip("[]").lower(), int(port) if port else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_foreign(headers: Headers) -> bool:
    """A browser says that another site's page fetches this; following a link to us is nothing else than typing the address."""
    return headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
