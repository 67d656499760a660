"""The token that lets somebody in: compared in constant time, never shown, and not what the cookie holds."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request

from orchestrator_py.errors import InputError
from orchestrator_py.lean import field, frozen

COOKIE = "orchestrator_py_dashboard"
SHORTEST = 16
LONGEST_FORM = 4096


@frozen
class Token:
    """InputError if it is so short that it could be guessed."""

    _text: str = field(repr=False)

    def __attrs_post_init__(self) -> None:
        if len(self._text) < SHORTEST or not (self._text.isascii() and self._text.isprintable()):
            raise InputError(
                f"The token has to be at least {SHORTEST} printable ASCII characters; make one with: "
                "python -c 'import secrets; print(secrets.token_urlsafe())'."
            )

    @property
    def cookie(self) -> str:
        """What a browser keeps in the token's place: it opens this dashboard, and does not tell the token."""
        return hmac.new(self._text.encode(), b"cookie of the dashboard", hashlib.sha256).hexdigest()

    def matches(self, text: str) -> bool:
        return hmac.compare_digest(self._text.encode(), text.encode(errors="replace"))

    def admits(self, *, headers: Headers, cookies: Mapping[str, str]) -> bool:
        """By `Authorization: Bearer` or by the cookie."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.matches(given.strip()):
            return True
        return hmac.compare_digest(self.cookie.encode(), cookies.get(COOKIE, "").encode(errors="replace"))

    async def in_form(self, request: Request) -> str:
        """What was typed into the login page; nothing if the form is longer than it can be."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_FORM:
                return ""
        return next(iter(parse_qs(body.decode("ascii", "replace")).get("token", [])), "")
