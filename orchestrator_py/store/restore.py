"""The entries of runs that have ended, by their manifests, and have none on record, or only that of an earlier end."""

from collections.abc import Iterator, Mapping
from itertools import chain

from orchestrator_py.core.history_lines import Ending, ending_of, endings_in
from orchestrator_py.core.metrics_entry import create_metrics_entry, metrics_line
from orchestrator_py.core.pruning import is_terminal
from orchestrator_py.errors import DecodeError
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import queued_lines
from orchestrator_py.store.run_folders import command_line_runs


def missing_entries(task: TaskLayout) -> list[EntryLine]:
    """Each is the newest of its run: to be recorded behind all that is on record, the queue too. Only for who holds the lock."""
    return list(_entries_of_manifests(task, _on_record(task)))


def _on_record(task: TaskLayout) -> Mapping[str, Ending]:
    return endings_in(chain(read_history(task), queued_lines(task.pending)))


def _entries_of_manifests(task: TaskLayout, known: Mapping[str, Ending]) -> Iterator[EntryLine]:
    for run in command_line_runs(task):
        manifest = run.document
        if manifest is None or not is_terminal(manifest):
            continue
        earlier_end = manifest.get("metrics_recorded") is not True and known.get(run.run_id) != ending_of(manifest)
        line = _entry_line(manifest) if run.run_id not in known or earlier_end else None
        if line is not None:
            yield EntryLine(run_id=run.run_id, line=line, repeated=True)


def _entry_line(manifest: Mapping[str, object]) -> bytes | None:
    """What the run's process has recorded, or would have; None if the manifest does not hold enough for it."""
    ended_at = manifest.get("completed_at") or manifest.get("updated_at")
    try:
        entry = create_metrics_entry({**manifest, "metrics_recorded": False}, Timestamp(str(ended_at)))
    except DecodeError:
        return None
    return None if entry is None else metrics_line(entry)
