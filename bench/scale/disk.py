"""The modelled disk: what a sync and what bytes take."""

from random import Random

from attrs import define, field

from bench.scale.scenario import Scenario

_SPREAD = 0.5


@define(eq=False)
class Disk:
    """Answers with seconds, and adds them up."""

    _scenario: Scenario
    syncs: int = field(default=0, init=False)
    stalls: int = field(default=0, init=False)
    written: int = field(default=0, init=False)
    busy: float = field(default=0.0, init=False)
    slowest: float = field(default=0.0, init=False)
    _chance: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = Random(f"disk {self._scenario.seed}")

    def take(self, *, written: int, syncs: int) -> float:
        """So many bytes, then so many syncs one after the other."""
        seconds = written / 1e6 / self._scenario.megabytes + sum(self._sync() for _ in range(syncs))
        self.syncs += syncs
        self.written += written
        self.busy += seconds
        self.slowest = max(self.slowest, seconds)
        return seconds

    def _sync(self) -> float:
        seconds = self._scenario.sync_ms / 1000 * self._chance.lognormvariate(-(_SPREAD**2) / 2, _SPREAD)
        if self._chance.random() < self._scenario.stall:
            self.stalls += 1
            seconds += self._chance.expovariate(1 / self._scenario.stall_seconds) if self._scenario.stall_seconds else 0.0
        return seconds
