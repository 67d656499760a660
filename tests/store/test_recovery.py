"""What an earlier process left behind, whatever stopped it."""

from pathlib import Path

import pytest

from orchestrator_py.errors import HistoryChangedError, StoreError
from orchestrator_py.store.journal import create_batch
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import enqueue, list_queue
from tests.store.entries import all_files, assert_settled, entry, folded, open_store, pending, recorded, task_below, write_history
from tests.store.faults import COUNTS_SYNCS, Calls, counting

A, B, C = (entry(name).line + b"\n" for name in "abc")


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """The folders and lock of a task whose owner is gone."""
    open_store(tmp_path).close()
    return task_below(tmp_path)


def test_a_torn_tail_was_never_acknowledged(tmp_path: Path, task: TaskLayout) -> None:
    first, second = create_batch(start=0, lines=A), create_batch(start=len(A), lines=B)
    (task.pending / "b-0").write_bytes(first.data + second.data[:-9])
    store = open_store(tmp_path)
    store.commit([entry("c")])
    store.close()
    assert folded(task) == ["a", "c"]
    assert_settled(task)


def test_a_segment_without_a_whole_batch_is_removed(tmp_path: Path, task: TaskLayout) -> None:
    (task.pending / "b-0").write_bytes(create_batch(start=0, lines=A).data[:-1])
    store = open_store(tmp_path)
    assert pending(task) == []
    store.commit([entry("b")])
    store.close()
    assert folded(task) == ["b"]


def test_a_segment_that_is_folded_already_is_dropped(tmp_path: Path, task: TaskLayout) -> None:
    write_history(task, A + B)
    (task.pending / "b-0").write_bytes(create_batch(start=0, lines=A).data + create_batch(start=len(A), lines=B).data)
    open_store(tmp_path).close()
    assert folded(task) == ["a", "b"]
    assert pending(task) == []


def test_what_follows_a_folded_batch_in_its_segment_is_kept(tmp_path: Path, task: TaskLayout) -> None:
    """The owner was killed between the fold after a failed append and the removal of the segment."""
    write_history(task, A)
    (task.pending / "b-0").write_bytes(create_batch(start=0, lines=A).data + create_batch(start=len(A), lines=B).data)
    store = open_store(tmp_path)
    store.commit([entry("c")])
    store.close()
    assert folded(task) == ["a", "b", "c"]
    assert_settled(task)


@COUNTS_SYNCS
def test_the_last_batch_is_written_and_synced_again_before_anything_is_removed(tmp_path: Path, task: TaskLayout) -> None:
    first, second = create_batch(start=0, lines=A, absorbed=("old.jsonl",)), create_batch(start=len(A), lines=B)
    (task.pending / "old.jsonl").write_bytes(A)
    (task.pending / "b-0").write_bytes(first.data + second.data)
    calls: list[tuple[str, object]] = []
    with counting(Calls(at_call=lambda _, name, arguments: calls.append((name, arguments[-1])))):
        store = open_store(tmp_path)
    names = [name for name, _ in calls]
    start = names.index("write")
    assert names[start : start + 4] == ["write", "fdatasync", "unlink", "fsync"]
    assert bytes(calls[start][1]) == second.data  # type: ignore[call-overload]  # the arguments of os.write
    assert calls[start + 2][1] == task.pending / "old.jsonl"
    store.close()
    assert folded(task) == ["a", "b"]


def test_queue_files_that_a_batch_names_are_removed_and_not_absorbed_again(tmp_path: Path, task: TaskLayout) -> None:
    enqueue(task.pending, [entry("a")])
    enqueue(task.pending, [entry("b")])
    first, _ = list_queue(task.pending)
    (task.pending / "b-0").write_bytes(create_batch(start=0, lines=A, absorbed=(first,)).data)
    open_store(tmp_path).close()
    assert folded(task) == ["a", "b"]
    assert_settled(task)


@pytest.mark.parametrize(
    ("history", "start", "lines"),
    [(A, 0, B), (B, 0, A), (A, len(A) + 1, B), (A + B[:-1], len(A + B) - 1, C), (b"", len(A), B)],
    ids=["start inside", "other bytes", "gap", "newline cut off", "history gone"],
)
def test_a_history_that_the_journal_does_not_continue_stops_everything_untouched(
    tmp_path: Path, task: TaskLayout, history: bytes, start: int, lines: bytes
) -> None:
    write_history(task, history)
    enqueue(task.pending, [entry("queued")])
    (task.pending / f"b-{start}").write_bytes(create_batch(start=start, lines=lines + C).data)
    before = all_files(tmp_path)
    with pytest.raises(HistoryChangedError, match=r"metrics\.json: was changed by another program.*rebuild"):
        open_store(tmp_path)
    assert all_files(tmp_path) == before


def test_a_history_without_a_last_newline_gets_one_when_it_is_opened(tmp_path: Path, task: TaskLayout) -> None:
    write_history(task, A + B[:-1])
    store = open_store(tmp_path)
    assert task.metrics.read_bytes() == A + B
    store.commit([entry("c")])
    store.close()
    assert folded(task) == ["a", "b", "c"]
    assert_settled(task)


def test_a_history_of_the_reference_implementation_is_adopted_as_it_is(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    content = A + b"no json\n" + b'{"run_id":"\xe2\x80\xa8"}\r\n' + B
    write_history(task, content)
    store = open_store(tmp_path)
    assert task.metrics.read_bytes() == content
    store.commit([entry("c")])
    store.close()
    assert task.metrics.read_bytes() == content + C
    assert_settled(task)


def test_own_temp_files_are_removed_and_an_enqueuers_are_left(tmp_path: Path, task: TaskLayout) -> None:
    own = [task.folder / "metrics.json.tmp-1-2-3", task.rollups / "baseline.json.tmp-1-2-3", task.out / "state.json.tmp-1-2-3"]
    others = [task.pending / "1-a.jsonl.tmp-1-2-3", task.folder / "metrics.json.backup"]
    for path in own + others:
        path.write_bytes(b"half")
    open_store(tmp_path).close()
    assert [path for path in own + others if path.exists()] == others


def test_recovery_twice_changes_nothing(tmp_path: Path, task: TaskLayout) -> None:
    write_history(task, A)
    enqueue(task.pending, [entry("c")])
    (task.pending / f"b-{len(A)}").write_bytes(create_batch(start=len(A), lines=B).data + b"{torn")
    open_store(tmp_path).close()
    once = all_files(tmp_path)
    open_store(tmp_path).close()
    assert all_files(tmp_path) == once
    assert recorded(task) == ["a", "b", "c"]


def test_a_link_in_the_queue_is_refused_by_name(tmp_path: Path, task: TaskLayout) -> None:
    (task.pending / "x.jsonl").symlink_to(task.metrics)
    with pytest.raises(StoreError, match=r"x\.jsonl: is a symbolic link"):
        open_store(tmp_path)


def test_missing_folders_are_made_again(tmp_path: Path, task: TaskLayout) -> None:
    write_history(task, A)
    task.rollups.rmdir()
    open_store(tmp_path).close()
    assert_settled(task)
    assert task.baseline.exists()
