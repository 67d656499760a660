"""Tasks whose record is broken in different ways, and what each of their runs should come to when it is mended."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator_py.ids import RunId
from orchestrator_py.store.history import read_history
from orchestrator_py.store.journal import create_batch
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import enqueue
from tests.store.entries import NOW, TASK, entry, open_store, task_below, write_history

A, B, C, D = (entry(name).line + b"\n" for name in "abcd")
B_FAILED = entry("b", status="failed").line + b"\n"


def manifest(run_id: str, /, **more: object) -> dict[str, object]:
    """As much of a command-line run's manifest as matters here."""
    return {
        "version": 1,
        "task_id": TASK,
        "run_id": run_id,
        "parent_run_id": None,
        "pipeline_id": "p",
        "status": "succeeded",
        "started_at": NOW,
        "completed_at": NOW,
        "updated_at": NOW,
        "artifact_root": f".runs/{TASK}/cli/{run_id}",
        "metrics_recorded": True,
        "commands": [],
        "child_runs": [],
    } | more


def write_manifest(task: TaskLayout, run_id: str, /, **more: object) -> Path:
    path = task.cli_run(RunId(run_id)).manifest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest(run_id, **more)))
    return path


def settled(root: Path, *run_ids: str) -> TaskLayout:
    """A task in order, with these runs on record."""
    store = open_store(root)
    store.commit([entry(run_id) for run_id in run_ids])
    store.close()
    return task_below(root)


# The ways to break it ----------------------------------------------------------------------------------------------


def bad_lines(task: TaskLayout) -> Mapping[str, str]:
    """Lines that cannot be read, repeated and superseded entries, a torn journal, a queue, what a killed writer left."""
    write_history(task, b"\xef\xbb\xbf" + A + b"no json\n" + B_FAILED + b"\n" + A + b'{"torn":\n' + B)
    enqueue(task.pending, [entry("c")])
    enqueue(task.pending, [entry("c", repeated=True), entry("d")])
    (task.folder / "metrics.json.tmp-1-2-3").write_bytes(b"half")
    (task.pending / f"b-{task.metrics.stat().st_size}").write_bytes(create_batch(start=0, lines=A).data[:-4])
    return dict.fromkeys("abcd", "succeeded")


def changed_history(task: TaskLayout) -> Mapping[str, str]:
    """Another program has edited metrics.json, which the journal does not continue any more; a batch has an absorbed file beside it."""
    enqueue(task.pending, [entry("d")])
    (queued,) = [path for path in task.pending.iterdir() if path.name.endswith(".jsonl")]
    first = create_batch(start=len(A), lines=B_FAILED)
    second = create_batch(start=first.end, lines=D, absorbed=(queued.name,))
    (task.pending / f"b-{len(A)}").write_bytes(first.data)
    (task.pending / f"b-{second.start}").write_bytes(second.data)
    enqueue(task.pending, [entry("b", repeated=True)])
    write_history(task, b"edited\n" + A + C)
    return dict.fromkeys("abcd", "succeeded")


def damaged_journal(task: TaskLayout) -> Mapping[str, str]:
    """A byte of an acknowledged batch has changed; whole batches, one in another segment, follow it."""
    write_history(task, A)
    first = create_batch(start=len(A), lines=B_FAILED)
    second = create_batch(start=first.end, lines=C)
    third = create_batch(start=second.end, lines=B)
    (task.pending / f"b-{first.start}").write_bytes(first.data.replace(b"#", b"#0", 1) + second.data)
    (task.pending / f"b-{third.start}").write_bytes(third.data)
    return dict.fromkeys("abc", "succeeded")


def lost_history(task: TaskLayout) -> Mapping[str, str]:
    """metrics.json is gone, but the runs' manifests vouch for their entries; one of them was killed before it could."""
    task.metrics.unlink()
    write_manifest(task, "a")
    write_manifest(task, "b", status="failed", metrics_recorded=False)
    write_manifest(task, "c", status="in_progress", completed_at=None, metrics_recorded=False)
    return {"a": "succeeded", "b": "failed"}


def damaged_rollups(task: TaskLayout) -> Mapping[str, str]:
    """Documents that are no JSON, that say something else, that nothing is behind; a state of a newer format."""
    task.post_rollout.write_bytes(b"\x00\x01")
    task.completeness.write_text('{"checked_fields": []}')
    task.baseline.write_bytes(b"")
    task.rollup_state.write_bytes(b'{"crc32":"00000000","state":{"version":2}}\n')
    return dict.fromkeys("a", "succeeded")


WAYS: Mapping[str, Callable[[TaskLayout], Mapping[str, str]]] = {
    way.__name__: way for way in (bad_lines, changed_history, damaged_journal, lost_history, damaged_rollups)
}


def broken(root: Path, way: str) -> Mapping[str, str]:
    """A task with run `a` on record, then broken; how each run ended, by what can still be known."""
    return WAYS[way](settled(root, "a"))


def endings(task: TaskLayout) -> Mapping[str, str]:
    """How each run ended by history and journal, in which it must stand once. An entry that names no run is nobody's."""
    entries = [entry for entry in map(json.loads, read_history(task)) if "run_id" in entry]
    assert [run_id for run_id, times in Counter(entry["run_id"] for entry in entries).items() if times > 1] == []
    return {entry["run_id"]: entry.get("status") for entry in entries}
