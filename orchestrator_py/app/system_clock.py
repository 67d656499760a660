"""The machine's clocks."""

import time
from datetime import UTC, datetime

from orchestrator_py.model.timestamp import Timestamp, format_timestamp


class SystemClock:
    """Wall time in UTC, and the monotonic clock."""

    def now(self) -> Timestamp:
        """The moment, as files name it."""
        return format_timestamp(datetime.now(UTC))

    monotonic = staticmethod(time.monotonic)  # asked for each stamp: it is spared a call
    """Seconds since some fixed point."""
