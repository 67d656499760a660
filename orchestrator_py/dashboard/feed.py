"""The live stream's one look-out: it watches while anybody reads the stream, and tells each reader what has changed."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from time import monotonic

import anyio
from anyio import to_thread

from orchestrator_py.dashboard.record import Record
from orchestrator_py.dashboard.subscription import RunKey, Subscription
from orchestrator_py.dashboard.touches import REST_SECONDS, Touches, touches
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_run_id, parse_task_id
from orchestrator_py.lean import define, field
from orchestrator_py.reading.files import Data, UnreadableError

MOST_READERS = 200
_MOST_TOLD = 5_000
_NEWEST = 20
"""Of each task so many runs are looked at even if no file has changed, in case a change was missed."""

Rows = dict[RunKey, Data | None]
"""None stands for a run that is not on record any more."""


@define(eq=False)
class Feed:
    """Rows are told once for each time that they change. Lives in one event loop; nothing runs while nobody reads."""

    record: Record
    _readers: set[Subscription] = field(factory=set, init=False)
    _watch: "asyncio.Task[None] | None" = field(default=None, init=False)
    _told: Rows = field(factory=dict, init=False)
    _ready: anyio.Event = field(factory=anyio.Event, init=False)
    _closed: bool = field(default=False, init=False)

    @property
    def is_full(self) -> bool:
        """No more readers are taken."""
        return self._closed or len(self._readers) >= MOST_READERS

    @contextmanager
    def subscribed(self, follows: RunKey | None) -> Iterator[Subscription]:
        """A reader, as long as the block lasts."""
        reader = Subscription(follows)
        self._readers.add(reader)
        if self._watch is None:
            self._ready = anyio.Event()
            self._watch = asyncio.get_running_loop().create_task(self._work())
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            if not self._readers and self._watch is not None:
                self._watch.cancel()
                self._watch = None

    async def ready(self) -> None:
        """What changes from now on will be told."""
        await self._ready.wait()

    def close(self) -> None:
        """Every reader is told to go, and no more are taken."""
        self._closed = True
        for reader in self._readers:
            reader.close()

    async def _work(self) -> None:
        try:
            await self._watch_on()
        except Exception:  # a defect of ours: the readers come again, and may find it gone
            logging.getLogger("orchestrator_py").exception("the dashboard's look-out has failed")
            self._watch = None
            self._ready.set()
            for reader in self._readers:
                reader.close()

    async def _watch_on(self) -> None:
        self._told = await to_thread.run_sync(self._look_around)
        self._ready.set()
        looked = monotonic()
        async for touched in touches(self.record.runs_root):
            rows = await to_thread.run_sync(self._look_at, touched)
            if monotonic() - looked >= REST_SECONDS:
                rows.update(await to_thread.run_sync(self._look_around))
                looked = monotonic()
            self._tell(rows, touched)

    def _tell(self, rows: Rows, touched: Touches) -> None:
        changed = {key: row for key, row in rows.items() if self._told.get(key) != row}
        if len(self._told) > _MOST_TOLD:
            self._told = {key: row for key, row in self._told.items() if row is not None and not row["terminal"]}
        self._told.update(changed)
        tasks = touched.tasks | {task for task, _ in changed}
        for reader in self._readers:
            reader.tell(changed, tasks, touched.details | touched.runs)

    # In worker threads ------------------------------------------------------------------------------------------------

    def _look_at(self, touched: Touches) -> Rows:
        """The runs that were touched, and what the histories that were touched tell of others. Runs in flight are touched together."""
        touched.runs.update((task, one.run_id) for task in touched.flights for one in self.record.flights(task, []))
        rows = self._rows(touched.runs)
        for task in touched.tasks:
            rows.update(self._told_by_history(task))
        return rows

    def _look_around(self) -> Rows:
        """Whatever goes on, or did when it was last seen, and the newest runs of every task."""
        tasks = self.record.tasks([])
        keys = {(task, name) for task in tasks for name in self.record.live_names(task)}
        keys |= {key for key, row in self._told.items() if row is not None and not row["terminal"]}
        keys |= {(task, run_id) for task in tasks for _, _, run_id in islice(self.record.newest([task], []), _NEWEST)}
        return self._rows(keys)

    def _rows(self, keys: Iterable[RunKey]) -> Rows:
        rows: Rows = {}
        flights = cache(self.record.flights_by_id)
        for key in keys:
            try:
                rows[key] = self.record.row(parse_task_id(key[0]), parse_run_id(key[1]), flights)
            except (IdentifierError, UnreadableError):
                continue  # no run, or one that is told as a problem by whoever asks for the list
        return rows

    def _told_by_history(self, task: str) -> Rows:
        """But of runs in flight: a program may give the name of a run on record again."""
        flights = self.record.flights_by_id(task)
        try:
            told = [row for row in self.record.newest_told(parse_task_id(task), _NEWEST) if row["run_id"] not in flights]
            return {(task, str(row["run_id"])): row for row in told}
        except (IdentifierError, UnreadableError):
            return {}
