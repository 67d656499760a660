"""The engine that only pretends: workers that take attempts, need their time, and die."""

import math
from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from attrs import define, field

from bench.scale.scenario import Scenario
from bench.scale.virtual_time import VirtualTime
from orchestrator_py.model.outcome import Outcome

_SPREAD = 0.8  # of the logarithm of an attempt's time: most are short, some very long


class Ended(NamedTuple):
    """How an attempt ended, and how long it is known to have worked."""

    outcome: Outcome
    worked: float


OnEnd = Callable[[Ended], object]


@define(eq=False)
class Worker:
    """One slot somewhere else."""

    dies_at: float


@define(eq=False)
class Lost:
    """Seconds that deaths have cost: of work that has to be done again, until somebody noticed, and of workers that were not there."""

    deaths: int = 0
    attempts: int = 0
    work: float = 0.0
    unnoticed: float = 0.0
    absent: float = 0.0
    queued: float = 0.0


@define(eq=False)
class Engine:
    """Whoever is idle takes what was submitted first; what was lost goes to another worker, or to the one in its place."""

    _scenario: Scenario
    _time: VirtualTime
    lost: Lost = field(factory=Lost, init=False)
    worked: float = field(default=0.0, init=False)
    _chance: Random = field(init=False)
    _idle: deque[Worker] = field(init=False)
    _waiting: deque[tuple[float, OnEnd]] = field(factory=deque, init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = Random(f"engine {self._scenario.seed}")
        self._idle = deque(Worker(self._life()) for _ in range(self._scenario.workers))

    def submit(self, on_end: OnEnd) -> None:
        self._waiting.append((self._time.seconds, on_end))
        self._assign()

    def _assign(self) -> None:
        while self._waiting and self._idle:
            worker = self._idle.popleft()
            if self._is_there(worker):
                since, on_end = self._waiting.popleft()
                self.lost.queued += self._time.seconds - since
                self._start(worker, on_end)

    def _start(self, worker: Worker, on_end: OnEnd) -> None:
        now, scenario = self._time.seconds, self._scenario
        seconds = self._chance.lognormvariate(math.log(scenario.seconds) - _SPREAD**2 / 2, _SPREAD)
        if worker.dies_at < now + seconds:
            worked = worker.dies_at - now
            self.lost.attempts += 1
            self.lost.work += worked
            self.lost.unnoticed += scenario.notice
            self._time.after(worked, lambda: self._bury(worker))
            self._time.after(worked + scenario.notice, lambda: on_end(Ended(Outcome.CRASHED, worked)))
        else:
            self.worked += seconds
            ended = Ended(self._word(), seconds)
            self._time.after(seconds, lambda: self._end(worker, on_end, ended))

    def _end(self, worker: Worker, on_end: OnEnd, ended: Ended) -> None:
        self._idle.append(worker)
        on_end(ended)
        self._assign()

    def _word(self) -> Outcome:
        drawn = self._chance.random()
        if drawn < self._scenario.failing:
            return Outcome.FAILED
        return Outcome.REJECTED if drawn < self._scenario.failing + self._scenario.rejecting else Outcome.SUCCEEDED

    # Deaths --------------------------------------------------------------------------------------------------------

    def _life(self) -> float:
        return self._time.seconds + self._chance.expovariate(1 / self._scenario.life)

    def _is_there(self, worker: Worker) -> bool:
        """An idle worker that died meanwhile is looked at only now: it has been replaced, or will be."""
        if worker.dies_at > self._time.seconds:
            return True
        self._bury(worker)
        return False

    def _bury(self, worker: Worker) -> None:
        self.lost.deaths += 1
        self.lost.absent += self._scenario.restart
        self._time.after(max(0.0, worker.dies_at + self._scenario.restart - self._time.seconds), self._replace)

    def _replace(self) -> None:
        self._idle.append(Worker(self._life()))
        self._assign()
