"""An audit names what is wrong, says nothing where nothing is, and changes nothing."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store.audit import Audit, audit
from orchestrator_py.store.journal import create_batch
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import enqueue
from orchestrator_py.store.rebuild import rebuild
from tests.store.broken import WAYS, A, B, broken, endings, settled, write_manifest
from tests.store.entries import NOW, all_files, entry, now, open_store, task_below


def found(task: TaskLayout) -> list[str]:
    return [str(finding) for finding in audit(task).findings]


EARLIER = "2025-12-20T14:02:47.637Z"


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    return settled(tmp_path, "a", "b")


def test_a_task_in_order_has_no_findings(tmp_path: Path, task: TaskLayout) -> None:
    write_manifest(task, "a")
    write_manifest(task, "running", status="in_progress", metrics_recorded=False)
    assert audit(task) == Audit(findings=())
    store = open_store(tmp_path)
    store.commit([entry("c", status="failed")])
    store.commit([entry("c", repeated=True)])
    store.publish()
    assert found(task) == [], "an owner at work, with entries in its journal, one of which superseded another"
    store.close()
    assert found(task) == []


def test_a_task_without_a_history_has_no_findings(tmp_path: Path) -> None:
    assert found(task_below(tmp_path)) == []
    assert found(settled(tmp_path)) == []


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_changed(tmp_path: Path, way: str) -> None:
    broken(tmp_path, way)
    before = {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in tmp_path.rglob("*")}
    content = all_files(tmp_path)
    assert audit(task_below(tmp_path)).findings != ()
    assert all_files(tmp_path) == content
    assert {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in tmp_path.rglob("*")} == before


Breaker = Callable[[TaskLayout], object]


def appends(content: bytes) -> Breaker:
    return lambda task: task.metrics.write_bytes(task.metrics.read_bytes() + content)


def queues(task: TaskLayout) -> None:
    enqueue(task.pending, [entry("q")])


def absorbed(task: TaskLayout) -> None:
    size = task.metrics.stat().st_size
    (task.pending / "x.jsonl").write_bytes(entry("q").line + b"\n")
    (task.pending / f"b-{size}").write_bytes(create_batch(start=size, lines=entry("q").line + b"\n", absorbed=("x.jsonl",)).data)


def edits_total(task: TaskLayout) -> None:
    document = json.loads(task.post_rollout.read_bytes())
    task.post_rollout.write_text(json.dumps({**document, "total_runs": 9}))


def unseals(task: TaskLayout) -> None:
    task.rollup_state.write_bytes(task.rollup_state.read_bytes().replace(b'"runs":2', b'"runs":3'))


@pytest.mark.parametrize(
    ("damage", "place", "problem"),
    [
        (appends(b"no json\n"), "metrics.json:3", "cannot be read and does not count: it is not JSON"),
        (appends(b'{"a":NaN}\n'), "metrics.json:3", "JSON has no NaN"),
        (appends(b'{"a":"\xff"}\n'), "metrics.json:3", "it is not UTF-8"),
        (appends(b"[" * 300 + b"\n"), "metrics.json:3", "nested deeper"),
        (appends(A), "metrics.json:3", "the entry of run a stands there already"),
        (appends(A[:-1]), "metrics.json", "its last line has no newline"),
        (appends(b""), "metrics/.rollup-state.json", "another program changed it"),
        (queues, "metrics.pending/*.jsonl", "1 entries wait in the queue"),
        (absorbed, "metrics.pending/x.jsonl", "the journal holds its entries already"),
        (lambda task: (task.pending / "b-0").write_bytes(create_batch(start=0, lines=A).data), "metrics.pending/b-0", "all of it stands"),
        (lambda task: (task.pending / "b-0").write_bytes(create_batch(start=0, lines=B).data), "metrics.pending/b-0", "goes on at byte 0"),
        (lambda task: (task.pending / "b-9").write_bytes(b"{}\n"), "metrics.pending/b-9:1", "3 bytes after its last whole batch"),
        (lambda task: (task.pending / "notes.txt").write_bytes(b""), "metrics.pending/notes.txt", "neither"),
        (lambda task: (task.rollups / "baseline.json.tmp-1-2-3").write_bytes(b""), "metrics/baseline.json.tmp-1-2-3", "left this behind"),
        (edits_total, "metrics/post-rollout.json", "total_runs is 9, not 2"),
        (lambda task: task.completeness.unlink(), "metrics/completeness.json", "it is missing"),
        (lambda task: task.per_epoch.write_bytes(b"{"), "metrics/per-epoch.json", "it is not JSON"),
        (lambda task: task.baseline.write_bytes(b"{"), "metrics/baseline.json", "it is not JSON"),
        (unseals, "metrics/.rollup-state.json", "checksum"),
        (lambda task: write_manifest(task, "lost"), "cli/lost/manifest.json", "metrics_recorded is true, and no entry"),
        (lambda task: write_manifest(task, "lost", metrics_recorded=False), "cli/lost/manifest.json", "is false, and no entry"),
        (lambda task: write_manifest(task, "a", metrics_recorded=False), "cli/a/manifest.json", "but the run's entry is"),
        (lambda task: write_manifest(task, "a", completed_at=EARLIER), "cli/a/manifest.json", "the run's entry says succeeded"),
        (lambda task: write_manifest(task, "a", completed_at=None), "cli/a/manifest.json", "ended as succeeded (no completed_at)"),
        (
            lambda task: write_manifest(task, "a", completed_at=None, metrics_recorded=False),
            "cli/a/manifest.json",
            "the run has ended again",
        ),
        (lambda task: write_manifest(task, "a", status="in_progress"), "cli/a/manifest.json", "status is 'in_progress', but"),
        (lambda task: write_manifest(task, "a").write_bytes(b"{"), "cli/a/manifest.json", "it is not JSON"),
        (lambda task: write_manifest(task, "a").unlink(), "cli/a/manifest.json", "it is missing"),
    ],
)
def test_each_fault_is_found_with_its_place_and_a_remedy(task: TaskLayout, damage: Breaker, place: str, problem: str) -> None:
    damage(task)
    prefix, _, rest = place.partition("*")
    told = [text for text in found(task) if text.startswith(f".runs/task-1/{prefix}") and rest in text and problem in text]
    assert len(told) == 1, found(task)
    assert told[0].rpartition("; ")[2] != ""


@pytest.mark.parametrize("right", ["manifest", "entry"])
@pytest.mark.parametrize(("says", "recorded"), [("succeeded", "failed"), ("failed", "succeeded"), ("cancelled", "failed")])
def test_a_manifest_and_an_entry_that_contradict_each_other_are_both_named_and_the_remedy_mends_it(
    tmp_path: Path, says: str, recorded: str, right: str
) -> None:
    """Either may be of an earlier end: put back from a copy, perhaps."""
    store = open_store(tmp_path)
    store.commit([entry("a", status=recorded)])
    store.close()
    task = task_below(tmp_path)
    path = write_manifest(task, "a", status=says)
    assert rebuild(task, now).restored == 0, "nobody knows which one is right"
    (told,) = found(task)
    assert f"the run ended as {says} (completed_at {NOW}), and that this was recorded; the run's entry says {recorded} " in told
    if right == "manifest":
        assert "set its metrics_recorded to false, and `orchestrator-py metrics rebuild` records it" in told
        write_manifest(task, "a", status=says, metrics_recorded=False)
        rebuild(task, now)
    else:
        assert "move the run's folder away" in told
        shutil.move(path.parent, tmp_path)
    assert endings(task) == {"a": says if right == "manifest" else recorded}
    assert found(task) == []


def test_a_history_that_was_swapped_under_the_rollups_is_found(tmp_path: Path, task: TaskLayout) -> None:
    """The same totals, another file."""
    copy = tmp_path / "copy"
    shutil.copy(task.metrics, copy)
    os.replace(copy, task.metrics)
    assert [text for text in found(task) if "metrics.json is not the file that the rollups were made from" in text]


def test_a_killed_owner_that_had_not_published_is_found_and_mended_by_the_next_one(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("c")])
    assert store._owner is not None
    store._owner.abandon()
    assert any("total_runs is 2, not 3" in text for text in found(task))
    open_store(tmp_path).close()
    assert found(task) == []


@pytest.mark.parametrize("path", ["metrics.json", "metrics.pending/b-0", "metrics.pending", "cli"])
def test_what_cannot_be_read_at_all_is_an_error_that_names_it(task: TaskLayout, path: str) -> None:
    strange = task.folder / path
    if strange.is_dir():
        shutil.rmtree(strange)
    strange.unlink(missing_ok=True)
    os.mkfifo(strange)
    with pytest.raises(StoreError, match=rf"{path}: is a FIFO where a (file|folder) belongs; move it away"):
        audit(task)


@pytest.mark.parametrize(
    "path", ["metrics/baseline.json", "metrics/post-rollout.json", "metrics/.rollup-state.json", "metrics.pending/x.jsonl"]
)
def test_a_fifo_in_place_of_anything_else_is_a_finding(task: TaskLayout, path: str) -> None:
    (task.folder / path).unlink(missing_ok=True)
    os.mkfifo(task.folder / path)
    assert [text for text in found(task) if text.startswith(f".runs/task-1/{path}: is a FIFO where a file belongs; move it away")]


def test_what_only_one_of_two_audits_found_was_work_in_progress(task: TaskLayout) -> None:
    write_manifest(task, "lost")
    earlier = audit(task)
    queues(task)
    later = audit(task)
    assert len(later.findings) > len(earlier.findings) == 1
    assert earlier.lasting(later).findings == later.lasting(earlier).findings == earlier.findings
