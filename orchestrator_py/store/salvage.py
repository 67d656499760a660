"""Brings every entry of the journal that ordinary recovery would not find to where it finds it: durable, in the queue, marked as repeated.

Only then the files that held it are set aside. A kill in between leaves entries in both places, where they count once.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from orchestrator_py.core.history_lines import digest_of, run_id_in
from orchestrator_py.store.aside import set_aside
from orchestrator_py.store.files import (
    fsync_folder,
    list_folder,
    open_for_reading,
    remove_file,
    replacing,
    target_of_temp,
    telling,
    write_all,
)
from orchestrator_py.store.history import History, read_stamp
from orchestrator_py.store.journal import in_batches
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import queued_lines
from orchestrator_py.store.segment_scan import SegmentScan, scan_segments

_FIRST = f"{0:020d}-"


def salvage(task: TaskLayout) -> tuple[Path, ...]:
    """The files that were set aside. Only for who holds the lock. Running it twice changes nothing."""
    _remove_own_temps(task)
    scans = scan_segments(task.pending)
    return () if _is_sound(task, scans) else tuple(_divert(task, scans))


# The journal -------------------------------------------------------------------------------------------------------


def _is_sound(task: TaskLayout, scans: Iterable[SegmentScan]) -> bool:
    """Whether ordinary recovery would accept the journal and leave out nothing that may be an entry."""
    history = History(path=task.metrics, stamp=read_stamp(task.metrics))
    end = history.size
    for scan in scans:
        if scan.behind or any(run_id_in(line) is not None for line in scan.damaged_lines()):
            return False
        for batch in scan.whole:
            if history.holds(batch):
                continue
            if batch.start != end:
                return False
            end = batch.end
    return end == history.size or history.ends_whole()


def _divert(task: TaskLayout, scans: list[SegmentScan]) -> Iterator[Path]:
    """The journal's lines go into the queue; then the queue files that they came from go; then the segments, the last one first.

    Before all, the rollup state goes: an opening in between must not miss the segments that it speaks of.
    """
    remove_file(task.rollup_state)
    fsync_folder(task.rollups)
    batches = [batch for scan in scans for batch in scan.batches]
    absorbed = frozenset(name for batch in batches for name in batch.absorbed)
    lines = [line for batch in batches for line in batch.lines.split(b"\n") if line]
    digests: set[bytes] = set()
    runs: set[str | None] = {None, *map(run_id_in, lines)}
    for line in chain(_history_lines(task), queued_lines(task.pending, without=absorbed)):
        digests.add(digest_of(line))
        runs.add(run_id_in(line))
    fresh = [line for line in lines if digest_of(line) not in digests]
    torn = [line for scan in scans for line in scan.damaged_lines() if run_id_in(line) not in runs]
    _queue(task, [*fresh, *torn])
    for name in absorbed:
        remove_file(task.pending / name)
    fsync_folder(task.pending)
    for scan in reversed(scans):
        yield set_aside(scan.path)
        fsync_folder(task.pending)


def _history_lines(task: TaskLayout) -> Iterator[bytes]:
    """Those of metrics.json alone."""
    file = open_for_reading(task.metrics)
    if file is not None:
        with file, telling(task.metrics, "read it"):
            yield from (line.removesuffix(b"\n") for line in file)


# The queue ---------------------------------------------------------------------------------------------------------


def _queue(task: TaskLayout, lines: Iterable[bytes]) -> None:
    """The entries are absorbed before all others, since they are older. A name depends on nothing but the bytes under it."""
    for number, group in enumerate(in_batches(lines, lambda line: len(line) + 1)):
        content = b"".join(line + b"\n" for line in group)
        path = task.pending / f"{_FIRST}diverted-{number:06d}-{digest_of(content).hex()}.repeated.jsonl"
        with replacing(path, synced=True) as temp:
            write_all(temp, content)
    fsync_folder(task.pending)


def _remove_own_temps(task: TaskLayout) -> None:
    """Left by a rebuild that was killed; nobody else makes such names."""
    for name in list_folder(task.pending):
        if name.startswith(_FIRST) and target_of_temp(task.pending / name) is not None:
            remove_file(task.pending / name)
