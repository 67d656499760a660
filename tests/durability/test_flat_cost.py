"""What a run costs does not grow with the history: bytes and calls are counted, nothing is timed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define

from tests.store.entries import entry, open_store, recorded, task_below, write_history
from tests.store.faults import Calls, counting

SHORT, LONG = 1_000, 100_000
MOST = 1.1


@define(kw_only=True)
class Cost:
    calls: int
    bytes_written: int


@define
class Reading:
    """How many bytes the process has read from files, as the kernel counts them."""

    bytes_read: int = 0
