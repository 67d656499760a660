"""What a task's history comes to, read from history and journal without a lock."""

from collections.abc import Sequence

from orchestrator_py.core.history_lines import HistoryNotes
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.finding import Finding
from orchestrator_py.model.rollups import Rollups
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.prune import pruned_runs
from orchestrator_py.store.queue import read_queue
from orchestrator_py.store.rollup_files import read_baseline
from orchestrator_py.store.run_folders import refuse_strange_folders
from orchestrator_py.store.segment_scan import SegmentScan, damage_in, scan_segments


@frozen(kw_only=True)
class Overview:
    """`rollups` are those of this moment, whatever was published; `queued` entries are on record, but not in them yet."""

    task_id: TaskId
    rollups: Rollups
    unreadable: Sequence[Finding] = field(factory=list)
    damaged: Sequence[Finding] = field(factory=list)
    """Those of them that are a damaged journal: how many entries it holds from there on is not known, and none of them count."""
    queued: int
    pruned: int


def read_overview(task: TaskLayout) -> Overview:
    """StoreError if history, journal, queue or baseline cannot be read."""
    refuse_strange_folders(task)
    notes = HistoryNotes()
    rollup = rollup_of_history(notes.noting(read_history(task, damaged=True)))
    scans = scan_segments(task.pending)
    path = task.layout.relative(task.metrics)
    unreadable = [Finding(path=path, line=note.number, problem=f"this line cannot be read: {note.text}") for note in notes.unreadable]
    damaged = [damage for scan in scans if scan.behind and (damage := damage_in(scan, task.layout.relative(scan.path)))]
    return Overview(
        task_id=task.task_id,
        rollups=rollup.documents(baseline=read_baseline(task.baseline), updated_at=Timestamp("")),
        unreadable=unreadable + damaged,
        damaged=damaged,
        queued=_count_queued(task, scans),
        pruned=pruned_runs(task),
    )


def _count_queued(task: TaskLayout, scans: Sequence[SegmentScan]) -> int:
    """Entries of queue files that the journal does not hold already."""
    absorbed = {name for scan in scans for batch in scan.batches for name in batch.absorbed}
    return sum(len(file.entries) for files in read_queue(task.pending) for file in files if file.name not in absorbed)
