"""The queue of processes that do not own the task."""

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.ids import RunId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.journal import BATCH_BYTES
from orchestrator_py.store.queue import enqueue, list_queue, read_queue
from tests.store.entries import entry


def queued_entries(folder: Path) -> list[EntryLine]:
    return [one for group in read_queue(folder) for file in group for one in file.entries]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=6))
def test_entries_come_out_in_the_order_in_which_they_were_queued_with_their_marks(runs: list[tuple[str, bool]]) -> None:
    entries = [entry(run_id, repeated=repeated) for run_id, repeated in runs]
    with tempfile.TemporaryDirectory() as folder:
        enqueue(Path(folder), entries)
        enqueue(Path(folder), entries)
        assert queued_entries(Path(folder)) == entries * 2


def test_the_order_outlasts_a_clock_that_is_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [entry("a", status="failed"), entry("b"), entry("a", repeated=True), entry("a", status="failed", repeated=True)]
    for hour, one in enumerate(wanted):
        monkeypatch.setattr(time, "time_ns", lambda hour=hour: (1_800_000 - hour) * 3_600_000_000_000)
        enqueue(tmp_path, [one])
    assert queued_entries(tmp_path) == wanted


@pytest.mark.parametrize("number", ["9" * 20, "0" + "9" * 19])
def test_a_number_beyond_all_times_keeps_nothing_from_being_queued(tmp_path: Path, number: str) -> None:
    (tmp_path / f"{number}-{'a' * 32}.jsonl").write_bytes(entry("far").line)
    enqueue(tmp_path, [entry("a")])
    enqueue(tmp_path, [entry("b")])
    assert sorted(one.run_id for one in queued_entries(tmp_path)) == ["a", "b", "far"]


def test_names_say_nothing_of_the_run(tmp_path: Path) -> None:
    enqueue(tmp_path, [entry("secret-run")])
    (name,) = list_queue(tmp_path)
    assert "secret" not in name
    assert len(name.removesuffix(".jsonl").split("-")[1]) == 32


def test_files_of_the_reference_implementation_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "run_1-1766325767637-uuid.jsonl").write_bytes(entry("run-1").line + b"\n" + entry("run-2").line)
    (tmp_path / "run_2-1766325767637-uuid.jsonl.tmp").write_bytes(b"half a li")
    assert queued_entries(tmp_path) == [entry("run-1", repeated=True), entry("run-2", repeated=True)]


def test_a_line_that_cannot_be_read_is_kept_and_never_looks_like_a_commit_line(tmp_path: Path) -> None:
    (tmp_path / "foreign.jsonl").write_bytes(b"#00000000 {}\nno json\n\n")
    assert queued_entries(tmp_path) == [EntryLine(run_id=RunId(""), line=line, repeated=True) for line in (b" #00000000 {}", b"no json")]


def test_groups_stay_within_a_batch(tmp_path: Path) -> None:
    enqueue(tmp_path, [entry(str(number), padding=BATCH_BYTES // 3) for number in range(4)])
    assert [[len(file.entries) for file in group] for group in read_queue(tmp_path)] == [[2], [2]]
