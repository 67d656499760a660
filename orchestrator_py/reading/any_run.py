"""A run as it is told best at this moment: by its manifest, by the process that it goes on in, or by the history alone."""

import os

from orchestrator_py.errors import StoreError
from orchestrator_py.reading.files import Data
from orchestrator_py.reading.flights import read_flights
from orchestrator_py.reading.run import LOST, Run, read_run, run_of_manifest, text_of, word_of_entry

_LOOKED_AT = 1_000
"""Of the newest entries."""


def require_any_run(runs_root: str, task: str, run_id: str) -> Run:
    """The run; StoreError if nothing tells of it, or what does cannot be read."""
    run = read_run(runs_root, task, run_id) or _flight(runs_root, task, run_id) or _recorded(runs_root, task, run_id)
    if run is None:
        raise StoreError(f"Run {run_id} is not on record: it has not begun, or somebody has removed it; ask for another one.")
    return run


def _flight(runs_root: str, task: str, run_id: str) -> Run | None:
    return next((flight for flight in read_flights(runs_root, task, []) if flight.run_id == run_id), None)


def _recorded(runs_root: str, task: str, run_id: str) -> Run | None:
    """An embedded run that has ended: its entry in the words of a manifest."""
    from orchestrator_py.reading.history_tail import read_tail  # it is the last that is asked

    for entry in read_tail(os.path.join(runs_root, task), _LOOKED_AT).entries:
        if text_of(entry, "run_id") == run_id:
            path = os.path.join(runs_root, task, run_id, "manifest.json")
            return run_of_manifest(_as_manifest(entry), task=task, run_id=run_id, path=path)
    return None


def _as_manifest(entry: Data) -> Data:
    return {**entry, "status_detail": "owner-lost" if word_of_entry(entry) == LOST else None, "artifact_root": entry.get("artifact_path")}
