"""The entries of runs that have ended, by their manifests, and have none on record, or only that of an earlier end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from orchestrator_py.core.history_lines import Ending, ending_of, endings_in
from orchestrator_py.core.metrics_entry import create_metrics_entry, metrics_line
from orchestrator_py.core.pruning import is_terminal
from orchestrator_py.errors import DecodeError
from orchestrator_py.lean import frozen
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.live_runs import is_live
from orchestrator_py.store.queue import queued_lines
from orchestrator_py.store.run_folders import command_line_runs


@frozen(kw_only=True)
class _Ended:
    """A run that has ended, by its manifest, and the entry that the manifest makes."""

    entry: EntryLine
    ending: Ending
    says_so: bool
    """The manifest says that this end was recorded."""


def missing_entries(task: TaskLayout) -> Sequence[EntryLine]:
    """Each is the newest of its run: to be recorded behind all that is on record, the queue too. Only for who holds the lock.

    A run whose process lives is left to it: it may be about to record its end itself. Whoever has let go of the run since its manifest
    was read has recorded its end before, so what is on record is looked at once more.
    """
    missing = tuple(_missing(_ended_runs(task), _on_record(task)))
    left = [run for run in missing if not is_live(task, run.entry.run_id)]
    return [run.entry for run in _missing(left, _on_record(task))] if left else []


def _on_record(task: TaskLayout) -> Mapping[str, Ending]:
    return endings_in(chain(read_history(task), queued_lines(task.pending)))


def _missing(ended: Iterable[_Ended], known: Mapping[str, Ending]) -> Iterator[_Ended]:
    for run in ended:
        ending = known.get(run.entry.run_id)
        if ending is None or not (run.says_so or ending == run.ending):
            yield run


def _ended_runs(task: TaskLayout) -> Iterator[_Ended]:
    for run in command_line_runs(task):
        manifest = run.document
        line = _entry_line(manifest) if manifest is not None and is_terminal(manifest) else None
        if manifest is not None and line is not None:
            entry = EntryLine(run_id=run.run_id, line=line, repeated=True)
            yield _Ended(entry=entry, ending=ending_of(manifest), says_so=manifest.get("metrics_recorded") is True)


def _entry_line(manifest: Mapping[str, object]) -> bytes | None:
    """What the run's process has recorded, or would have; None if the manifest does not hold enough for it."""
    ended_at = manifest.get("completed_at") or manifest.get("updated_at")
    try:
        entry = create_metrics_entry({**manifest, "metrics_recorded": False}, Timestamp(str(ended_at)))
    except DecodeError:
        return None
    return None if entry is None else metrics_line(entry)
