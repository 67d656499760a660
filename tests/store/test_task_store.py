"""Commit, rest, flush, close: what a caller may rely on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator_py.errors import DefectError, HistoryChangedError, StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.ports import HistoryStore
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.owner import SMALL_HISTORY_BYTES
from orchestrator_py.store.task_store import TaskStore
from tests.store.entries import assert_settled, entry, folded, open_store, pending, recorded, task_below, write_history
from tests.store.faults import COUNTS_SYNCS, Calls, counting, fail_at


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    return task_below(tmp_path)


def statuses(task: TaskLayout) -> dict[str, object]:
    document = json.loads(task.post_rollout.read_bytes())
    return {key: document[key] for key in ("total_runs", "succeeded_runs")}


def test_a_store_is_a_history_store_as_the_actors_want_it(tmp_path: Path) -> None:
    store: HistoryStore = open_store(tmp_path)
    store.close()


def test_committed_entries_are_durable_before_they_are_visible(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a"), entry("b")])
    assert recorded(task) == ["a", "b"]
    assert folded(task) == []
    store.rest()
    assert folded(task) == ["a", "b"]
    assert pending(task) == []
    store.close()
    assert_settled(task)


def test_a_commit_of_nothing_writes_nothing(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    with counting(Calls()) as calls:
        store.commit([])
        store.rest()
        store.publish()
    assert calls.count == 0
    store.close()


def test_flush_makes_everything_visible_now(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.flush()
    assert folded(task) == ["a"]
    assert_settled(task)
    store.close()


def test_publish_shows_the_rollups_and_leaves_the_journal_alone(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.publish()
    assert folded(task) == []
    assert statuses(task) == {"total_runs": 1, "succeeded_runs": 1}
    store.close()


def test_a_closed_store_refuses_and_a_second_close_does_nothing(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.close()
    store.close()
    with pytest.raises(StoreError, match="the store is closed"):
        store.commit([entry("b")])
    assert recorded(task) == ["a"]


@pytest.mark.parametrize("line", [b"", b"{}\n{}", b"#{}"])
def test_what_is_not_one_line_is_refused_and_harms_nothing(tmp_path: Path, task: TaskLayout, line: bytes) -> None:
    store = open_store(tmp_path)
    with pytest.raises(DefectError, match="run a: an entry must be one line"):
        store.commit([entry("b"), EntryLine(run_id=RunId("a"), line=line)])
    store.commit([entry("b")])
    assert recorded(task) == ["b"]
    store.close()


# The same run again ------------------------------------------------------------------------------------------------


def test_the_same_entry_again_is_acknowledged_without_writing(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.flush()
    with counting(Calls()) as calls:
        store.commit([entry("a"), entry("a", repeated=True)])
    assert calls.bytes_written == 0
    store.close()
    assert recorded(task) == ["a"]


def test_a_repeated_entry_is_found_in_the_history_of_an_earlier_owner(tmp_path: Path, task: TaskLayout) -> None:
    write_history(task, entry("a").line + b"\n" + entry("b").line + b"\n")
    store = open_store(tmp_path)
    store.commit([entry("a", repeated=True), entry("c", repeated=True)])
    store.close()
    assert recorded(task) == ["a", "b", "c"]
    assert_settled(task)


def test_repeated_entries_without_end_make_the_history_be_read_twice(tmp_path: Path, task: TaskLayout) -> None:
    """Once is what a resume costs; who repeats more often keeps what the second search has met."""
    write_history(task, b"".join(entry(f"run-{number}").line + b"\n" for number in range(20)))
    store = open_store(tmp_path)
    assert store._owner is not None
    searches: list[None] = []

    def read() -> Iterator[bytes]:
        searches.append(None)
        return read_history(task)

    store._owner.ledger._read_history = read
    for number in range(20):
        store.commit([entry(f"run-{number}", repeated=True), entry(f"new-{number}", repeated=True)])
    store.close()
    assert len(searches) == 2
    assert recorded(task) == [*(f"run-{number}" for number in range(20)), *(f"new-{number}" for number in range(20))]
    assert_settled(task)


@pytest.mark.parametrize("reopened", [False, True])
def test_another_outcome_supersedes_and_the_run_counts_once(tmp_path: Path, task: TaskLayout, reopened: bool) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a", status="failed"), entry("b")])
    store.rest()
    assert statuses(task) == {"total_runs": 2, "succeeded_runs": 1}
    if reopened:
        store.close()
        store = open_store(tmp_path)
    store.commit([entry("a", repeated=True)])
    store.publish()
    assert statuses(task) == {"total_runs": 2, "succeeded_runs": 2}
    store.commit([entry("c", status="failed")])
    store.close()
    assert statuses(task) == {"total_runs": 3, "succeeded_runs": 2}
    assert recorded(task) == ["a", "b", "a", "c"]
    assert_settled(task)


def test_a_superseding_entry_counts_once_even_if_its_owner_dies_before_it_publishes(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a", status="failed")])
    store.rest()
    store.commit([entry("a", repeated=True)])
    die(store)
    open_store(tmp_path).close()
    assert statuses(task) == {"total_runs": 1, "succeeded_runs": 1}


def die(store: TaskStore) -> None:
    """What the kernel does for a killed process."""
    assert store._owner is not None
    store._owner.abandon()


# Two stores on one task --------------------------------------------------------------------------------------------


def test_a_second_store_queues_and_the_owner_absorbs(tmp_path: Path, task: TaskLayout) -> None:
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    owner.commit([entry("a")])
    guest.commit([entry("b"), entry("c", repeated=True)])
    assert recorded(task) == ["a"]
    owner.rest()
    assert folded(task) == ["a", "b", "c"]
    assert pending(task) == []
    guest.close()
    owner.close()
    assert_settled(task)


def test_of_a_run_that_was_queued_and_then_recorded_by_the_owner_the_owner_has_the_last_word(tmp_path: Path, task: TaskLayout) -> None:
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    guest.commit([entry("nightly", status="failed", repeated=True)])
    owner.commit([entry("nightly", repeated=True)])
    guest.close()
    owner.close()
    assert statuses(task) == {"total_runs": 1, "succeeded_runs": 1}
    assert_settled(task)


def test_a_queued_entry_that_is_on_record_already_is_removed_and_not_written(tmp_path: Path, task: TaskLayout) -> None:
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    owner.commit([entry("a")])
    guest.commit([entry("a")])
    owner.close()
    guest.close()
    assert recorded(task) == ["a"]
    assert pending(task) == []


def test_a_guest_becomes_the_owner_when_the_lock_is_free(tmp_path: Path, task: TaskLayout) -> None:
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    owner.close()
    guest.commit([entry("a")])
    assert pending(task) == []
    assert recorded(task) == ["a"]
    guest.commit([entry("b")])
    guest.close()
    assert folded(task) == ["a", "b"]


def test_what_is_queued_while_the_owner_unlocks_is_not_left_behind(
    tmp_path: Path, task: TaskLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guest's file comes after the owner's absorbing, and its try for the lock before the owner's unlock."""
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    assert owner._owner is not None
    abandon = type(owner._owner).abandon
    late = [entry("late")]

    def queue_then_abandon(self: object) -> None:
        if late:
            guest.commit([late.pop()])
        assert owner._owner is not None
        abandon(owner._owner)

    monkeypatch.setattr(type(owner._owner), "abandon", queue_then_abandon)
    owner.close()
    monkeypatch.undo()
    guest.close()
    assert late == []
    assert folded(task) == ["late"]
    assert_settled(task)


# Failure -----------------------------------------------------------------------------------------------------------


@COUNTS_SYNCS
@pytest.mark.parametrize(
    ("failing", "first_batch"), [("open", True), ("write", True), ("fdatasync", True), ("write", False), ("fdatasync", False)]
)
def test_after_one_failed_append_the_batch_goes_once_more_into_a_new_segment(
    tmp_path: Path, task: TaskLayout, failing: str, first_batch: bool
) -> None:
    store = open_store(tmp_path)
    if not first_batch:
        store.commit([entry("a")])
    fault = fail_at(failing, times=1)
    with counting(fault):
        store.commit([entry("b")])
    assert fault.raised == 1
    assert recorded(task) == (["b"] if first_batch else ["a", "b"])
    assert folded(task) == ([] if first_batch else ["a"])
    assert pending(task) == [f"b-{task.metrics.stat().st_size if task.metrics.exists() else 0}"]
    store.close()
    assert_settled(task)


@COUNTS_SYNCS
def test_a_second_failure_stops_the_store_for_good_and_frees_the_lock(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    with counting(fail_at("fdatasync", times=2)), pytest.raises(StoreError) as first:
        store.commit([entry("b")])
    actions: list[Callable[[], None]] = [lambda: store.commit([entry("c")]), store.rest, store.publish, store.flush]
    for action in actions:
        with pytest.raises(StoreError) as again:
            action()
        assert again.value is first.value
    store.close()
    successor = open_store(tmp_path)
    successor.commit([entry("b", repeated=True)])
    successor.close()
    assert recorded(task) == ["a", "b"]


@COUNTS_SYNCS
def test_a_failed_sync_of_a_folder_is_final(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    with counting(fail_at("fsync", times=1)), pytest.raises(StoreError, match=r"metrics\.pending: cannot sync it"):
        store.commit([entry("a")])
    with pytest.raises(StoreError):
        store.rest()


def test_a_queue_file_that_cannot_be_removed_stops_the_store_and_is_not_counted_twice(tmp_path: Path, task: TaskLayout) -> None:
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    guest.commit([entry("a")])
    with counting(fail_at("unlink", times=1)), pytest.raises(StoreError, match="cannot remove it"):
        owner.rest()
    assert len(pending(task)) == 2, "the segment that names the file is still there"
    open_store(tmp_path).close()
    assert recorded(task) == ["a"]
    assert_settled(task)


def test_an_unwritable_folder_says_what_to_do(tmp_path: Path, task: TaskLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(number: int, name: str, arguments: tuple[object, ...]) -> None:
        if name in ("mkdir", "open"):
            raise PermissionError(13, "Permission denied")

    with counting(Calls(at_call=refuse)), pytest.raises(StoreError, match="Permission denied; give this user the right"):
        open_store(tmp_path)


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path, task: TaskLayout) -> None:
    task.folder.mkdir(parents=True)
    task.pending.touch()
    with pytest.raises(StoreError, match=r"metrics\.pending: is a file where a folder belongs"):
        open_store(tmp_path)


def test_a_link_in_place_of_the_history_is_refused_and_left_alone(tmp_path: Path, task: TaskLayout) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(entry("a").line + b"\n")
    task.folder.mkdir(parents=True)
    task.metrics.symlink_to(elsewhere)
    with pytest.raises(StoreError, match=r"metrics\.json: is a symbolic link"):
        open_store(tmp_path)
    assert task.metrics.is_symlink()


def test_a_folder_that_was_replaced_stops_the_owner(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    task.folder.rename(tmp_path / "moved")
    with pytest.raises(StoreError, match="cannot find the lock again"):
        store.commit([entry("a")])


def test_a_foreign_change_under_the_owner_is_named_and_nothing_is_lost(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.rest()
    store.commit([entry("b")])
    with task.metrics.open("ab") as foreign:
        foreign.write(entry("foreign").line + b"\n")
    with pytest.raises(HistoryChangedError, match=r"metrics\.json: was changed by another program.*metrics rebuild"):
        store.rest()
    assert folded(task) == ["a", "foreign"]
    assert [path.read_bytes().split(b"\n")[0] for path in task.pending.iterdir()] == [entry("b").line]


# The cost ----------------------------------------------------------------------------------------------------------


def cost_of_a_commit(root: Path, lines: int) -> tuple[int, int]:
    task = task_below(root)
    write_history(task, b"".join(entry(f"run-{number:07d}").line + b"\n" for number in range(lines)))
    store = open_store(root)
    store.commit([entry("first")])
    with counting(Calls()) as calls:
        for number in range(50):
            store.commit([entry(f"next-{number:07d}")])
    store.close()
    return calls.bytes_written, calls.count


@COUNTS_SYNCS
def test_bytes_and_calls_of_a_commit_do_not_grow_with_the_history(tmp_path: Path) -> None:
    few_bytes, few_calls = cost_of_a_commit(tmp_path / "few", 100)
    many_bytes, many_calls = cost_of_a_commit(tmp_path / "many", 20_000)
    assert many_calls == few_calls == 100
    assert many_bytes <= few_bytes * 1.05


def test_a_large_history_is_folded_only_when_the_journal_has_grown(tmp_path: Path, task: TaskLayout) -> None:
    share = SMALL_HISTORY_BYTES // 8
    write_history(task, b"".join(entry(str(number), padding=share).line + b"\n" for number in range(9)))
    store = open_store(tmp_path)
    assert store._owner is not None
    store._owner.history.cloned = False
    size = task.metrics.stat().st_size
    with counting(Calls()) as calls:
        store.commit([entry("small")])
        store.rest()
    assert calls.bytes_written < 10_000
    assert task.metrics.stat().st_size == size
    store.commit([entry("large", padding=share * 2)])
    store.rest()
    assert folded(task)[-2:] == ["small", "large"]
    store.close()
    assert_settled(task)
