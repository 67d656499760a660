"""Whatever happens to the bytes on disk: an audit does not break, and a rebuild leaves every run on record once."""

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py.core.history_lines import ending_of, endings_in
from orchestrator_py.ids import RunId
from orchestrator_py.store.audit import audit
from orchestrator_py.store.history import read_history
from orchestrator_py.store.journal import create_batch
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import enqueue
from orchestrator_py.store.rebuild import rebuild
from tests.store.broken import endings, settled, write_manifest
from tests.store.entries import entry, now, task_below

RUNS = ("a", "b", "c", "d", "e", "f")


@cache
def original() -> TemporaryDirectory[str]:
    """Two runs in the history, three in the journal, one in the queue; the manifests of all."""
    folder = TemporaryDirectory()
    task = settled(Path(folder.name), "a", "b")
    first = create_batch(start=task.metrics.stat().st_size, lines=entry("c").line + b"\n" + entry("d").line + b"\n")
    second = create_batch(start=first.end, lines=entry("e").line + b"\n")
    (task.pending / f"b-{first.start}").write_bytes(first.data + second.data)
    enqueue(task.pending, [entry("f")])
    for run_id in RUNS:
        write_manifest(task, run_id)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _removing_the_original() -> Iterator[None]:
    yield
    original().cleanup()
    original.cache_clear()


def damaged(content: bytes, way: str, start: int, size: int) -> bytes:
    """`start` in thousandths of the content."""
    start = start * len(content) // 1000
    part = content[start : start + size]
    match way:
        case "flip":
            return content[:start] + bytes(byte ^ 0x11 for byte in part) + content[start + size :]
        case "cut":
            return content[:start] + content[start + size :]
        case "truncate":
            return content[:start]
        case "repeat":
            return content[: start + size] + content[start:]
        case "insert":
            return content[:start] + b"\n#\x00\xff{" * size + content[start:]
        case _:
            raise AssertionError(way)


def contradicted(task: TaskLayout) -> set[str]:
    """The manifests that tell of another end than their entries."""
    recorded = endings_in(read_history(task))
    manifests = {run_id: task.cli_run(RunId(run_id)).manifest for run_id in RUNS}
    return {
        task.layout.relative(path) for run_id, path in manifests.items() if ending_of(json.loads(path.read_bytes())) != recorded[run_id]
    }


@given(
    where=st.sampled_from(["metrics.json", "metrics.pending/b-*", "metrics.pending/*.jsonl", "metrics/*.json", "metrics/.*.json"]),
    way=st.sampled_from(["flip", "cut", "truncate", "repeat", "insert"]),
    start=st.integers(0, 1000),
    size=st.sampled_from([1, 2, 9, 300]),
)
@settings(max_examples=150)
def test_a_rebuild_leaves_every_run_on_record_once_and_everything_equal(where: str, way: str, start: int, size: int) -> None:
    """But for an entry that was changed into that of another end: nobody can know that it is damaged, and it contradicts the manifest."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        shutil.copytree(original().name, root)
        task = task_below(root)
        for path in task.folder.glob(where):
            path.write_bytes(damaged(path.read_bytes(), way, start, size))
        audit(task)
        rebuild(task, now)
        assert set(RUNS) <= set(endings(task))
        assert {finding.path for finding in audit(task).findings} == contradicted(task)
