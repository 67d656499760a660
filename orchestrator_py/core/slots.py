"""How many subtasks may work at once, over all runs that share the slots."""

from collections.abc import Callable

from orchestrator_py.lean import define, field


@define(eq=False)
class Slots:
    """Who works has a slot. Whoever waits for one leaves a watcher, which is called when there may be one."""

    limit: int
    taken: int = field(default=0, init=False)
    watchers: list[Callable[[], object]] = field(factory=list, init=False)

    @property
    def free(self) -> int:
        return self.limit - self.taken

    def tell_watchers(self) -> None:
        """In the order in which they came."""
        for watcher in tuple(self.watchers):
            watcher()
