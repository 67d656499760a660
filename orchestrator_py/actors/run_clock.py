"""The time of one run: a wall time read once, carried on by the monotonic clock, so that stamps never step back or jump."""

import re
from datetime import datetime, timedelta

from orchestrator_py.lean import define, field
from orchestrator_py.model.timestamp import Timestamp, format_timestamp, parse_timestamp
from orchestrator_py.ports import Clock

_CANONICAL = re.compile(r"....-..-..T..:..:..\....Z")


@define
class RunClock:
    """Stamps and durations of one run agree: the difference of two stamps is what the monotonic clock measured."""

    _clock: Clock
    started_at: Timestamp = field(init=False)
    _start: datetime | None = field(init=False)
    _origin: float = field(init=False)
    _newest: Timestamp = field(init=False)  # the last stamp: many fall into the same millisecond
    _until: float = field(init=False)
    _second: tuple[int, str] = field(default=(-1, ""), init=False)  # all but the milliseconds of a stamp stay the same for a second

    def __attrs_post_init__(self) -> None:
        self.started_at = self._newest = self._clock.now()
        self._start = parse_timestamp(self.started_at)
        self._until = self._origin = self._clock.monotonic()
        if self._start is not None and _CANONICAL.fullmatch(self.started_at):
            self._second = 0, self.started_at[:-4]

    def now(self) -> Timestamp:
        """The start of the run plus the time measured since; `read` without the pair, since each subtask asks several times."""
        moment = self._clock.monotonic()
        if moment >= self._until:
            self._renew(moment)
        return self._newest

    def read(self) -> tuple[Timestamp, float]:
        """The time, and the seconds of the monotonic clock that it was made from."""
        moment = self._clock.monotonic()
        if moment >= self._until:
            self._renew(moment)
        return self._newest, moment

    def _renew(self, moment: float) -> None:
        if self._start is None:
            raise ValueError(f"the clock gave {self.started_at!r}, which is no time")
        milliseconds = int((moment - self._origin) * 1_000_000 + 0.5) // 1000
        self._until = self._origin + (milliseconds + 1) / 1000 - 0.5e-6
        seconds, rest = divmod(self._start.microsecond // 1000 + milliseconds, 1000)
        if seconds != self._second[0]:
            self._second = seconds, format_timestamp(self._start.replace(microsecond=0) + timedelta(seconds=seconds))[:-4]
        self._newest = Timestamp(f"{self._second[1]}{rest:03d}Z")
