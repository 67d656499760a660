"""Which runs there are and where they stand, whatever somebody has put into the folders."""

import fcntl
import json
import os
from pathlib import Path

import pytest

from orchestrator_py.core.places import MANIFEST_VERSION
from orchestrator_py.errors import IdentifierError, InputError, StoreError
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.lookup import find_run, list_tasks, newest_runs
from orchestrator_py.reading.run import is_alive, read_run, require_run, word_of_entry
from tests.reading.records import stage, timed_id, write_run

GOING_ON = "in_progress"


def word(root: Path, run_id: str) -> str:
    return require_run(str(root), "t", run_id).word


def newest(root: Path) -> tuple[list[str], list[UnreadableError]]:
    problems: list[UnreadableError] = []
    return [run.run_id for run in newest_runs(str(root), ["t"], problems)], problems


def mark(root: Path, run_id: str) -> int:
    """The marker of a live run; the descriptor holds its lock."""
    (root / "t" / "live-runs").mkdir(exist_ok=True)
    descriptor = os.open(root / "t" / "live-runs" / run_id, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        ("succeeded", "flaky:a", "succeeded"),
        ("failed", "stage:build:failed", "failed"),
        ("failed", "stage:a:b:timed_out", "timed_out"),
        ("failed", "subpipeline:child:rejected", "rejected"),
        ("failed", "pipeline-crashed", "crashed"),
        ("failed", "nothing-ran", "nothing_ran"),
        ("failed", "pipeline-failed", "failed"),
        ("failed", None, "failed"),
        ("cancelled", "cancelled:signal: SIGINT", "cancelled"),
    ],
)
def test_the_word_of_a_run_is_the_exact_one(tmp_path: Path, status: str, detail: str | None, expected: str) -> None:
    write_run(tmp_path, "r", status=status, status_detail=detail)
    assert word(tmp_path, "r") == expected


def test_a_run_whose_marker_is_locked_goes_on_and_one_whose_marker_is_free_is_lost(tmp_path: Path) -> None:
    write_run(tmp_path, "r", stage("a", "running", started_at="2025-12-21T14:02:47.637Z"), status=GOING_ON, completed_at=None)
    descriptor = mark(tmp_path, "r")
    assert word(tmp_path, "r") == "running"
    os.close(descriptor)
    run = require_run(str(tmp_path), "t", "r")
    (only,) = run.objects("commands")
    assert (run.word, run.elapsed("2025-12-21T15:00:00.000Z"), run.stage_word(only)) == ("lost", None, "lost")
    assert run.stage_elapsed(only, "2025-12-21T15:00:00.000Z") is None


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({"status": "failed", "completed_at": None}, "lost"),
        ({"status": "failed"}, "lost"),
        ({"status": "failed", "completed_at": "2025-12-21T14:02:49.637Z"}, "failed"),
        ({"status": "succeeded", "completed_at": None}, "succeeded"),
        ({"status": ["failed"]}, ""),
        ({}, ""),
    ],
)
def test_an_entry_without_an_end_that_failed_is_that_of_a_lost_run(entry: dict[str, object], wanted: str) -> None:
    assert word_of_entry(entry) == wanted


def test_a_sealed_run_is_still_a_lost_one(tmp_path: Path) -> None:
    write_run(tmp_path, "r", status="failed", status_detail="owner-lost", completed_at=None)
    assert word(tmp_path, "r") == "lost"


def test_of_a_sealed_run_what_failed_before_has_failed_and_what_ran_is_lost(tmp_path: Path) -> None:
    ended = stage("a", "failed", completed_at="2025-12-21T14:02:48.637Z")
    write_run(tmp_path, "r", ended, stage("b", "failed"), status="failed", status_detail="owner-lost", completed_at=None)
    run = require_run(str(tmp_path), "t", "r")
    assert [run.stage_word(one) for one in run.objects("commands")] == ["failed", "lost"]
    assert run.counts == {"failed": 1, "lost": 1}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, "lost"),
        ({"attempt": 1, "worker": "w"}, "lost"),
        ({"outcome": "succeeded", "flaky": True}, "succeeded"),
        ({"outcome": "timed_out"}, "failed"),
        ({"outcome": "failed", "waived": True}, "skipped"),
    ],
)
@pytest.mark.parametrize("status", ["running", "failed"])
def test_what_its_events_tell_of_a_stage_of_a_lost_run_is_not_lost(
    tmp_path: Path, status: str, told: dict[str, object], wanted: str
) -> None:
    """The manifest lags behind them, and the process may die in between; `failed` it is once it was sealed."""
    whole = GOING_ON if status == "running" else "failed"
    write_run(tmp_path, "r", stage("a", status), status=whole, status_detail="owner-lost", completed_at=None)
    run = require_run(str(tmp_path), "t", "r")
    assert [run.stage_word(one, told) for one in run.objects("commands")] == [wanted]


def test_who_looks_takes_no_lock_from_the_owner_and_makes_no_marker(tmp_path: Path) -> None:
    write_run(tmp_path, "r", status=GOING_ON, completed_at=None)
    assert not is_alive(str(tmp_path), "t", "r")
    assert not (tmp_path / "t" / "live-runs").exists()
    os.close(mark(tmp_path, "r"))
    assert not is_alive(str(tmp_path), "t", "r")
    descriptor = os.open(tmp_path / "t" / "live-runs" / "r", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError if the look had left a lock
    os.close(descriptor)


def test_a_running_stage_has_lasted_until_now(tmp_path: Path) -> None:
    write_run(tmp_path, "r", stage("a", "running", started_at="2025-12-21T14:02:47.637Z"), status=GOING_ON, completed_at=None)
    descriptor = mark(tmp_path, "r")
    run = require_run(str(tmp_path), "t", "r")
    assert run.stage_elapsed(run.objects("commands")[0], "2025-12-21T14:02:50.137Z") == 2.5
    os.close(descriptor)


# Which run is meant ------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_its_id_by_its_beginning_and_as_the_latest(tmp_path: Path) -> None:
    for run_id in ("ab", "abc", timed_id(1), timed_id(2)):
        write_run(tmp_path, run_id, started_at="2024-01-01T00:00:00.000Z")

    def found(wanted: str) -> str:
        return find_run(str(tmp_path), ["t"], wanted, [])[1]

    assert [found(name) for name in ("ab", "abc", timed_id(1)[:-1], "latest")] == ["ab", "abc", timed_id(1), timed_id(2)]
    with pytest.raises(InputError, match=r"Run 'a' could be any of 2: abc, ab; say more of its id\."):
        found("a")
    with pytest.raises(InputError, match=r"There is no run 'abx'; did you mean 'ab'\?; the newest: "):
        found("abx")
    for bad in ("..", "../t", "/etc", "a/b", ""):
        with pytest.raises(IdentifierError):
            found(bad)


def test_without_runs_the_remedy_is_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no runs here; start one with `orchestrator-py run`"):
        find_run(str(tmp_path), [], "latest", [])


def test_the_newest_stands_first_and_older_manifests_are_not_opened(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        write_run(tmp_path, timed_id(number))
    (tmp_path / "t" / "cli" / timed_id(1) / "manifest.json").write_text("no json")
    problems: list[UnreadableError] = []
    runs = newest_runs(str(tmp_path), ["t"], problems)
    assert [next(runs).run_id, next(runs).run_id, problems] == [timed_id(3), timed_id(2), []]
    assert list(runs) == []
    assert len(problems) == 1


def test_an_id_without_a_time_stands_where_its_start_belongs(tmp_path: Path) -> None:
    write_run(tmp_path, timed_id(1))
    write_run(tmp_path, timed_id(3))
    write_run(tmp_path, "named", started_at="2025-12-21T00:00:02.000Z")
    assert newest(tmp_path) == ([timed_id(3), "named", timed_id(1)], [])


# Hostile folders ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = write_run(tmp_path, timed_id(1))
    contents = {
        "torn": '{"version": 1',
        "list": "[]",
        "deep": "[" * 100_000,
        "foreign": "{}",
        "newer": json.dumps({"version": MANIFEST_VERSION + 1}),
    }
    for name, text in contents.items():
        write_run(tmp_path, name).write_text(text)
    for name in ("fifo", "loop", "folder", "huge"):
        write_run(tmp_path, name).unlink()
    cli = tmp_path / "t" / "cli"
    os.mkfifo(cli / "fifo" / "manifest.json")
    (cli / "loop" / "manifest.json").symlink_to("manifest.json")
    (cli / "folder" / "manifest.json").mkdir()
    with (cli / "huge" / "manifest.json").open("wb") as file:
        file.truncate(1 << 40)
    (cli / "link").symlink_to(good.parent)
    (cli / "empty").mkdir()
    (cli / "file").write_text("")
    found, problems = newest(tmp_path)
    assert found == [timed_id(1)]
    assert {Path(problem.path).relative_to(cli).parts[0] for problem in problems} == {
        *contents,
        "fifo",
        "loop",
        "folder",
        "huge",
        "link",
        "file",
    }
    assert "newer version of orchestrator-py" in next(str(problem) for problem in problems if "/newer/" in problem.path)


def test_an_empty_folder_is_no_run_yet(tmp_path: Path) -> None:
    (tmp_path / "t" / "cli" / "r").mkdir(parents=True)
    assert read_run(str(tmp_path), "t", "r") is None
    with pytest.raises(StoreError, match="Run r has no manifest"):
        require_run(str(tmp_path), "t", "r")


def test_a_task_is_a_folder_with_a_record(tmp_path: Path) -> None:
    for name in ("a", "local-mcp", ".hidden", "x:y"):
        (tmp_path / name / "cli").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("")
    assert list_tasks(str(tmp_path)) == ["a"]
    assert list_tasks(str(tmp_path / "nowhere")) == []
