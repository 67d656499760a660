"""Where work lives that must outlast its caller's cancellation, but never the block that owns it."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Self

from orchestrator_py.actors.outlast import outlast
from orchestrator_py.errors import InputError
from orchestrator_py.lean import define, field


@define(eq=False)
class Host:
    """Each piece of work is a task of its own: cancelling whoever started it does not reach it, it is told to stop instead.

    `async with Host() as host`: leaving waits until all work has ended, whoever cancels meanwhile.
    """

    _tasks: "set[asyncio.Task[None]]" = field(factory=set, init=False)
    _open: bool = field(default=False, init=False)

    def start_soon(self, work: Coroutine[Any, Any, None], *, at_end: Callable[[], object]) -> None:
        """Start work that handles its own errors. `at_end` is called whatever becomes of it, even if it never began.

        InputError outside of the `async with` block.
        """
        if not self._open:
            work.close()
            raise InputError("The manager is not open; use it inside its `async with` block.")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def end(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            at_end()

        task.add_done_callback(end)

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        cancelled = False
        while waiting := frozenset(self._tasks):
            cancelled |= await outlast(partial(asyncio.wait, waiting))
        if cancelled:
            raise asyncio.CancelledError
