"""What a run costs does not grow with the history: bytes and calls are counted, nothing is timed.

A history of at most SMALL_HISTORY_BYTES is the exception, by design: it is copied whole when its owner is idle or leaves.
"""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.owner import SMALL_HISTORY_BYTES
from tests.store.entries import entry, open_store, task_below, write_history
from tests.store.faults import COUNTS_SYNCS, Calls, counting

pytestmark = COUNTS_SYNCS

SHORT, LONG = 1_000, 100_000
MOST = 1.1
KILOBYTES = 16 * 1024
RUNS = 20
NUMBERS = itertools.count()
IO_COUNTERS = Path("/proc/self/io")


@frozen(kw_only=True)
class Cost:
    """Of one run: calls that change the disk, bytes that they write, bytes that the process reads (where the kernel counts them)."""

    calls: float
    written: float
    read: float


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """By lines of history: a task whose last owner left a good rollup state."""
    folders = {lines: tmp_path_factory.mktemp(f"{lines}-lines-") for lines in (SHORT, LONG)}
    for lines, root in folders.items():
        write_history(task_below(root), b"".join(entry(f"old-{number:07d}").line + b"\n" for number in range(lines)))
        open_store(root).close()
    return folders


def bytes_read() -> int:
    return int(IO_COUNTERS.read_text().split()[1]) if IO_COUNTERS.exists() else 0


def new_entry() -> EntryLine:
    return entry(f"new-{next(NUMBERS):07d}")


def cost(run: Callable[[], None]) -> Cost:
    """The mean of some runs; one before them is not counted: it may find work of another process."""
    run()
    before = bytes_read()
    with counting(Calls()) as calls:
        for _ in range(RUNS):
            run()
    return Cost(calls=calls.count / RUNS, written=calls.bytes_written / RUNS, read=(bytes_read() - before) / RUNS)


def cost_of_a_commit(root: Path) -> Cost:
    store = open_store(root)
    measured = cost(lambda: store.commit([new_entry()]))
    store.close()
    return measured


def cost_of_a_whole_run(root: Path) -> Cost:
    """Open, one commit, close."""

    def run() -> None:
        store = open_store(root)
        store.commit([new_entry()])
        store.close()

    return cost(run)


def test_a_commit_costs_the_same_after_a_hundred_times_the_history(roots: dict[int, Path]) -> None:
    short, long = cost_of_a_commit(roots[SHORT]), cost_of_a_commit(roots[LONG])
    assert long.calls <= MOST * short.calls
    assert long.written <= MOST * short.written
    assert 2 <= long.calls < 3


def test_a_process_per_run_costs_no_more_after_a_hundred_times_the_history(roots: dict[int, Path]) -> None:
    short, long = cost_of_a_whole_run(roots[SHORT]), cost_of_a_whole_run(roots[LONG])
    assert long.calls <= MOST * short.calls
    assert long.written <= MOST * short.written
    assert long.written < KILOBYTES


def test_only_a_small_history_is_copied_when_its_owner_leaves(roots: dict[int, Path]) -> None:
    size = task_below(roots[SHORT]).metrics.stat().st_size
    assert size <= SMALL_HISTORY_BYTES < task_below(roots[LONG]).metrics.stat().st_size
    assert size < cost_of_a_whole_run(roots[SHORT]).written < size + 2 * KILOBYTES


@pytest.mark.skipif(not IO_COUNTERS.exists(), reason="the kernel counts no bytes here")
def test_a_good_rollup_state_makes_an_open_read_kilobytes(roots: dict[int, Path]) -> None:
    def open_and_close() -> None:
        open_store(roots[LONG]).close()

    good = cost(open_and_close)
    assert good.read < 4 * KILOBYTES
    assert good.written < KILOBYTES


@pytest.mark.skipif(not IO_COUNTERS.exists(), reason="the kernel counts no bytes here")
def test_without_a_rollup_state_the_history_is_read(roots: dict[int, Path]) -> None:
    """So the claim above is able to fail."""
    task = task_below(roots[LONG])
    task.rollup_state.unlink()
    before = bytes_read()
    open_store(roots[LONG]).close()
    assert bytes_read() - before > task.metrics.stat().st_size
