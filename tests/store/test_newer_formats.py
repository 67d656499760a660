"""Files of a newer version of the package: a clear error names them and the remedy, and nobody rewrites or drops them."""

import json
import zlib
from pathlib import Path

import pytest

from orchestrator_py.errors import DecodeError, StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.store.audit import audit
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.live_runs import begin_live_run
from orchestrator_py.store.lost_runs import complete_lost_runs
from orchestrator_py.store.manifest_file import read_manifest
from orchestrator_py.store.overview import read_overview
from orchestrator_py.store.prune import find_candidates
from orchestrator_py.store.rebuild import rebuild
from orchestrator_py.store.rollup_files import _seal
from tests.store.broken import settled, write_manifest
from tests.store.entries import all_files, entry, now, open_store, recorded

NEWER_STATE = r"it is of a newer format \(3; this version of orchestrator-py knows 2\) and was left as it is; upgrade orchestrator-py"
NEWER = r"it is of a newer format \(2; this version of orchestrator-py knows 1\) and was left as it is; upgrade orchestrator-py"


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """Two runs on record, with their manifests."""
    task = settled(tmp_path, "a", "b")
    for run_id in "ab":
        write_manifest(task, run_id)
    return task


def test_a_newer_rollup_state_is_refused_by_an_open_and_set_aside_by_a_rebuild(tmp_path: Path, task: TaskLayout) -> None:
    state = json.loads(task.rollup_state.read_bytes())["state"]
    task.rollup_state.write_bytes(_seal({**state, "rollup": {**state["rollup"], "version": 3, "more": []}}))
    before = all_files(tmp_path)
    with pytest.raises(StoreError, match=rf"\.rollup-state\.json: {NEWER_STATE}"):
        open_store(tmp_path)
    assert all_files(tmp_path) == before
    assert read_overview(task).rollups.post_rollout is not None, "readers need no state"
    content = task.rollup_state.read_bytes()
    (aside,) = rebuild(task, now).set_aside
    assert aside.read_bytes() == content
    open_store(tmp_path).close()
    assert audit(task).findings == ()


def newer_batch(start: int, lines: bytes) -> bytes:
    text = json.dumps({"version": 2, "at": start, "bytes": len(lines)}).encode()
    return lines + b"#%08x %b\n" % (zlib.crc32(text, zlib.crc32(lines)), text)


def test_a_newer_batch_of_the_journal_is_refused_by_an_open_and_by_a_rebuild(tmp_path: Path, task: TaskLayout) -> None:
    size = task.metrics.stat().st_size
    segment = task.pending / f"b-{size}"
    segment.write_bytes(newer_batch(size, entry("c").line + b"\n"))
    before = all_files(tmp_path)
    with pytest.raises(StoreError, match=rf"b-{size}: {NEWER}"):
        open_store(tmp_path)
    with pytest.raises(StoreError, match=NEWER):
        rebuild(task, now)
    assert all_files(tmp_path) == before


@pytest.fixture
def newer_manifest(task: TaskLayout) -> Path:
    path = task.cli_run(RunId("b")).manifest
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({**document, "version": 2, "metrics_recorded": False, "status": document["status"]}))
    return path


def test_a_newer_manifest_cannot_be_resumed_and_says_why(task: TaskLayout, newer_manifest: Path) -> None:
    with pytest.raises(DecodeError, match=rf"manifest\.json: {NEWER}"):
        read_manifest(task, RunId("b"))


def test_a_newer_manifest_is_told_and_survives_a_rebuild_and_a_prune(task: TaskLayout, newer_manifest: Path) -> None:
    content = newer_manifest.read_bytes()
    rebuild(task, now)
    assert newer_manifest.read_bytes() == content
    assert recorded(task) == ["a", "b"]
    assert any("of a newer format" in finding.problem for finding in audit(task).findings)
    assert "b" not in [run.run_id for run in find_candidates(task).finished]


def test_a_lost_run_with_a_newer_manifest_waits_for_a_version_that_understands_it(
    tmp_path: Path, task: TaskLayout, newer_manifest: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin_live_run(task, RunId("b")).release()
    content = newer_manifest.read_bytes()
    store = open_store(tmp_path)
    assert complete_lost_runs(task, store, now) == ()
    store.close()
    assert newer_manifest.read_bytes() == content
    assert (task.live_runs / "b").exists()
    assert "upgrade orchestrator-py" in caplog.text
