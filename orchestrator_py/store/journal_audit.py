"""What is wrong beside the history: in the journal, in the queue, and with what writers left behind. Nothing is changed."""

import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator_py.core.history_lines import parse_entry
from orchestrator_py.errors import DecodeError, StoreError
from orchestrator_py.model.finding import MENDED_BY_OPENING, Finding
from orchestrator_py.store.files import list_folder, read_bytes, target_of_temp
from orchestrator_py.store.history import History, read_stamp
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import list_queue
from orchestrator_py.store.rollup_files import document_files
from orchestrator_py.store.segment_scan import damage_in, scan_segments

_TEMP = re.compile(r"\.tmp-")
_OURS = re.compile(r"b-[0-9]+|.*\.jsonl|.*\.corrupt-[0-9a-f]+")


def audit_journal(task: TaskLayout) -> Iterator[Finding]:
    """Batches that are damaged, that do not continue the history, or that stand there still; then queue and temp files."""
    history = History(path=task.metrics, stamp=read_stamp(task.metrics))
    scans = scan_segments(task.pending)
    if not history.ends_whole():
        yield Finding(path=_name(task, task.metrics), problem="its last line has no newline", remedy=MENDED_BY_OPENING)
    expected = history.size
    for scan in scans:
        name = _name(task, scan.path)
        start = expected
        for batch in scan.whole:
            if history.holds(batch):
                continue
            if batch.start != expected:
                yield Finding(path=name, problem=f"a batch goes on at byte {batch.start} of metrics.json, which ends at byte {expected}")
            expected = max(expected, batch.end)
        if expected == start and not scan.damaged:
            yield Finding(path=name, problem="all of it stands in metrics.json", remedy=MENDED_BY_OPENING)
        damage = damage_in(scan, name)
        if damage is not None:
            yield damage
    yield from _audit_queue(task, {absorbed for scan in scans for batch in scan.batches for absorbed in batch.absorbed})
    yield from _left_behind(task)


def waiting_temps(task: TaskLayout) -> list[Path]:
    """Files that some process was writing for the queue: it was killed, or it is at it now. Nobody can tell, so nobody removes them."""
    return [task.pending / name for name in list_folder(task.pending) if _TEMP.search(name)]


def _audit_queue(task: TaskLayout, absorbed: set[str]) -> Iterator[Finding]:
    for queued in list_queue(task.pending):
        name = _name(task, task.pending / queued)
        try:
            lines = (read_bytes(task.pending / queued) or b"").split(b"\n")
        except StoreError as error:
            yield Finding(path=name, problem=_reason(error, task.pending / queued), remedy="move it away")
            continue
        if queued in absorbed:
            yield Finding(path=name, problem="the journal holds its entries already", remedy=MENDED_BY_OPENING)
            continue
        entries = sum(1 for line in lines if line.strip())
        yield Finding(path=name, problem=f"{entries} entries wait in the queue", remedy=MENDED_BY_OPENING)
        yield from _unreadable(name, lines)


def _unreadable(name: str, lines: list[bytes]) -> Iterator[Finding]:
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                parse_entry(line)
        except DecodeError as error:
            yield Finding(path=name, line=number, problem=f"this line cannot be read: {error}")


def _left_behind(task: TaskLayout) -> Iterator[Finding]:
    own = (task.metrics, task.rollup_state, *document_files(task).values())
    for folder in sorted({path.parent for path in own}):
        for name in list_folder(folder):
            target = target_of_temp(folder / name)
            if target is not None and folder / target in own:
                problem = "a writer was killed and left this behind"
                yield Finding(path=_name(task, folder / name), problem=problem, remedy=MENDED_BY_OPENING)
    for name in list_folder(task.pending):
        if not _OURS.fullmatch(name) and not _TEMP.search(name):
            problem = "it is neither a journal segment nor a queue file"
            yield Finding(path=_name(task, task.pending / name), problem=problem, remedy="look at it and move it away")


def _reason(error: StoreError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ").partition(";")[0]


def _name(task: TaskLayout, path: Path) -> str:
    return task.layout.relative(path)
