"""What runs have left on disk, made by hand."""

import json
from collections.abc import Sequence
from pathlib import Path

from orchestrator_py.store.journal import create_batch

Data = dict[str, object]


def stage(stage_id: str, status: str = "succeeded", **more: object) -> Data:
    return {"index": 1, "id": stage_id, "title": stage_id, "kind": "command", "status": status, **more}


def write_run(runs_root: Path, run_id: str, *stages: Data, task: str = "t", **keys: object) -> Path:
    """The manifest of a run that succeeded, unless `keys` say something else."""
    path = runs_root / task / "cli" / run_id / "manifest.json"
    path.parent.mkdir(parents=True)
    manifest = {
        "version": 1,
        "task_id": task,
        "run_id": run_id,
        "pipeline_id": "p",
        "status": "succeeded",
        "status_detail": None,
        "started_at": "2025-12-21T14:02:47.637Z",
        "completed_at": "2025-12-21T14:02:49.637Z",
        "artifact_root": f".runs/{task}/cli/{run_id}",
        "commands": stages,
        **keys,
    }
    path.write_text(json.dumps(manifest))
    return path


def timed_id(number: int) -> str:
    """Ids in the order of their numbers."""
    return f"2025-12-21T{number // 3600:02d}-{number // 60 % 60:02d}-{number % 60:02d}-000Z-{number:08x}"


def entry_line(run_id: str, *, status: str = "succeeded", seconds: object = 1.0, padding: int = 0) -> bytes:
    """As it stands in the history, with its newline."""
    return json.dumps({"run_id": run_id, "status": status, "duration_seconds": seconds, "padding": "x" * padding}).encode() + b"\n"


def write_segment(task_folder: Path, start: int, batches: Sequence[bytes]) -> Path:
    """A journal segment that begins at byte `start` of the history, as the store writes it."""
    path = task_folder / "metrics.pending" / f"b-{start}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as segment:
        for lines in batches:
            segment.write(create_batch(start=start, lines=lines).data)
            start += len(lines)
    return path
