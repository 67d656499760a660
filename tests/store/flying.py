"""Embedded runs in flight as a process shows them. As a program it shows some until it is killed.

python -m tests.store.flying ROOT RUN_ID...
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator_py.core.json_text import compact_json
from orchestrator_py.store.flight_board import DiskFlightBoard
from tests.store.entries import TASK, task_below

STARTED = "2025-12-21T14:00:00.000Z"


def flight(run_id: str, **more: object) -> dict[str, object]:
    """One subtask has ended, one is at work, one waits."""
    words = ("succeeded", "running", "pending")
    return {
        "run_id": run_id,
        "task_id": TASK,
        "pipeline_id": "embedded",
        "status": "in_progress",
        "started_at": STARTED,
        "completed_at": None,
        "artifact_root": f".runs/{TASK}/{run_id}",
        "commands": [{"id": word, "status": word, "started_at": None if word == "pending" else STARTED} for word in words],
        "left_out": {},
        "scheduler": {"assignments": [{"instance_id": "i", "capability": "general", "status": "running", "attempts": [{"number": 1}]}]},
        **more,
    }


def document(runs: Iterable[Mapping[str, object]], version: int = 1) -> bytes:
    return compact_json({"version": version, "task_id": TASK, "runs": list(runs)}).encode()


def fly(root: Path, *run_ids: str) -> DiskFlightBoard:
    """Shown by this process."""
    board = DiskFlightBoard(task_below(root))
    board.show(document(map(flight, run_ids)))
    return board


def lose(root: Path, content: bytes) -> Path:
    """As a process that was killed leaves it: the document, and a marker that nobody holds."""
    folder = task_below(root).in_flight
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dead").touch()
    (folder / "dead.json").write_bytes(content)
    return folder


if __name__ == "__main__":
    flying = fly(Path(sys.argv[1]), *sys.argv[2:])
    print("shown", flush=True)
    sys.stdin.read()
    flying.close()
