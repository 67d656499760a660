"""Makes the record of one task whole again: history, journal and queue merged by run id, damaged files set aside, rollups made anew.

Each step leaves a state that an ordinary opening, or another rebuild, takes up; a second rebuild changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from orchestrator_py.core.history_lines import Ending, HistoryNotes, MergedLines, ending_of, merge_lines
from orchestrator_py.core.json_text import encode_json, pretty_json
from orchestrator_py.core.pruning import is_terminal
from orchestrator_py.core.rollup import Rollup, rollup_of_history
from orchestrator_py.errors import RunHeldError
from orchestrator_py.lean import frozen
from orchestrator_py.model.finding import Finding
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.aside import keep_aside, set_aside
from orchestrator_py.store.audit import unusable_runs
from orchestrator_py.store.files import fsync_folder, replace_bytes, replacing, write_all
from orchestrator_py.store.folders import make_durable_task_folders
from orchestrator_py.store.formats import NewerStateError
from orchestrator_py.store.history import read_history, read_stamp
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.ledger import Ledger
from orchestrator_py.store.live_runs import is_live
from orchestrator_py.store.lock import WriterLock, try_lock
from orchestrator_py.store.mounts import check_file_system
from orchestrator_py.store.owner import Owner
from orchestrator_py.store.queue import list_queue
from orchestrator_py.store.recovery import recover
from orchestrator_py.store.restore import missing_entries
from orchestrator_py.store.rollup_audit import audit_rollups, expected_documents, is_damaged
from orchestrator_py.store.rollup_files import RollupFiles, document_files
from orchestrator_py.store.run_folders import command_line_runs, refuse_strange_folders
from orchestrator_py.store.salvage import salvage
from orchestrator_py.store.task_store import open_task_store


@frozen(kw_only=True)
class Rebuilt:
    """`entries` stand in the history now; the other figures say what became of the rest."""

    entries: int
    unreadable: int
    repeated: int
    restored: int
    set_aside: tuple[Path, ...]
    left: tuple[Finding, ...]
    """Folders of runs from which nothing can be told: they are as they were."""


def rebuild(task: TaskLayout, now: Callable[[], Timestamp]) -> Rebuilt:
    """RunHeldError if another live process holds the task; StoreError if something cannot be read or written."""
    refuse_strange_folders(task)
    check_file_system(task.folder)
    make_durable_task_folders(task)
    lock = try_lock(task.lock)
    if lock is None:
        raise RunHeldError(f"{task.folder}: another live process is working on this task; wait for it, or end it, then try again.")
    try:
        rebuilt = _rebuild(task, lock, now)
    finally:
        lock.release()
    if list_queue(task.pending):  # queued while we held the lock
        open_task_store(task.layout, task.task_id, now=now).close()
    return rebuilt


def _rebuild(task: TaskLayout, lock: WriterLock, now: Callable[[], Timestamp]) -> Rebuilt:
    rollups = RollupFiles(task, now)
    newer = [*_set_newer_state_aside(rollups)]
    salvaged = salvage(task)
    ledger = Ledger(partial(read_history, task))
    history, journal = recover(task, ledger, rollups, trusting=False)
    owner = Owner(task=task, lock=lock, ledger=ledger, history=history, journal=journal, rollups=rollups)
    try:
        owner.absorb()
        restored = missing_entries(task)
        owner.commit(restored)
        owner.fold()
        aside = [*newer, *salvaged]
        merged = merge_lines(read_history(task))
        if merged.changed:
            aside.append(_rewrite(owner, merged))
        notes = HistoryNotes()
        rollup = rollup_of_history(notes.noting(read_history(task)))
        if not task.rollup_state.exists() or any(audit_rollups(task, rollup, notes.size)):
            aside += _set_rollups_aside(task, rollup)
            owner.publish()
        _complete_manifests(task, notes.runs)
    finally:
        owner.abandon()
    return Rebuilt(
        entries=len(merged.lines),
        unreadable=merged.unreadable,
        repeated=merged.repeated,
        restored=len(restored),
        set_aside=tuple(aside),
        left=unusable_runs(task),
    )


def _rewrite(owner: Owner, merged: MergedLines) -> Path:
    """The merged lines take the place of metrics.json, whose bytes stay under another name."""
    path = owner.task.metrics
    aside = keep_aside(path)
    owner.rollups.invalidate()
    with replacing(path, synced=True) as temp:
        for line in merged.lines:
            write_all(temp, line + b"\n")
        owner.history.check()
    fsync_folder(path.parent)
    owner.history.stamp = read_stamp(path)
    owner.journal.end = owner.history.size
    return aside


def _set_newer_state_aside(rollups: RollupFiles) -> Iterator[Path]:
    """It is a cache: whoever understands it can make it again."""
    try:
        rollups.refuse_newer()
    except NewerStateError:
        yield set_aside(rollups.task.rollup_state)
        fsync_folder(rollups.task.rollups)


def _set_rollups_aside(task: TaskLayout, rollup: Rollup) -> list[Path]:
    """Those that cannot be read, and those that the history has nothing to put in."""
    damaged = [path for path in (*document_files(task).values(), task.rollup_state) if is_damaged(path, task)]
    aside = [set_aside(path) for path in damaged]
    expected = expected_documents(task, rollup)
    unfounded = [path for path in document_files(task).values() if path not in expected and path.exists()]
    aside += [set_aside(path) for path in unfounded]
    for folder in {path.parent for path in aside}:
        fsync_folder(folder)
    return aside


def _complete_manifests(task: TaskLayout, recorded: Mapping[str, Ending]) -> None:
    """The last word of a process that was killed between its entry and its manifest. One that lives says it itself."""
    for run in command_line_runs(task):
        manifest = run.document
        if manifest is None or not is_terminal(manifest) or manifest.get("metrics_recorded") is True:
            continue
        if recorded.get(run.run_id) == ending_of(manifest) and not is_live(task, run.run_id):
            content = encode_json(pretty_json({**manifest, "metrics_recorded": True}) + "\n")
            replace_bytes(run.path, content, durable=False)
