"""Entries as the tests record them, and what a task's files say about them."""

import json
from collections import Counter
from pathlib import Path

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.rollups import Baseline
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.queue import list_queue
from orchestrator_py.store.rollup_files import document_files
from orchestrator_py.store.task_store import TaskStore, open_task_store

TASK = TaskId("task-1")
NOW = Timestamp("2025-12-21T14:02:47.637Z")


def now() -> Timestamp:
    return NOW


def entry(run_id: str, *, status: str = "succeeded", repeated: bool = False, padding: int = 0) -> EntryLine:
    data: dict[str, object] = {
        "run_id": run_id,
        "task_id": TASK,
        "status": status,
        "completed_at": NOW,
        "duration_seconds": 1.25,
        "recorded_at": NOW,
        "tfgrpo_epoch": 1,
        "tool_stats": [],
        "padding": "x" * padding,
    }
    return EntryLine(run_id=RunId(run_id), line=compact_json(data).encode(), repeated=repeated)


def task_below(root: Path) -> TaskLayout:
    return Layout.below(root).task(TASK)


def open_store(root: Path) -> TaskStore:
    return open_task_store(Layout.below(root), TASK, now=now)


def write_history(task: TaskLayout, content: bytes) -> None:
    task.folder.mkdir(parents=True, exist_ok=True)
    task.metrics.write_bytes(content)


def run_ids(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["run_id"] for line in lines]


def recorded(task: TaskLayout) -> list[str]:
    """The runs of history and journal, in order."""
    return run_ids(list(read_history(task)))


def folded(task: TaskLayout) -> list[str]:
    """The runs that stand in metrics.json itself."""
    content = task.metrics.read_bytes() if task.metrics.exists() else b""
    assert content == b"" or content.endswith(b"\n")
    return run_ids(content.split(b"\n")[:-1])


def pending(task: TaskLayout) -> list[str]:
    """What waits beside the history, without temp files that a killed enqueuer left."""
    return sorted(path.name for path in task.pending.iterdir() if ".tmp-" not in path.name)


def assert_settled(task: TaskLayout) -> None:
    """After a close: nothing waits, no line stands twice, and the published rollups are those of the whole history."""
    assert list_queue(task.pending) == []
    lines = list(read_history(task))
    assert [line for line, times in Counter(lines).items() if times > 1] == []
    baseline = from_json(Baseline, json.loads(task.baseline.read_bytes())) if task.baseline.exists() else None
    for document in rollup_of_history(lines).documents(baseline=baseline, updated_at=NOW):
        path = document_files(task)[type(document)]
        assert json.loads(path.read_bytes()) == to_json(document), path.name


def all_files(root: Path) -> dict[str, bytes]:
    """Every file below the root with its bytes."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
