"""Recovery: the same steps on every open, acting only on bytes that this package has written and synced itself.

R1, the lock, comes before and R6, queue and publication, comes after; running it twice changes nothing.

The rollup state says how much of the journal its writer knew to be durable. If it was made with this very metrics.json, that much is
not read again: opening costs what is new, not the journal.
"""

from io import BytesIO
from pathlib import Path

from orchestrator_py.errors import StoreError
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.store.files import fsync_folder, open_for_reading, remove_file, remove_temps, telling
from orchestrator_py.store.history import History, history_changed, read_stamp
from orchestrator_py.store.journal import Batch, Journal, Mark, list_segments, read_segment
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.ledger import Ledger, run_id_of
from orchestrator_py.store.rollup_files import Coverage, RollupFiles, document_files


@frozen(kw_only=True)
class _Position:
    """Where a batch stands, or (without one) where the next will: `offset` is its first byte in the segment."""

    segment: Path
    offset: int
    batch: Batch | None


@define(kw_only=True)
class _Judgement:
    """What the segments hold: `kept` ones have a batch that is not folded yet, `last` is where the last such batch stands."""

    end: int
    kept: list[Path] = field(factory=list)
    folded: list[Path] = field(factory=list)
    queue_files: list[str] = field(factory=list)
    last: _Position | None = None


def recover(task: TaskLayout, ledger: Ledger, rollups: RollupFiles, *, trusting: bool = True) -> tuple[History, Journal]:
    """R2 to R5; unless `trusting`, the whole journal is read. HistoryChangedError if metrics.json is not what the journal continues."""
    _make_sight_durable(task)
    _remove_own_temps(task)
    history = History(path=task.metrics, stamp=read_stamp(task.metrics))
    judgement = _judge(task, history, ledger, rollups, trusting)
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


def _judge(task: TaskLayout, history: History, ledger: Ledger, rollups: RollupFiles, trusting: bool) -> _Judgement:
    """R4, touching nothing: every batch is folded, kept, or a sign that another program changed the history. R5: new ones are added up."""
    segments = list_segments(task.pending)
    judgement = _Judgement(end=history.size)
    if trusting:
        judgement.end, judgement.last = _known(segments, history, rollups)
    for segment in segments:
        offset = judgement.last.offset if judgement.last is not None and judgement.last.segment == segment else 0
        for batch in read_segment(segment, offset):
            if not history.holds(batch):
                _keep(batch, _Position(segment=segment, offset=offset, batch=batch), judgement, history, ledger)
                rollups.add(batch.lines)
            judgement.queue_files += batch.absorbed
            offset += len(batch.data)
        kept = judgement.last is not None and judgement.last.segment == segment
        (judgement.kept if kept else judgement.folded).append(segment)
    if judgement.last is not None and not history.ends_whole():
        raise history_changed(history.path, "it does not end with a newline any more")
    return judgement


def _known(segments: list[Path], history: History, rollups: RollupFiles) -> tuple[int, _Position | None]:
    """From where on history and journal are to be judged: the end that the rollup state covers, or that of the history."""
    match rollups.load(history.stamp):
        case Coverage(end=end, mark=None) if end == history.size and history.ends_whole():
            return end, None
        case Coverage(end=end, mark=Mark() as mark) if end > history.size and len(segments) <= 1:
            segment = rollups.task.pending / mark.segment
            _refuse_loss(segment, mark.offset)
            return end, _Position(segment=segment, offset=mark.offset, batch=None)
    rollups.forget()
    return history.size, None


def _refuse_loss(segment: Path, offset: int) -> None:
    """StoreError unless the segment still ends a line where acknowledged batches end."""
    file = open_for_reading(segment)
    with file or BytesIO() as content, telling(segment, "read it"):
        content.seek(offset - 1)
        if content.read(1) != b"\n":
            problem = "is gone" if file is None else "was cut off or is damaged"
            raise StoreError(
                f"{segment}: {problem}; {offset} bytes of it are on record. Nothing was changed. "
                "Put it back, or go on with what can be read with `orchestrator-py metrics rebuild`."
            )


def _keep(batch: Batch, position: _Position, judgement: _Judgement, history: History, ledger: Ledger) -> None:
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
    if judgement.queue_files:
        fsync_folder(journal.folder)
    for segment in judgement.folded:
        journal.unlinked |= remove_file(segment)
