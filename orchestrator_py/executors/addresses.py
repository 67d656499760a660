"""Which addresses may be spoken to in plain text: those of this machine alone."""

import ipaddress
import socket
from urllib.parse import urlsplit

from orchestrator_py.errors import InputError

_SAFE = frozenset({"tls", "wss", "inproc"})
_DEFAULT = "tcp"


def refuse_plain(address: str, what: str, *, insecure: bool) -> None:
    """InputError for an address beyond loopback that is neither encrypted nor authenticated, unless somebody takes that upon himself.

    Whoever reaches a scheduler or a worker can run any code there; and on the way, commands and environments could be read and changed.
    """
    scheme, host = split_address(address)
    if insecure or scheme in _SAFE or is_loopback(host):
        return
    raise InputError(
        f"{what} {address} is beyond this machine and not encrypted: whoever reaches it can run anything, and reads what we send. "
        "Use a tls:// address with --tls-ca-file, --tls-cert and --tls-key, or say --insecure in a network that you trust."
    )


def split_address(address: str) -> tuple[str, str]:
    """Scheme (`tcp` if none is named) and host."""
    whole = address if "://" in address else f"{_DEFAULT}://{address}"
    try:
        parts = urlsplit(whole)
        host = parts.hostname or ""
    except ValueError:
        raise InputError(f"{address!r} is no address of a scheduler; write it as tcp://HOST:PORT or tls://HOST:PORT.") from None
    return parts.scheme, host


def is_loopback(host: str) -> bool:
    """Whether every address that the name stands for is of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in found)
