"""Clients of `distributed`: one that works in our event loop, whichever kind the caller has; and how one is closed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from anyio import move_on_after

from orchestrator_py.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 5.0


@asynccontextmanager
async def client_here(given: "Client") -> AsyncIterator["Client"]:
    """The caller's own, if it is asynchronous. One that has an event loop of its own, in a thread, is only asked where the scheduler is:
    we get a connection of ours, which is closed when this is left. InputError if there is none to be had.
    """
    client: Any = given  # its annotations are those of a client that is not asynchronous
    if client.asynchronous:
        await _connected(client)
        yield given
        return
    if client.status != "running":
        raise InputError(f"The client is {client.status}; give one that is connected.")
    from distributed import Client

    address, security = client.scheduler.address, client.security
    ours = Client(address, asynchronous=True, set_as_default=False, security=security, timeout=CONNECT_SECONDS)
    try:
        await _connected(ours)
        yield ours
    finally:
        await close_client(ours)


async def close_client(client: "Client") -> None:
    """Says goodbye, and does not wait long for an answer: there may be nobody any more, or never was."""
    with move_on_after(_CLOSE_SECONDS, shield=True), suppress(Exception):
        await client._close()


async def _connected(client: Any) -> None:
    """It may have been made and not yet been awaited."""
    try:
        await client
    except OSError as error:
        raise InputError(f"The client cannot reach its scheduler ({error}); give one that is connected.") from None
