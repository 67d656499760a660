"""What waits for one reader of the live stream: the newest state of each run that has changed, however slowly it is fetched."""

import anyio

from orchestrator_py.lean import define, field, frozen
from orchestrator_py.reading.files import Data

RunKey = tuple[str, str]
"""Task and run id."""


@frozen
class News:
    """What has changed since the last time: rows of runs, runs that are gone, tasks, and whether the run that is followed was touched."""

    rows: list[Data]
    gone: list[RunKey]
    tasks: list[str]
    touched: bool


@define(eq=False)
class Subscription:
    """One reader; `follows` is the run that it looks at."""

    follows: RunKey | None
    closed: bool = field(default=False, init=False)
    _rows: dict[RunKey, Data | None] = field(factory=dict, init=False)
    _tasks: set[str] = field(factory=set, init=False)
    _touched: bool = field(default=False, init=False)
    _woken: anyio.Event = field(factory=anyio.Event, init=False)

    def tell(self, rows: dict[RunKey, Data | None], tasks: set[str], touched: set[RunKey]) -> None:
        """Never waits. A row takes the place of an older one that was not fetched yet; None stands for a run that is gone."""
        self._rows.update(rows)
        self._tasks |= tasks
        self._touched = self._touched or self.follows in touched or self.follows in rows
        if rows or tasks or self._touched:
            self._woken.set()

    def close(self) -> None:
        """The reader is told to go."""
        self.closed = True
        self._woken.set()

    async def next(self) -> News | None:
        """Waits for news; None once it is closed."""
        await self._woken.wait()
        self._woken = anyio.Event()
        if self.closed:
            return None
        rows, tasks, touched = self._rows, self._tasks, self._touched
        self._rows, self._tasks, self._touched = {}, set(), False
        return News(
            rows=[row for row in rows.values() if row is not None],
            gone=[key for key, row in rows.items() if row is None],
            tasks=sorted(tasks),
            touched=touched,
        )
