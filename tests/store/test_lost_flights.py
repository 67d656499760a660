"""An embedded run that was in flight when its process died is put on record once, by whoever opens its task next."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_py.core.json_text import compact_json
from orchestrator_py.errors import StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.history import read_history
from orchestrator_py.store.lost_flights import complete_lost_flights
from orchestrator_py.store.task_store import TaskStore
from tests.store.entries import NOW, assert_settled, now, open_store, task_below
from tests.store.flying import STARTED, document, flight, fly, lose

PROJECT = Path(__file__).parents[2]
BEFORE = "2025-12-21T13:00:00.000Z"


def complete(root: Path) -> list[str]:
    """As the next process does it."""
    store = open_store(root)
    try:
        return list(complete_lost_flights(task_below(root), store, now))
    finally:
        store.close()


def entries(root: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in read_history(task_below(root))]


def recorded(run_id: str, status: str, at: str = NOW) -> EntryLine:
    return EntryLine(run_id=RunId(run_id), line=compact_json({"run_id": run_id, "status": status, "recorded_at": at}).encode())


def remaining(root: Path) -> list[Path]:
    return list(task_below(root).in_flight.iterdir())


def start_and_kill(root: Path, *run_ids: str) -> None:
    words = [sys.executable, "-m", "tests.store.flying", str(root), *run_ids]
    process = subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "shown\n"
    assert complete(root) == [], "it lives"
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_runs_of_a_killed_process_are_recorded_as_failed_without_an_end(tmp_path: Path) -> None:
    start_and_kill(tmp_path, "a", "b")
    assert complete(tmp_path) == ["a", "b"]
    assert remaining(tmp_path) == []
    for entry in entries(tmp_path):
        assert (entry["status"], entry["started_at"], entry["completed_at"], entry["duration_seconds"]) == ("failed", STARTED, None, None)
        assert (entry["commands_passed"], entry["commands_failed"]) == (1, 1)
        assert entry["instance_stats"] == [
            {"instance_id": "i", "capability": "general", "status": "failed", "attempts": 1, "recovery_events": 0}
        ]
    assert [entry["run_id"] for entry in entries(tmp_path)] == ["a", "b"]
    assert_settled(task_below(tmp_path))


def test_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    lose(tmp_path, document([flight("a")]))
    assert complete(tmp_path) == ["a"]
    before = entries(tmp_path)
    assert complete(tmp_path) == []
    lose(tmp_path, document([flight("a")]))
    assert complete(tmp_path) == []
    assert entries(tmp_path) == before


@pytest.mark.parametrize("queued", [False, True])
def test_a_run_that_is_on_record_keeps_its_entry(tmp_path: Path, *, queued: bool) -> None:
    """Its process died before it could take it off the document. It may not have owned the task."""
    owner = open_store(tmp_path)
    process = open_store(tmp_path) if queued else owner
    process.commit([recorded("a", "succeeded")])
    lose(tmp_path, document([flight("a"), flight("b")]))
    newcomer = open_store(tmp_path)
    assert complete_lost_flights(task_below(tmp_path), newcomer, now) == ("b",)
    newcomer.close()
    owner.close()
    assert [(entry["run_id"], entry["status"]) for entry in entries(tmp_path)] == [("a", "succeeded"), ("b", "failed")]


def test_an_entry_of_an_earlier_run_with_the_same_id_does_not_stand_for_this_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.commit([recorded("a", "succeeded", BEFORE)])
    store.close()
    lose(tmp_path, document([flight("a")]))
    assert complete(tmp_path) == ["a"]
    assert [entry["status"] for entry in entries(tmp_path)] == ["succeeded", "failed"]


@pytest.mark.parametrize(("summary", "lost"), [({"timestamp": NOW}, []), ({"timestamp": BEFORE}, ["a"]), ({}, ["a"]), ("torn", ["a"])])
def test_a_run_of_which_a_summary_stands_was_seen_to_end_and_is_not_called_lost(tmp_path: Path, summary: object, lost: list[str]) -> None:
    lose(tmp_path, document([flight("a")]))
    path = task_below(tmp_path).embedded_run(RunId("a")).manifest
    path.parent.mkdir()
    path.write_text(json.dumps(summary)[: 3 if summary == "torn" else None])
    assert complete(tmp_path) == lost
    assert remaining(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"runs": 7}', b'{"runs": [7, {}, {"run_id": "a/b"}, {"run_id": "a"}]}'],
)
def test_a_document_that_makes_no_sense_goes_and_stops_nobody(tmp_path: Path, content: bytes) -> None:
    lose(tmp_path, content)
    assert complete(tmp_path) == []
    assert remaining(tmp_path) == []


def test_a_document_of_a_newer_version_stays(tmp_path: Path) -> None:
    lose(tmp_path, document([flight("a")], version=2))
    assert complete(tmp_path) == []
    assert len(remaining(tmp_path)) == 2


def test_a_document_without_a_marker_and_what_a_killed_process_left_half_made_go(tmp_path: Path) -> None:
    folder = lose(tmp_path, document([flight("a")]))
    (folder / "dead").unlink()
    (folder / ".dead.77.0").touch()
    (folder / "dead.json.tmp-77-1-0").touch()
    (folder / "other").touch()
    (folder / "another.json.tmp-77-1-0").touch()
    assert complete(tmp_path) == ["a"]
    assert remaining(tmp_path) == []


def test_what_the_living_show_is_not_touched(tmp_path: Path) -> None:
    board = fly(tmp_path, "a")
    before = sorted(remaining(tmp_path))
    assert complete(tmp_path) == []
    assert sorted(remaining(tmp_path)) == before
    assert entries(tmp_path) == []
    board.close()


def test_a_folder_in_place_of_the_document_is_refused_by_name(tmp_path: Path) -> None:
    folder = lose(tmp_path, b"")
    (folder / "dead.json").unlink()
    (folder / "dead.json").mkdir()
    with pytest.raises(StoreError, match=r"dead.json: is a folder where a file belongs"):
        complete(tmp_path)


def test_an_entry_that_cannot_be_committed_leaves_the_run_to_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(tmp_path, document([flight("a")]))

    def refuse(*_: object) -> None:
        raise StoreError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(TaskStore, "commit", refuse)
        with pytest.raises(StoreError, match="disk full"):
            complete(tmp_path)
    assert complete(tmp_path) == ["a"]


def test_of_two_processes_that_open_the_task_one_records_it(tmp_path: Path) -> None:
    lose(tmp_path, document([flight("a"), flight("b")]))
    program = (
        "import sys; from pathlib import Path; from tests.store.test_lost_flights import complete; print(*complete(Path(sys.argv[1])))"
    )
    openers = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    told = [opener.communicate()[0].split() for opener in openers]
    assert sorted(one for run_ids in told for one in run_ids) == ["a", "b"]
    assert [entry["run_id"] for entry in entries(tmp_path)] == ["a", "b"]
