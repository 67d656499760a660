"""Embedded runs in flight, read from what their processes tell: going on while the lock is held, lost when it is free."""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator_py.errors import InputError, StoreError
from orchestrator_py.reading.any_run import require_any_run
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.flights import Flight, flights_in, read_flights
from orchestrator_py.reading.lookup import find_run, newest_runs
from orchestrator_py.reading.run import LOST, RUNNING
from orchestrator_py.reading.task_report import read_report
from orchestrator_py.reading.timeline import read_timeline
from tests.reading.records import timed_id, write_run
from tests.store.flying import STARTED, document, flight

NOW = "2025-12-21T14:00:09.000Z"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A document of a process that is dead."""
    folder = tmp_path / "t" / "in-flight"
    folder.mkdir(parents=True)
    (folder / "0").touch()
    (folder / "0.json").write_bytes(document([flight("a")]))
    return folder / "0.json"


@pytest.fixture
def lock(told: Path) -> Iterator[int]:
    """Its process lives."""
    descriptor = os.open(told.with_suffix(""), os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def flights(root: Path) -> list[Flight]:
    problems: list[UnreadableError] = []
    found = read_flights(str(root), "t", problems)
    assert problems == []
    return found


def words(root: Path) -> list[tuple[str, str]]:
    return [(one.run_id, one.word) for one in flights(root)]


def test_a_run_is_running_while_its_process_lives_and_lost_from_then_on(told: Path, lock: int, tmp_path: Path) -> None:
    assert words(tmp_path) == [("a", RUNNING)]
    fcntl.flock(lock, fcntl.LOCK_UN)
    assert words(tmp_path) == [("a", LOST)]
    told.with_suffix("").unlink()
    assert words(tmp_path) == [("a", LOST)]


def test_a_process_that_goes_between_two_looks_has_left_no_lost_run(told: Path, tmp_path: Path) -> None:
    """It takes its document away before it lets go of the lock: whoever read it before reads it again."""
    answers = [[flight("a")], []]
    assert list(flights_in(str(told), str(tmp_path), "t", lambda _: answers.pop(0))) == []
    assert answers == []


@pytest.mark.usefixtures("lock")
@pytest.mark.parametrize(("recorded_at", "left"), [("2025-12-21T13:59:00.000Z", 1), (STARTED, 0), (NOW, 0)])
def test_a_run_that_is_on_record_is_not_in_flight_any_more(tmp_path: Path, recorded_at: str, left: int) -> None:
    (tmp_path / "t" / "metrics.json").write_text(json.dumps({"run_id": "a", "recorded_at": recorded_at}) + "\n")
    assert len(flights(tmp_path)) == left


@pytest.mark.usefixtures("lock")
def test_a_run_that_two_processes_tell_of_goes_on_if_one_of_them_lives(told: Path, tmp_path: Path) -> None:
    told.with_name("1.json").write_bytes(document([flight("a"), flight("b")]))
    assert sorted(words(tmp_path)) == [("a", RUNNING), ("b", LOST)]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", document([], version=2)])
def test_a_document_that_cannot_be_read_is_named(told: Path, tmp_path: Path, content: bytes) -> None:
    told.write_bytes(content)
    problems: list[UnreadableError] = []
    assert read_flights(str(tmp_path), "t", problems) == []
    assert [problem.path for problem in problems] == [str(told)]


@pytest.mark.parametrize("runs", [[7, {}, {"run_id": "a/b"}], [{"run_id": "a", "left_out": [], "commands": 7}]])
def test_runs_that_make_no_sense_are_none(told: Path, tmp_path: Path, runs: list[object]) -> None:
    told.write_text(json.dumps({"version": 1, "runs": runs}))
    assert flights(tmp_path) == []


def test_subtasks_that_are_only_counted_count(told: Path, tmp_path: Path) -> None:
    told.write_bytes(document([flight("a", left_out={"succeeded": 7, "pending": 2, "x": "y", "z": -1, "w": True})]))
    (one,) = flights(tmp_path)
    assert dict(one.counts) == {"succeeded": 8, "lost": 1, "pending": 3}


@pytest.mark.usefixtures("lock")
def test_it_stands_among_the_newest_runs_and_is_found_by_its_id(tmp_path: Path) -> None:
    write_run(tmp_path, timed_id(1), started_at="2025-12-21T13:00:00.000Z")
    newest = newest_runs(str(tmp_path), ["t"], [], flights(tmp_path))
    assert [run.run_id for run in newest] == ["a", timed_id(1)]
    assert [run.run_id for run in newest_runs(str(tmp_path), ["t"], [])] == [timed_id(1)]
    assert find_run(str(tmp_path), ["t"], "latest", [], flights(tmp_path)) == ("t", "a")
    assert find_run(str(tmp_path), ["t"], "a", [], flights(tmp_path)) == ("t", "a")
    with pytest.raises(InputError):
        find_run(str(tmp_path), ["t"], "a", [])


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"status": "succeeded", "completed_at": NOW}, "succeeded"),
        ({"status": "failed", "completed_at": NOW}, "failed"),
        ({"status": "failed", "completed_at": None}, LOST),
    ],
)
@pytest.mark.usefixtures("lock")
def test_a_run_is_told_by_its_process_and_then_by_its_entry(tmp_path: Path, entry: dict[str, object], word: str) -> None:
    run = require_any_run(str(tmp_path), "t", "a")
    assert (run.word, run.has_ended) == (RUNNING, False)
    (tmp_path / "t" / "metrics.json").write_text(json.dumps({"run_id": "a", "recorded_at": NOW, "started_at": STARTED, **entry}) + "\n")
    run = require_any_run(str(tmp_path), "t", "a")
    assert (run.word, run.has_ended, run.text("started_at")) == (word, True, STARTED)
    with pytest.raises(StoreError, match="Run b is not on record"):
        require_any_run(str(tmp_path), "t", "b")


@pytest.mark.usefixtures("lock")
def test_its_subtasks_have_times_and_instances_in_a_timeline(told: Path, tmp_path: Path) -> None:
    commands = [
        {"id": "a", "status": "succeeded", "started_at": STARTED, "completed_at": NOW, "told": {"instance": "i", "outcome": "succeeded"}},
        {"id": "b", "status": "skipped", "started_at": STARTED, "completed_at": NOW, "told": {"outcome": "failed", "waived": True}},
        {"id": "c", "status": "running", "started_at": STARTED, "told": {"instance": "j", "attempt": 3}},
    ]
    told.write_bytes(document([flight("a", commands=commands)]))
    (run,) = flights(tmp_path)
    stages = read_timeline(run, NOW, []).stages
    assert [(stage.word, stage.instance, stage.seconds, stage.waived, stage.attempts) for stage in stages] == [
        ("succeeded", "i", 9.0, False, None),
        ("failed", "", 9.0, True, None),
        ("running", "j", None, False, 3),
    ]


@pytest.mark.usefixtures("lock")
def test_a_report_says_that_it_has_not_ended(tmp_path: Path) -> None:
    assert [(run.run_id, run.word) for run in read_report(str(tmp_path), "t", 5).unfinished] == [("a", RUNNING)]
