"""The machine's clocks."""

import time
from datetime import UTC, datetime

from orchestrator_py.model.timestamp import Timestamp, format_timestamp


class SystemClock:
    """Wall time in UTC, and the monotonic clock."""

    _second: tuple[int, Timestamp] = (-1, Timestamp(""))  # one value, which a thread sees whole

    def now(self) -> Timestamp:
        """The moment, as files name it: most of a stamp stays the same for a second."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        second, stamp = self._second
        if second != seconds:
            self._second = seconds, stamp = seconds, format_timestamp(datetime.fromtimestamp(seconds, UTC))
        return Timestamp(f"{stamp[:-4]}{nanoseconds // 1_000_000:03d}Z")

    monotonic = staticmethod(time.monotonic)  # asked for each stamp: it is spared a call
    """Seconds since some fixed point."""
