"""The store in memory keeps the rules of the one on disk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.errors import StoreError
from orchestrator_py.ports import HistoryStore
from orchestrator_py.store.history import read_history
from orchestrator_py.store.memory import MemoryTaskStore
from tests.store.entries import NOW, entry, open_store, task_below
from tests.store.faults import Calls, counting

RUNS = st.tuples(st.sampled_from("abc"), st.sampled_from(["succeeded", "failed"]), st.booleans())


@given(st.lists(st.lists(RUNS, max_size=3), max_size=4))
def test_it_records_what_the_store_on_disk_records(
    tmp_path_factory: pytest.TempPathFactory, commits: list[list[tuple[str, str, bool]]]
) -> None:
    root = tmp_path_factory.mktemp("task")
    memory = MemoryTaskStore()
    with counting(Calls(sync=False)):
        disk = open_store(root)
        for runs in commits:
            entries = [entry(run, status=status, repeated=repeated) for run, status, repeated in runs]
            memory.commit(entries)
            disk.commit(entries)
        disk.close()
    assert memory.lines == list(read_history(task_below(root)))


def test_it_can_say_its_rollups() -> None:
    store = MemoryTaskStore()
    store.commit([entry("a", status="failed"), entry("b")])
    store.commit([entry("a", repeated=True)])
    document = store.rollups(NOW).post_rollout
    assert document is not None
    assert (document.total_runs, document.succeeded_runs) == (2, 2)


def test_it_is_a_history_store_and_refuses_after_its_close(tmp_path: Path) -> None:
    store: HistoryStore = MemoryTaskStore()
    store.rest()
    store.flush()
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.commit([entry("a")])
