"""Long histories to begin with, made once a session."""

import json
import subprocess
import sys
from pathlib import Path

from bench.drivers.sqlite import insert, open_database
from bench.measure import environment

TASK = "bench"
SPEC = {"runs": 1, "in_flight": 1, "subtasks": 4, "summaries": False}


def history_of(length: int, shared: Path) -> Path:
    """A metrics.json of so many runs, each as a run of four no-op subtasks describes itself."""
    path = shared / f"history-{length}.jsonl"
    if not path.exists():
        entry = _entry(shared)
        lines = (json.dumps(entry | {"run_id": f"earlier-{number}"}, separators=(",", ":")) + "\n" for number in range(length))
        path.write_text("".join(lines))
    return path


def folder_of(length: int, shared: Path) -> Path:
    """A folder with such a history that a process of ours has opened and left in order."""
    folder = shared / f"opened-{length}"
    if not folder.exists():
        metrics = folder / ".runs" / TASK / "metrics.json"
        metrics.parent.mkdir(parents=True)
        metrics.write_bytes(history_of(length, shared).read_bytes())
        _run_once(folder, shared)
    return folder


def database_of(length: int, shared: Path) -> Path:
    """A folder with a database of so many runs."""
    folder = shared / f"database-{length}"
    if not folder.exists():
        folder.mkdir()
        database = open_database(str(folder / "runs.db"), "DELETE")
        database.execute("BEGIN")
        for number in range(length):
            insert(database, f"earlier-{number}", "x" * 700)
        database.execute("COMMIT")
        database.close()
    return folder


def _entry(shared: Path) -> dict[str, object]:
    folder = shared / "entry"
    if not folder.exists():
        _run_once(folder, shared)
    entry = json.loads((folder / ".runs" / TASK / "metrics.json").read_text().splitlines()[-1])
    return dict(entry)


def _run_once(folder: Path, shared: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bench.drivers.ours", json.dumps(SPEC)]
    subprocess.run(command, cwd=folder, env=environment(shared), stdout=subprocess.DEVNULL, check=True)
