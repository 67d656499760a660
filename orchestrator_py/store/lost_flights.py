"""Puts embedded runs on record that were in flight when their process died: done by whoever opens their task next."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

from orchestrator_py.core.history_lines import parse_entry, run_id_in
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.lost_flight import lost_entry
from orchestrator_py.core.metrics_entry import metrics_line
from orchestrator_py.core.places import FLIGHTS_VERSION
from orchestrator_py.errors import DecodeError, IdentifierError, StoreError
from orchestrator_py.ids import RunId, parse_run_id
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.ports import HistoryStore
from orchestrator_py.store.files import list_folder, read_bytes, remove_file
from orchestrator_py.store.flight_board import document_beside
from orchestrator_py.store.formats import is_newer, newer_format
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.markers import Marker, hold_marker, take_over
from orchestrator_py.store.queue import read_queue

_log = logging.getLogger("orchestrator_py")

Flight = Mapping[str, object]


def complete_lost_flights(task: TaskLayout, history: HistoryStore, now: Callable[[], Timestamp]) -> tuple[RunId, ...]:
    """Record every run that a dead process was showing and that is not on record; their ids. Done twice it changes nothing. StoreError."""
    completed: list[RunId] = []
    for marker in _dead(task):
        try:
            flights = _read(document_beside(marker))
            if flights is not None:
                completed += _record(task, flights, history, now())
                _sweep(task, marker)
        finally:
            marker.release()
    return tuple(completed)


def _dead(task: TaskLayout) -> Iterator[Marker]:
    """The markers of dead processes, locked by us. A document whose marker is gone belonged to a dead one, too."""
    names = list_folder(task.in_flight)
    for half_made in (name for name in names if name.startswith(".")):
        if (marker := take_over(task.in_flight / half_made)) is not None:
            marker.end()
    for name in sorted({name.partition(".")[0] for name in names} - {""}):
        if (marker := hold_marker(task.in_flight / name)) is not None:
            yield marker


def _sweep(task: TaskLayout, marker: Marker) -> None:
    """Document and temp files go, then the marker."""
    for name in list_folder(task.in_flight):
        if name.startswith(f"{marker.path.name}."):
            remove_file(task.in_flight / name)
    marker.end()


def _read(path: Path) -> dict[RunId, Flight] | None:
    """The runs in the document by id. None if it has to stay for a newer version; what cannot be read tells of no run."""
    try:
        document = parse_json(read_bytes(path) or b"{}")
    except ValueError:
        document = None  # torn by a loss of power: it was never synced
    if not isinstance(document, dict):
        _log.warning("%s: this told of runs in flight and cannot be read; it is removed", path)
        return {}
    if is_newer(document, FLIGHTS_VERSION):
        _log.warning("runs in flight are left as they are: %s", newer_format(path, document["version"], FLIGHTS_VERSION))
        return None
    runs = document.get("runs")
    return dict(_named(runs if isinstance(runs, list) else []))


def _named(runs: Iterable[object]) -> Iterator[tuple[RunId, Flight]]:
    for run in runs:
        if isinstance(run, dict):
            try:
                yield parse_run_id(run.get("run_id")), run
            except IdentifierError:
                continue


def _record(task: TaskLayout, flights: Mapping[RunId, Flight], history: HistoryStore, at: Timestamp) -> list[RunId]:
    known = _on_record(task, flights)
    lost = {run_id: one for run_id, one in flights.items() if run_id not in known and not _was_summed_up(task, run_id, one)}
    entries = list(_entries(task, lost, at))
    if entries:
        history.commit(entries)
    return [entry.run_id for entry in entries]


def _entries(task: TaskLayout, lost: Mapping[RunId, Flight], at: Timestamp) -> Iterator[EntryLine]:
    for run_id in sorted(lost):
        try:
            line = metrics_line(lost_entry({**lost[run_id], "task_id": task.task_id}, at))
        except DecodeError as error:
            _log.warning("run %s was in flight when its process died, and is not put on record: %s", run_id, error)
            continue
        yield EntryLine(run_id=run_id, line=line, repeated=True)


def _on_record(task: TaskLayout, flights: Mapping[RunId, Flight]) -> set[RunId]:
    """Those with an entry that is younger than their start. The queue is read first: what its owner absorbs meanwhile is in the history."""
    if not flights:
        return set()
    queued = [entry.line for files in read_queue(task.pending) for file in files for entry in file.entries]
    found = set[RunId]()
    for line in chain(queued, read_history(task)):
        run_id = RunId(run_id_in(line) or "")
        if run_id in flights and str(parse_entry(line).get("recorded_at")) >= str(flights[run_id].get("started_at")):
            found.add(run_id)
    return found


def _was_summed_up(task: TaskLayout, run_id: RunId, flight: Flight) -> bool:
    """Its process died between summary and entry: somebody saw its end, it was never acknowledged, and we know only half of it."""
    with suppress(StoreError, ValueError):
        summary = parse_json(read_bytes(task.embedded_run(run_id).manifest) or b"{}")
        return isinstance(summary, dict) and str(summary.get("timestamp", "")) >= str(flight.get("started_at"))
    return False
