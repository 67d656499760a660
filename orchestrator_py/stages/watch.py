"""What commands say, and that they have ended: one watch over the descriptors of all that run in an event loop.

The loop watches the watch. Its own `add_reader` and `remove_reader` make and undo so much for each descriptor that the three of a short
command would be a thirtieth of what it costs.
"""

import asyncio
from collections.abc import Callable
from selectors import EVENT_READ, DefaultSelector
from weakref import WeakKeyDictionary

from orchestrator_py.lean import define, field


@define(eq=False)
class Watch:
    """Calls what was given for a descriptor as long as it can be read. A descriptor of its own is open only while there are others.

    To be used in its event loop.
    """

    _selector: DefaultSelector | None = field(default=None, init=False)
    _watched: int = field(default=0, init=False)

    def add(self, descriptor: int, tell: Callable[[], object]) -> None:
        """From now on."""
        if self._selector is None:
            self._selector = DefaultSelector()
            asyncio.get_running_loop().add_reader(self._selector.fileno(), self._look)
        self._selector.register(descriptor, EVENT_READ, tell)
        self._watched += 1

    def remove(self, descriptor: int) -> None:
        """Before it is closed."""
        selector = self._selector
        assert selector is not None
        selector.unregister(descriptor)
        self._watched -= 1
        if not self._watched:
            self._selector = None
            asyncio.get_running_loop().remove_reader(selector.fileno())
            selector.close()

    def _look(self) -> None:
        if self._selector is not None:
            for key, _ in self._selector.select(0):
                key.data()


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, Watch]" = WeakKeyDictionary()


def running_watch() -> Watch:
    """That of the running event loop."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = Watch()
    return watch
