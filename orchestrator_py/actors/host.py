"""Where work lives that must outlast its caller's cancellation, but never the block that owns it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self

import anyio
from anyio.abc import TaskGroup
from attrs import define, field


@define(eq=False)
class Host:
    """A task group in a task of its own: cancelling whoever started work does not reach the work, which is told to stop instead.

    `async with Host() as host`: leaving waits, shielded, until all work has ended.
    """

    _closing: anyio.Event = field(factory=anyio.Event, init=False)
    _ready: anyio.Event = field(factory=anyio.Event, init=False)
    _group: TaskGroup | None = field(default=None, init=False)
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    def start_soon(self, work: Callable[..., Coroutine[Any, Any, object]], *arguments: object) -> None:
        """Start work now; it handles its own errors."""
        if self._group is None or self._closing.is_set():
            raise RuntimeError("The manager is not open: use it inside its `async with` block.")
        self._group.start_soon(work, *arguments)

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._live(), name="orchestrator_py host")
        await self._ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        with anyio.CancelScope(shield=True):
            if self._task is not None:
                await asyncio.wait({self._task})
        if self._task is not None and not self._task.cancelled():
            self._task.result()

    async def _live(self) -> None:
        async with anyio.create_task_group() as self._group:
            self._ready.set()
            await self._closing.wait()
