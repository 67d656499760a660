"""Recovery: the same steps on every open, acting only on bytes that this package has written and synced itself.

R1, the lock, comes before and R5 and R6, rollups and queue, come after; running it twice changes nothing.
"""

from pathlib import Path

from attrs import define, field, frozen

from orchestrator_py.store.files import fsync_folder, remove_file, remove_temps
from orchestrator_py.store.history import History, history_changed, read_stamp
from orchestrator_py.store.journal import Batch, Journal, list_segments, read_segment
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.ledger import Ledger, run_id_of
from orchestrator_py.store.rollup_files import document_files


@frozen(kw_only=True)
class _Position:
    """Where a batch stands: `offset` is its first byte in the segment."""

    segment: Path
    offset: int
    batch: Batch


@define(kw_only=True)
class _Judgement:
    """What the segments hold: `kept` ones have a batch that is not folded yet, `last` is the last such batch."""

    end: int
    kept: list[Path] = field(factory=list)
    folded: list[Path] = field(factory=list)
    queue_files: list[str] = field(factory=list)
    last: _Position | None = None


def recover(task: TaskLayout, ledger: Ledger) -> tuple[History, Journal]:
    """R2 to R4. HistoryChangedError if metrics.json is not what the journal continues."""
    _make_sight_durable(task)
    _remove_own_temps(task)
    history = History(path=task.metrics, stamp=read_stamp(task.metrics))
    judgement = _judge(task, history, ledger)
    journal = Journal(folder=task.pending, end=judgement.end, segments=judgement.kept)
    try:
        _settle(judgement, journal)
        if not history.ends_whole():
            history.extend([b"\n"])
            journal.end = history.size
    except BaseException:
        journal.finish()
        raise
    return history, journal


def _make_sight_durable(task: TaskLayout) -> None:
    """R2: the owner before may have been killed after a rename; a power loss must not take back what we now act upon."""
    fsync_folder(task.folder)
    fsync_folder(task.pending)


def _remove_own_temps(task: TaskLayout) -> None:
    """R3: only of files that the owner alone writes."""
    for target in (task.metrics, task.rollup_state, *document_files(task).values()):
        remove_temps(target)


def _judge(task: TaskLayout, history: History, ledger: Ledger) -> _Judgement:
    """R4, touching nothing: every batch is folded, kept, or a sign that another program changed the history."""
    judgement = _Judgement(end=history.size)
    for segment in list_segments(task.pending):
        before, offset = judgement.end, 0
        for batch in read_segment(segment):
            if not history.holds(batch):
                _keep(_Position(segment=segment, offset=offset, batch=batch), judgement, history, ledger)
            judgement.queue_files += batch.absorbed
            offset += len(batch.data)
        (judgement.folded if judgement.end == before else judgement.kept).append(segment)
    if judgement.last is not None and not history.ends_whole():
        raise history_changed(history.path, "it does not end with a newline any more")
    return judgement


def _keep(position: _Position, judgement: _Judgement, history: History, ledger: Ledger) -> None:
    batch = position.batch
    if batch.start != judgement.end:
        raise history_changed(
            history.path, f"{position.segment.name} goes on at byte {batch.start}, not at {judgement.end} or with other bytes"
        )
    judgement.end = batch.end
    judgement.last = position
    for line in batch.lines.split(b"\n"):
        ledger.note(run_id_of(line), line)


def _settle(judgement: _Judgement, journal: Journal) -> None:
    """R4, acting: what is kept is made durable, then queue files go, and only then the segments that name them."""
    if judgement.last is not None:
        journal.revive(judgement.last.segment, judgement.last.offset, judgement.last.batch)
    for name in judgement.queue_files:
        remove_file(journal.folder / name)
    fsync_folder(journal.folder)
    for segment in judgement.folded:
        journal.unlinked |= remove_file(segment)
