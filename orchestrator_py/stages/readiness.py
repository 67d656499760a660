"""Waiting for a descriptor."""

import asyncio


async def readable(descriptor: int) -> None:
    """Until there is something to read, or the other end is closed. One waits for a descriptor at a time.

    The event loop itself is asked: the same function of anyio brings its sockets along, which costs each start more than this file.
    """
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
