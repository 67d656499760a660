"""What the package's own code costs on this machine: CPU time of this thread around each call, and memory of the process."""

import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import thread_time_ns
from typing import ParamSpec, TypeVar

from attrs import define, field

P = ParamSpec("P")
T = TypeVar("T")
_TRIALS = 20_000
COLLECTOR = "garbage collector"


@define(eq=False)
class Cost:
    """Of all calls of one kind, in nanoseconds."""

    calls: int = 0
    total: int = 0
    longest: int = 0

    def add(self, took: int) -> None:
        self.calls += 1
        self.total += took
        self.longest = max(self.longest, took)


@define(eq=False)
class Meter:
    """What measuring itself takes is measured first, and left out. So is the garbage collector, whoever it interrupts: it stands apart."""

    costs: dict[str, Cost] = field(factory=dict, init=False)
    memory: dict[str, int] = field(factory=dict, init=False)
    _overhead: float = field(default=0.0, init=False)
    _collected: int = field(default=0, init=False)
    _collecting_since: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        for _ in range(_TRIALS):
            self.call("nothing", int)
        self._overhead = self.costs.pop("nothing").total / _TRIALS

    def call(self, name: str, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        collected, began = self._collected, thread_time_ns()
        answer = function(*arguments, **named)
        took = thread_time_ns() - began - (self._collected - collected)
        cost = self.costs.get(name)
        if cost is None:
            cost = self.costs[name] = Cost()
        cost.add(took)
        return answer

    @contextmanager
    def watching_collector(self) -> Iterator[None]:
        """Inside, its work is measured too; it goes through everything that is alive, what simulates included."""
        gc.callbacks.append(self._note_collection)
        try:
            yield
        finally:
            gc.callbacks.remove(self._note_collection)

    def _note_collection(self, phase: str, information: Mapping[str, int]) -> None:
        if phase == "start":
            self._collecting_since = thread_time_ns()
            return
        took = thread_time_ns() - self._collecting_since
        self._collected += took
        self.costs.setdefault(COLLECTOR, Cost()).add(took)

    def note_memory(self, when: str) -> None:
        """The highest at that name."""
        self.memory[when] = max(self.memory.get(when, 0), resident())

    def seconds(self, names: Iterator[str] | None = None) -> float:
        """CPU of the calls with these names, of all without."""
        chosen = self.costs.values() if names is None else [self.costs[name] for name in names]
        return sum(max(0.0, cost.total - cost.calls * self._overhead) for cost in chosen) / 1e9

    def microseconds(self, name: str) -> float:
        """Of one call, on average."""
        return self.seconds(iter((name,))) / self.costs[name].calls * 1e6


def resident() -> int:
    """Bytes of this process that are in memory."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return peak()


def peak() -> int:
    """The most that it ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
