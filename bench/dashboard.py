"""`python -m bench dashboard`: what a dashboard costs its machine while much goes on.

1,000 ended runs, 20 that go on and write 50 events a second together, or each; one who reads the live stream and, as the page does, asks
for the tasks once a second. Measured is the processor time of `serve` alone, as the kernel counts it, from when the stream is ready; then,
while the live ones go on, how long it takes until the end of a run is on the stream.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit
from urllib.request import urlopen

from bench.dashboard_delay import measure_delays
from bench.errors import BenchError
from bench.measure import environment

ENDED, LIVE, EVENTS = 1_000, 20, 50
LIMIT = 0.25
"""Of one core."""
ENDS_A_SECOND = 5
"""So many runs end for each second of the measurement, in a time of their own."""
WRITER = Path(__file__).parent / "drivers" / "live_runs.py"


def measure_dashboard(folder: Path, seconds: float) -> list[str]:
    """Two lines for each rate."""
    folder.mkdir(parents=True, exist_ok=True)
    top = Path(mkdtemp(prefix="dashboard-", dir=folder))
    try:
        rates = ((EVENTS, "together"), (EVENTS * LIVE, "from them all"))
        return [line for rate, told in rates for line in _measure(top, rate, told, seconds)]
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _measure(top: Path, rate: int, told: str, seconds: float) -> list[str]:
    serve = ("-m", "orchestrator_py", "serve", "--port", "0")
    with _started(top, str(WRITER), str(top), str(ENDED), str(LIVE), str(rate)), _started(top, *serve) as (process, address):
        received, spent = _listen(address, process.pid, seconds)
        delays = measure_delays(top, address, max(1, round(ENDS_A_SECOND * seconds)))
    share = spent / seconds
    verdict = "reached" if share <= LIMIT else "**missed**"
    what = f"{ENDED} ended runs, {LIVE} live ones, {rate} events a second {told}"
    return [f"{what}: {share:.1%} of a core, {received / seconds:.1f} told a second; {verdict}", f"  {delays}"]


@contextmanager
def _started(folder: Path, *words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process and its first line, which says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            raise BenchError(f"{words} did not start")
        yield process, line
    finally:
        process.terminate()
        process.communicate()


def _listen(address: str, pid: int, seconds: float) -> tuple[int, float]:
    """How many events the stream has told, and the processor seconds of the process meanwhile."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", "/api/events")
    answer = connection.getresponse()
    while b"ready" not in answer.readline():
        pass
    received, before, asked = 0, _processor_seconds(pid), time.monotonic()
    until = asked + seconds
    while time.monotonic() < until:
        received += answer.readline().startswith(b"event: ")
        if time.monotonic() - asked >= 1:
            asked = time.monotonic()
            with urlopen(f"{address}api/tasks") as tasks:
                tasks.read()
    spent = _processor_seconds(pid) - before
    connection.close()
    return received, spent


def _processor_seconds(pid: int) -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
