"""Completes the record of runs whose process died: done by whoever opens their task next, before anything new is recorded."""

import logging
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.history_lines import parse_entry, run_id_in
from orchestrator_py.core.json_text import encode_json, pretty_json
from orchestrator_py.core.metrics_entry import create_metrics_entry, metrics_line
from orchestrator_py.core.sealing import finish_from_entry, seal
from orchestrator_py.errors import DecodeError, IdentifierError, StoreError
from orchestrator_py.ids import RunId, parse_run_id
from orchestrator_py.lean import evolve
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.manifest import Manifest, RunStatus
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.ports import HistoryStore
from orchestrator_py.store.files import list_folder, remove_file, remove_temps, replace_bytes
from orchestrator_py.store.formats import NewerManifestError
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import RunLayout, TaskLayout
from orchestrator_py.store.live_runs import LiveRun, lost_runs, take_lost_run
from orchestrator_py.store.manifest_file import read_manifest

_log = logging.getLogger("orchestrator_py")


def complete_lost_runs(task: TaskLayout, history: HistoryStore, now: Callable[[], Timestamp]) -> tuple[RunId, ...]:
    """Seal every lost run, or finish it from its entry; the ids of those that were. Running it twice changes nothing. StoreError.

    A run comes after those that it had begun: what it says of them is what they say of themselves.
    """
    return tuple(run_id for run in lost_runs(task) for run_id in _complete_lost(task, run, history, now))


def _complete_lost(task: TaskLayout, run: LiveRun, history: HistoryStore, now: Callable[[], Timestamp]) -> list[RunId]:
    """The run's marker is ours: one that names itself among its children finds it held."""
    completed: list[RunId] = []
    try:
        manifest = _read_manifest(task, run.run_id)
        for child in () if manifest is None else _children(manifest):
            lost = take_lost_run(task, child)
            completed += [] if lost is None else _complete_lost(task, lost, history, now)
        if manifest is not None and _complete(task, run.run_id, manifest, history, now()):
            completed.append(run.run_id)
        _sweep(task.cli_run(run.run_id))
        run.end()
    except NewerManifestError as error:  # its marker stays, for a version that understands it
        _log.warning("a lost run is left as it is: %s", error)
    finally:
        run.release()
    return completed


def _complete(task: TaskLayout, run_id: RunId, manifest: Manifest, history: HistoryStore, at: Timestamp) -> bool:
    path = task.cli_run(run_id).manifest
    if manifest.metrics_recorded:
        return False
    entry, children = _entry_of(task, manifest), _endings(task, _children(manifest))
    if entry is not None:
        manifest = finish_from_entry(manifest, entry, at, children)
    else:
        manifest = seal(manifest, at, children)
        history.commit([_entry_line(manifest, at)])
    replace_bytes(path, encode_json(pretty_json(to_json(evolve(manifest, metrics_recorded=True))) + "\n"), durable=False)
    return True


def _sweep(run: RunLayout) -> None:
    """Its own temp files go, and the folder of a run that died before its first manifest: nothing was started, and its log is empty.

    What a command left in the folder stays, whatever it is called, and stops nobody.
    """
    for written in (run.manifest, run.run_summary, run.heartbeat, run.resume_token):
        remove_temps(written)
    if list_folder(run.folder) == [run.runner_log.name] and _is_empty_file(run.runner_log):
        remove_file(run.runner_log)
    with suppress(OSError):  # it holds something, or is not there
        run.folder.rmdir()


def _is_empty_file(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def _children(manifest: Manifest) -> Iterator[RunId]:
    """The runs that it had begun and whose end it does not tell; a name that no run can have leads nowhere."""
    for child in manifest.child_runs:
        with suppress(IdentifierError):
            if not child.status.is_terminal:
                yield parse_run_id(child.run_id)


def _endings(task: TaskLayout, runs: Iterable[RunId]) -> dict[RunId, RunStatus]:
    """Of those that have ended, as far as their manifests can be read."""
    found: dict[RunId, RunStatus] = {}
    for run_id in runs:
        with suppress(DecodeError, StoreError):
            manifest = read_manifest(task, run_id)
            if manifest is not None and manifest.status.is_terminal:
                found[run_id] = manifest.status
    return found


def _read_manifest(task: TaskLayout, run_id: RunId) -> Manifest | None:
    """None if there is none, or none that can be read: such a run died before its first word, or on a disk that lost it."""
    try:
        return read_manifest(task, run_id)
    except NewerManifestError:
        raise
    except DecodeError as error:
        _log.warning("the manifest of a lost run is left as it is: %s", error)
        return None


def _entry_of(task: TaskLayout, manifest: Manifest) -> dict[str, object] | None:
    """The newest entry of the run on record, if there is one; one from before it was resumed speaks of another attempt."""
    since = max((event.timestamp for event in manifest.resume_events), default=manifest.started_at)
    name = manifest.run_id.encode()
    found = None
    for line in read_history(task):
        if name in line and run_id_in(line) == manifest.run_id:
            entry = parse_entry(line)
            found = entry if str(entry.get("recorded_at")) >= since else found
    return found


def _entry_line(manifest: Manifest, at: Timestamp) -> EntryLine:
    data = to_json(evolve(manifest, metrics_recorded=False))
    entry = create_metrics_entry(data, at) if isinstance(data, dict) else None
    if entry is None:
        raise DecodeError(f"Run {manifest.run_id}: its manifest makes no entry.")
    return EntryLine(run_id=manifest.run_id, line=metrics_line(entry), repeated=True)
