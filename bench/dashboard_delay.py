"""How long after its end is on record a run's last word is on the live stream."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.drivers.live_runs import make, write_manifest
from bench.errors import BenchError

LIMIT_SECONDS = 1.0
_LONGEST_REST = 0.3
"""Between two ends, at random: longer than the time that the server gathers changes."""


def measure_delays(top: Path, address: str, count: int) -> str:
    """So many runs end one after the other, each by the manifest that says so."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", "/api/events")
    answer = connection.getresponse()
    try:
        _wait_for(answer.readline, b"event: ready")
        delays = sorted(_measure(top, number, answer.readline) for number in range(count))
    finally:
        connection.close()
    verdict = "reached" if delays[-1] <= LIMIT_SECONDS else "**missed**"
    return f"from the record of an end to the stream, {count} runs: {median(delays):.2f} s, at most {delays[-1]:.2f} s; {verdict}"


def _measure(top: Path, number: int, read_line: Callable[[], bytes]) -> float:
    begin = datetime.now(UTC) + timedelta(hours=number)  # no name twice, in any measurement of this folder
    time.sleep(random.uniform(0, _LONGEST_REST))
    folder = make(top / ".runs" / "busy", begin)
    write_manifest(folder, "succeeded", begin, 8)
    recorded = time.monotonic()
    _wait_for(read_line, b"data: ", folder.name.encode(), b'"succeeded"')
    return time.monotonic() - recorded


def _wait_for(read_line: Callable[[], bytes], *parts: bytes) -> None:
    while line := read_line():
        if all(part in line for part in parts):
            return
    raise BenchError("the live stream has ended")
