"""Publication of the rollups, and the state that is trusted only if nothing differs."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator_py.core.rollup import Rollup, rollup_of_history
from orchestrator_py.errors import StoreError
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store import rollup_files
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.ledger import UNKNOWN_RUN
from orchestrator_py.store.task_store import open_task_store
from tests.store.entries import TASK, assert_settled, entry, now, open_store, task_below, write_history
from tests.store.faults import Calls, counting

A, B = (entry(name).line + b"\n" for name in "ab")


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    return task_below(tmp_path)


@pytest.fixture
def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever the rollups are made from the whole history."""
    found: list[str] = []

    def noted(lines: Iterable[bytes]) -> Rollup:
        found.append("rebuilt")
        return rollup_of_history(lines)

    monkeypatch.setattr(rollup_files, "rollup_of_history", noted)
    return found


def test_documents_are_published_first_the_state_last_and_the_baseline_before_what_is_measured_against_it(
    tmp_path: Path, task: TaskLayout
) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    replaced: list[Path] = []
    with counting(Calls(at_call=lambda _, name, arguments: replaced.append(arguments[1]) if name == "replace" else None)):
        store.publish()
    assert replaced == [
        task.baseline,
        task.post_rollout,
        task.completeness,
        task.per_epoch,
        task.mttr_delta,
        task.state,
        task.rollup_state,
    ]
    store.close()


def test_documents_are_pretty_and_end_with_one_newline(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.close()
    assert task.baseline.read_text() == (
        '{\n  "run_id": "a",\n  "recorded_at": "2025-12-21T14:02:47.637Z",\n  "status": "succeeded",\n'
        '  "duration_seconds": 1.25,\n  "completion_rate": 1\n}\n'
    )


def test_without_an_entry_there_is_no_document(tmp_path: Path, task: TaskLayout) -> None:
    open_store(tmp_path).close()
    assert not task.baseline.exists()
    assert not task.state.exists()


def test_a_baseline_on_record_is_never_replaced(tmp_path: Path, task: TaskLayout) -> None:
    task.rollups.mkdir(parents=True)
    task.baseline.write_bytes(b'{"run_id": "long ago", "duration_seconds": 5}\n')
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.close()
    assert json.loads(task.baseline.read_bytes())["run_id"] == "long ago"
    assert json.loads(task.mttr_delta.read_bytes())["baseline_mttr_seconds"] == 5


@pytest.mark.parametrize("odd", [b"[]", b'"text"', b"7", b"{}", b'{"duration_seconds": "5"}'])
def test_a_baseline_on_record_of_another_shape_stays_and_the_current_mean_stands_in(tmp_path: Path, task: TaskLayout, odd: bytes) -> None:
    task.rollups.mkdir(parents=True)
    task.baseline.write_bytes(odd)
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.close()
    assert task.baseline.read_bytes() == odd
    assert json.loads(task.mttr_delta.read_bytes())["baseline_mttr_seconds"] == 1.25


def test_a_baseline_that_cannot_be_read_is_made_again(tmp_path: Path, task: TaskLayout) -> None:
    task.rollups.mkdir(parents=True)
    task.baseline.write_bytes(b'{"run_id": "lo')
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.close()
    assert json.loads(task.baseline.read_bytes())["run_id"] == "a"


@pytest.mark.parametrize("name", ["mttr-delta.json", "state.json"])
def test_an_owner_in_another_runs_folder_with_the_same_out_stops_nobody_who_publishes_there(
    tmp_path: Path, task: TaskLayout, name: str
) -> None:
    """To be sure that nothing is left of a dead owner's, each sweeps temp files that may be the other's."""
    other = Layout.below(tmp_path, runs_dir=Path("other-runs"))
    waiting = [name]

    def at_call(_: int, call: str, arguments: tuple[Any, ...]) -> None:
        if call == "replace" and [arguments[1].name] == waiting:
            waiting.clear()
            open_task_store(other, TASK, now=now).close()
            assert not arguments[0].exists()

    store = open_store(tmp_path)
    store.commit([entry("a")])
    with counting(Calls(at_call=at_call)):
        store.close()
    assert waiting == []
    assert_settled(task)
    assert list(task.layout.out_root.rglob("*.tmp-*")) == []


def test_an_out_folder_that_is_gone_is_named_with_the_remedy(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    shutil.rmtree(task.out)
    with pytest.raises(StoreError, match=r"(mttr-delta|state)\.json: cannot replace it: No such file or directory; put the folder back"):
        store.close()


def test_nothing_new_is_not_published_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.rest()
    with counting(Calls()) as calls:
        store.rest()
        store.publish()
    assert calls.count == 0
    store.close()


def test_the_next_owner_publishes_nothing_if_nothing_is_new(tmp_path: Path, task: TaskLayout) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a"), entry("b")])
    store.close()
    before = {path: path.stat().st_ino for path in task.rollups.iterdir()}
    open_store(tmp_path).close()
    assert {path: path.stat().st_ino for path in task.rollups.iterdir()} == before


@pytest.mark.parametrize("change", ["missing", "edited"])
@pytest.mark.parametrize("name", ["completeness", "mttr_delta", "state", "post_rollout"])
def test_the_next_owner_publishes_what_somebody_has_changed(tmp_path: Path, task: TaskLayout, name: str, change: str) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a"), entry("b")])
    store.close()
    path: Path = getattr(task, name)
    if change == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"1", b"7").replace(b"2", b"9"))
    open_store(tmp_path).close()
    assert_settled(task)


def test_the_next_owner_goes_on_from_the_state(tmp_path: Path, task: TaskLayout, rebuilds: list[str]) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.close()
    rebuilds.clear()
    for name in "bc":
        store = open_store(tmp_path)
        store.commit([entry(name)])
        store.close()
        assert_settled(task)
    assert rebuilds == []


def test_a_state_that_is_behind_gets_the_tail(tmp_path: Path, task: TaskLayout, rebuilds: list[str]) -> None:
    store = open_store(tmp_path)
    store.commit([entry("a")])
    store.publish()
    store.commit([entry("b"), entry("c")])
    assert store._owner is not None
    store._owner.abandon()
    rebuilds.clear()
    open_store(tmp_path).close()
    assert rebuilds == []
    assert_settled(task)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("difference", ["gone", "empty", "flipped", "torn", "appended", "rewritten", "touched"])
def test_any_difference_rebuilds(tmp_path: Path, task: TaskLayout, rebuilds: list[str], difference: str) -> None:
    write_history(task, A + B)
    open_store(tmp_path).close()
    rebuilds.clear()
    match difference:
        case "gone":
            task.rollup_state.unlink()
        case "empty":
            task.rollup_state.write_bytes(b"")
        case "flipped":
            flip(task.rollup_state, 60)
        case "torn":
            task.rollup_state.write_bytes(task.rollup_state.read_bytes()[:-10])
        case "appended":
            with task.metrics.open("ab") as foreign:
                foreign.write(entry("c").line + b"\n")
        case "rewritten":
            other = task.folder / "other"
            other.write_bytes(B + A)
            other.replace(task.metrics)
        case "touched":
            os.utime(task.metrics, (1, 1))
    open_store(tmp_path).close()
    assert rebuilds == ["rebuilt"]
    assert_settled(task)


def test_an_entry_with_an_empty_name_counts_the_same_however_often_the_task_is_opened(tmp_path: Path, task: TaskLayout) -> None:
    first, second, third = (b'{"run_id":"","status":"succeeded","duration_seconds":%d}' % seconds for seconds in (1, 2, 3))
    write_history(task, first + b"\n" + second + b"\n")
    open_store(tmp_path).close()
    store = open_store(tmp_path)
    store.commit([EntryLine(run_id=UNKNOWN_RUN, line=third)])
    store.close()
    assert_settled(task)
    assert json.loads(task.post_rollout.read_bytes())["total_runs"] == 3
    task.rollup_state.unlink()
    open_store(tmp_path).close()
    assert json.loads(task.post_rollout.read_bytes())["total_runs"] == 3
    assert_settled(task)


def test_a_state_whose_totals_were_made_by_an_earlier_rule_is_made_again(tmp_path: Path, task: TaskLayout, rebuilds: list[str]) -> None:
    write_history(task, A + B)
    open_store(tmp_path).close()
    state = json.loads(task.rollup_state.read_bytes())["state"]
    task.rollup_state.write_bytes(rollup_files._seal({**state, "rollup": {**state["rollup"], "version": 1}}))
    rebuilds.clear()
    open_store(tmp_path).close()
    assert rebuilds == ["rebuilt"]
    assert_settled(task)


def test_a_state_that_does_not_end_behind_a_newline_is_not_trusted(tmp_path: Path, task: TaskLayout, rebuilds: list[str]) -> None:
    write_history(task, A + B)
    open_store(tmp_path).close()
    state = json.loads(task.rollup_state.read_bytes())["state"]
    task.rollup_state.write_bytes(rollup_files._seal({**state, "end": len(A) + 1}))
    rebuilds.clear()
    open_store(tmp_path).close()
    assert rebuilds == ["rebuilt"]
    assert_settled(task)


RUNS = st.tuples(st.integers(0, 5).map(str), st.sampled_from(["succeeded", "failed"]))
ACTIONS = st.lists(st.lists(RUNS, max_size=3) | st.sampled_from(["rest", "publish", "flush", "close", "die"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_incremental_rollups_are_those_of_the_whole_history(
    tmp_path_factory: pytest.TempPathFactory, actions: list[list[tuple[str, str]] | str]
) -> None:
    root = tmp_path_factory.mktemp("task")
    with counting(Calls(sync=False)):
        store = open_store(root)
        outcomes: dict[str, str] = {}
        for action in actions:
            match action:
                case "die":
                    assert store._owner is not None
                    store._owner.abandon()
                    store = open_store(root)
                case "close":
                    store.close()
                    store = open_store(root)
                case str(name):
                    getattr(store, name)()
                case runs:
                    store.commit([entry(run, status=status, repeated=True) for run, status in runs])
                    outcomes |= {run: status for run, status in runs if (run, status) not in outcomes.items()}
        store.close()
    assert_settled(task_below(root))
    if outcomes:
        assert json.loads(task_below(root).post_rollout.read_bytes())["total_runs"] == len(outcomes)
