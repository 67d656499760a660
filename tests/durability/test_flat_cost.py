"""What a run costs does not grow with the history: bytes and calls are counted, nothing is timed.

A history of at most SMALL_HISTORY_BYTES is copied whole when its owner is idle or leaves. Beyond that a copy waits until the journal
holds an eighth of the history: some run pays it, and shared by all that were recorded since, it is as much for any history.
"""

import itertools
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.owner import GROWN_SHARE, SMALL_HISTORY_BYTES
from tests.store.entries import entry, open_store, task_below, write_history
from tests.store.faults import COUNTS_SYNCS, Calls, counting

pytestmark = COUNTS_SYNCS

SHORT, LONG = 1_000, 100_000
PADDING = 1_000  # entries have the size of a real run's
MOST = 1.1
KILOBYTES = 16 * 1024
RUNS = 20
NUMBERS = itertools.count()
IO_COUNTERS = Path("/proc/self/io")
COUNTS_READS = pytest.mark.skipif(not IO_COUNTERS.exists(), reason="the kernel counts no bytes here")


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
        write_history(task_below(root), b"".join(entry(f"old-{number:07d}", padding=PADDING).line + b"\n" for number in range(lines)))
        open_store(root).close()
    return folders


def bytes_read() -> int:
    return int(IO_COUNTERS.read_text().split()[1]) if IO_COUNTERS.exists() else 0


def new_entry(padding: int = PADDING) -> EntryLine:
    return entry(f"new-{next(NUMBERS):07d}", padding=padding)


def cost(run: Callable[[], None], runs: int = RUNS) -> Cost:
    """The mean of some runs; one before them is not counted: it may find work of another process."""
    run()
    before = bytes_read()
    with counting(Calls()) as calls:
        for _ in range(runs):
            run()
    return Cost(calls=calls.count / runs, written=calls.bytes_written / runs, read=(bytes_read() - before) / runs)


def cost_of_a_commit(root: Path) -> Cost:
    store = open_store(root)
    measured = cost(lambda: store.commit([new_entry()]))
    store.close()
    return measured


def whole_run(root: Path, padding: int = PADDING) -> None:
    """As a process that lives for one run: open, one commit, close."""
    store = open_store(root)
    store.commit([new_entry(padding)])
    store.close()


def fold_now(root: Path) -> None:
    store = open_store(root)
    store.flush()
    store.close()


def journal_bytes(task: TaskLayout) -> int:
    return sum(path.stat().st_size for path in task.pending.iterdir())


def test_a_commit_costs_the_same_after_a_hundred_times_the_history(roots: dict[int, Path]) -> None:
    short, long = cost_of_a_commit(roots[SHORT]), cost_of_a_commit(roots[LONG])
    assert long.calls <= MOST * short.calls
    assert long.written <= MOST * short.written
    assert 2 <= long.calls < 3


def test_a_process_per_run_costs_the_same_after_a_hundred_times_the_history(roots: dict[int, Path]) -> None:
    """Without the copies, which the next claim is about."""
    costs = {}
    for lines, root in roots.items():
        fold_now(root)
        size = task_below(root).metrics.stat().st_size
        costs[lines] = cost(lambda: whole_run(root))  # noqa: B023  # called at once
        assert task_below(root).metrics.stat().st_size == size > SMALL_HISTORY_BYTES, "no copy"
    short, long = costs[SHORT], costs[LONG]
    assert long.calls <= MOST * short.calls
    assert long.written <= MOST * short.written
    assert short.written < KILOBYTES
    assert long.read <= MOST * short.read + 100
    assert short.read < KILOBYTES


def test_the_copies_are_as_much_for_each_byte_recorded_after_a_hundred_times_the_history(roots: dict[int, Path]) -> None:
    shares = {}
    for lines, root in roots.items():
        fold_now(root)
        size = task_below(root).metrics.stat().st_size
        recorded = 0
        with counting(Calls(sync=False)) as calls:
            while task_below(root).metrics.stat().st_size == size:
                before = calls.bytes_written
                padding = size // GROWN_SHARE // 50
                whole_run(root, padding)
                recorded += padding
        shares[lines] = (calls.bytes_written - before) / recorded
    assert shares[LONG] <= MOST * shares[SHORT]
    assert shares[LONG] < 1.1 * (GROWN_SHARE + 1)


def test_only_a_small_history_is_copied_whenever_its_owner_leaves(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    while not task.metrics.exists() or task.metrics.stat().st_size <= SMALL_HISTORY_BYTES:
        whole_run(tmp_path, SMALL_HISTORY_BYTES // 10)
        assert list(task.pending.iterdir()) == []
    size = task.metrics.stat().st_size
    whole_run(tmp_path)
    assert task.metrics.stat().st_size == size
    assert journal_bytes(task) > 0


@COUNTS_READS
def test_a_good_rollup_state_makes_an_open_read_kilobytes_of_history_and_journal(roots: dict[int, Path]) -> None:
    root = roots[LONG]
    grow_the_journal(root)
    good = cost(lambda: open_store(root).close())
    assert good.read < KILOBYTES
    assert good.written < KILOBYTES
    assert journal_bytes(task_below(root)) > 100 * KILOBYTES


@COUNTS_READS
def test_without_a_rollup_state_the_history_is_read(roots: dict[int, Path]) -> None:
    """So the claim above is able to fail."""
    task = task_below(roots[LONG])
    task.rollup_state.unlink()
    before = bytes_read()
    open_store(roots[LONG]).close()
    assert bytes_read() - before > task.metrics.stat().st_size


def test_an_open_task_needs_no_more_memory_after_a_hundred_times_the_history(roots: dict[int, Path]) -> None:
    peaks = {}
    for lines, root in roots.items():
        grow_the_journal(root)
        tracemalloc.start()
        whole_run(root)
        peaks[lines] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert abs(peaks[LONG] - peaks[SHORT]) < 4 * KILOBYTES
    assert peaks[LONG] < 100 * KILOBYTES


def grow_the_journal(root: Path) -> None:
    """By half of what makes a fold worth while."""
    fold_now(root)
    size = task_below(root).metrics.stat().st_size
    store = open_store(root)
    store.commit([new_entry() for _ in range(size // GROWN_SHARE // 2 // len(new_entry().line))])
    store.close()
    assert task_below(root).metrics.stat().st_size == size
