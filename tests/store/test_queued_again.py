"""Queue files whose entries stand in the history already: what another program or a person puts there counts once."""

from pathlib import Path

import pytest

from orchestrator_py.store.audit import audit
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import enqueue, list_queue
from orchestrator_py.store.rebuild import rebuild
from tests.store.entries import assert_settled, entry, folded, now, open_store, recorded, task_below, write_history
from tests.store.faults import COUNTS_SYNCS, Calls, counting

FOREIGN = ["x.jsonl", "run_1-1766325767637-0f2c.jsonl", f"{7:020d}-copy.jsonl", f"{7:020d}-{'0' * 32}.repeated.jsonl"]


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """Two runs in the history of an owner who is gone."""
    task = task_below(tmp_path)
    write_history(task, entry("a").line + b"\n" + entry("b").line + b"\n")
    open_store(tmp_path).close()
    return task


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_with_an_entry_of_the_history_adds_nothing_and_goes(tmp_path: Path, task: TaskLayout, name: str) -> None:
    (task.pending / name).write_bytes(entry("a").line + b"\n" + entry("c").line + b"\n")
    open_store(tmp_path).close()
    assert folded(task) == ["a", "b", "c"]
    assert list_queue(task.pending) == []
    assert_settled(task)


def test_a_foreign_file_with_another_outcome_supersedes_and_the_run_counts_once(tmp_path: Path, task: TaskLayout) -> None:
    (task.pending / "x.jsonl").write_bytes(entry("a", status="failed").line + b"\n")
    open_store(tmp_path).close()
    assert folded(task) == ["a", "b", "a"]
    assert_settled(task)


def test_our_own_queue_files_are_trusted_and_make_nobody_search_the_history(tmp_path: Path, task: TaskLayout) -> None:
    """128 random bits, and the commit line that names the file until it is durably gone: no crash brings one back."""
    store, guest = open_store(tmp_path), open_store(tmp_path)
    guest.commit([entry("c")])
    assert store._owner is not None
    store._owner.ledger._read_history = lambda: pytest.fail("the history was searched")
    store.rest()
    guest.close()
    store.close()
    assert folded(task) == ["a", "b", "c"]


def test_our_own_file_that_a_person_puts_back_stands_there_twice_and_a_rebuild_merges(tmp_path: Path, task: TaskLayout) -> None:
    """Searching for each of them would cost the whole history; an audit tells."""
    enqueue(task.pending, [entry("a")])
    open_store(tmp_path).close()
    assert recorded(task) == ["a", "b", "a"]
    assert [finding.problem for finding in audit(task).findings if finding.line] == ["the entry of run a stands there already"]
    rebuild(task, now)
    assert recorded(task) == ["a", "b"]
    assert audit(task).findings == ()


@COUNTS_SYNCS
def test_a_file_put_back_while_its_batch_is_still_in_the_journal_is_removed(tmp_path: Path, task: TaskLayout) -> None:
    store, guest = open_store(tmp_path), open_store(tmp_path)
    guest.commit([entry("c")])
    (name,) = list_queue(task.pending)
    content = (task.pending / name).read_bytes()
    store.publish()
    assert store._owner is not None
    (task.pending / name).write_bytes(content)
    with counting(Calls()) as calls:
        store.publish()
    assert calls.bytes_written == 0
    guest.close()
    store.close()
    assert folded(task) == ["a", "b", "c"]
