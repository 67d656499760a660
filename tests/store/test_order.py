"""The order of the calls that durability rests on: only a power loss could tell it otherwise."""

from pathlib import Path

import pytest

from orchestrator_py.store.journal import create_batch
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import enqueue, list_queue
from tests.store.entries import entry, open_store, task_below, write_history
from tests.store.faults import COUNTS_SYNCS, Calls, counting

pytestmark = COUNTS_SYNCS

A, B = (entry(name).line + b"\n" for name in "ab")
BIRTH = ["write b-{0}", "fdatasync b-{0}", "fsync metrics.pending"]


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """The folders and lock of a task whose owner is gone."""
    open_store(tmp_path).close()
    return task_below(tmp_path)


def without_rollups(trace: list[str]) -> list[str]:
    """Without folders that are there already and the documents, which any order of the rest would do."""
    return [
        step
        for step in trace
        if not step.startswith(("mkdir", "open")) and (".json" not in step or "metrics.json" in step or "queued" in step)
    ]


def test_the_lock_file_comes_after_the_folders_are_durable(tmp_path: Path) -> None:
    with counting(Calls()) as calls:
        store = open_store(tmp_path)
    store.close()
    made = [step for step in calls.trace if "gitignore" not in step]
    lock = made.index("open .writer.lock")
    assert made[lock - 3 : lock] == [f"fsync {tmp_path.name}", "fsync .runs", "fsync task-1"]
    assert {"mkdir task-1", "mkdir metrics.pending", "mkdir metrics"} <= set(made[: lock - 3])
    assert made[lock + 1 : lock + 3] == ["fsync task-1", "fsync metrics.pending"]


def test_a_commit_is_acknowledged_after_its_sync(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    with counting(Calls()) as calls:
        store.commit([entry("a")])
        store.commit([entry("b")])
    assert calls.trace == ["open b-0", "write b-0", "fdatasync b-0", "fsync metrics.pending", "write b-0", "fdatasync b-0"]
    store.close()


def test_a_fold_is_durable_before_its_segment_goes_and_the_next_birth_makes_that_durable(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    with counting(Calls()) as calls:
        store.rest()
        store.commit([entry("b")])
    assert without_rollups(calls.trace) == [
        "write metrics.json.tmp",
        "fsync metrics.json.tmp",
        "replace metrics.json",
        "fsync task-1",
        "unlink b-0",
        "fsync metrics.pending",
        *(step.format(len(A)) for step in BIRTH),
    ]
    store.close()


def test_absorbed_queue_files_go_durably_before_the_segment_that_names_them(tmp_path: Path, task: TaskLayout) -> None:
    store, guest = open_store(tmp_path), open_store(tmp_path)
    with counting(Calls()) as queueing:
        guest.commit([entry("a")])
    with counting(Calls()) as calls:
        store.rest()
    assert without_rollups(queueing.trace) == [
        "write queued.jsonl.tmp",
        "fsync queued.jsonl.tmp",
        "replace queued.jsonl",
        "fsync metrics.pending",
    ]
    assert without_rollups(calls.trace) == [
        *(step.format(0) for step in BIRTH),
        "unlink queued.jsonl",
        "write metrics.json.tmp",
        "fsync metrics.json.tmp",
        "replace metrics.json",
        "fsync task-1",
        "fsync metrics.pending",
        "unlink b-0",
    ]
    store.close()


def test_recovery_makes_durable_what_it_acts_upon(tmp_path: Path, task: TaskLayout) -> None:
    enqueue(task.pending, [entry("b")])
    (queued,) = list_queue(task.pending)
    write_history(task, A)
    (task.pending / "b-0").write_bytes(create_batch(start=0, lines=A).data)
    (task.pending / f"b-{len(A)}").write_bytes(create_batch(start=len(A), lines=B, absorbed=(queued,)).data)
    with counting(Calls()) as calls:
        store = open_store(tmp_path)
    store.close()
    assert without_rollups(calls.trace)[:7] == [
        "fsync task-1",
        "fsync metrics.pending",
        f"write b-{len(A)}",
        f"fdatasync b-{len(A)}",
        "unlink queued.jsonl",
        "fsync metrics.pending",
        "unlink b-0",
    ]


def test_a_superseding_entry_is_written_after_the_state_is_durably_gone(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    with counting(Calls()) as calls:
        store.commit([entry("a", status="failed")])
        store.commit([entry("a", repeated=True)])
    assert calls.trace[-4:] == ["unlink .rollup-state.json", "fsync metrics", "write b-0", "fdatasync b-0"]
    store.close()


def test_rollups_are_synced_before_they_are_seen(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    with counting(Calls()) as calls:
        store.publish()
    names = [step.removeprefix("replace ") for step in calls.trace if step.startswith("replace")]
    assert len(names) == 7
    *documents, state = names
    assert documents.index("baseline.json") < documents.index("mttr-delta.json")
    assert calls.trace == [  # all documents are written before the first waits for the disk
        *[step for name in reversed(documents) for step in (f"open {name}.tmp", f"write {name}.tmp")],
        *[step for name in documents for step in (f"fsync {name}.tmp", f"replace {name}")],
        *[f"{what} {state}.tmp" for what in ("open", "write", "fsync")],
        "replace .rollup-state.json",
    ]
    store.close()


def test_a_task_of_which_nothing_is_on_record_is_opened_with_five_syncs(tmp_path: Path) -> None:
    """Of the folders above what will be recorded, and of the two whose names recovery acts upon."""
    with counting(Calls()) as calls:
        store = open_store(tmp_path)
    synced = [step for step in calls.trace if "sync" in step]
    assert synced == [f"fsync {name}" for name in (tmp_path.name, ".runs", "task-1", "task-1", "metrics.pending")]
    assert not any(step.startswith("replace") and "rollup" in step for step in calls.trace)
    store.close()
