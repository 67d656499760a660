"""Virtual time: what happens when, and the one event loop on which lanes and writer take turns."""

import heapq
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import define, field

from orchestrator_py.model.timestamp import Timestamp, format_timestamp

Call = Callable[[], object]
Job = Callable[[], tuple[float, Call]]
"""Begins at its turn; answers how many seconds it takes, and what follows at its end."""

_START = datetime(2026, 1, 1, tzinfo=UTC)


@define(eq=False)
class VirtualTime:
    """Calls in the order of their time, those of one time in the order in which they were planned. It is also a run's clock."""

    seconds: float = 0.0
    _calls: list[tuple[float, int, Call]] = field(factory=list, init=False)
    _number: int = field(default=0, init=False)

    def after(self, seconds: float, call: Call) -> None:
        self._number += 1
        heapq.heappush(self._calls, (self.seconds + seconds, self._number, call))

    def run(self) -> None:
        """Until nothing is planned any more."""
        while self._calls:
            self.seconds, _, call = heapq.heappop(self._calls)
            call()

    def now(self) -> Timestamp:
        return format_timestamp(_START + timedelta(seconds=self.seconds))

    def monotonic(self) -> float:
        return self.seconds


@define(eq=False)
class EventLoop:
    """One thread: jobs one after the other, in the order in which they came."""

    _time: VirtualTime
    busy: float = field(default=0.0, init=False)
    waited: float = field(default=0.0, init=False)
    longest: float = field(default=0.0, init=False)
    _is_busy: bool = field(default=False, init=False)
    _jobs: deque[tuple[float, Job]] = field(factory=deque, init=False)

    def post(self, job: Job) -> None:
        self._jobs.append((self._time.seconds, job))
        if not self._is_busy:
            self._begin()

    def _begin(self) -> None:
        self._is_busy = True
        since, job = self._jobs.popleft()
        self.waited += self._time.seconds - since
        seconds, follow = job()
        self.busy += seconds
        self.longest = max(self.longest, seconds)
        self._time.after(seconds, lambda: self._end(follow))

    def _end(self, follow: Call) -> None:
        follow()
        if self._jobs:
            self._begin()
        else:
            self._is_busy = False
