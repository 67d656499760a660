"""`runs`: the newest first, of all tasks, whatever lies between them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator_py.core.names import create_run_id
from orchestrator_py.model.timestamp import format_timestamp
from tests.cli.running import Data, as_list, run
from tests.reading.records import stage, timed_id, write_run


def listed(folder: Path, *arguments: str) -> list[Data]:
    done = run(folder, "runs", "--format", "json", *arguments)
    assert done.code == 0
    return as_list(done.document()["runs"])


def ids(folder: Path, *arguments: str) -> list[object]:
    return [one["run_id"] for one in listed(folder, *arguments)]


def test_runs_of_all_tasks_are_listed_with_the_newest_first(tmp_path: Path) -> None:
    write_run(
        tmp_path / ".runs", timed_id(1), stage("a"), stage("b", "failed"), task="a", status="failed", status_detail="stage:b:timed_out"
    )
    write_run(tmp_path / ".runs", timed_id(3), task="a")
    write_run(tmp_path / ".runs", timed_id(2), task="b")
    assert ids(tmp_path) == [timed_id(3), timed_id(2), timed_id(1)]
    assert ids(tmp_path, "--task", "a") == [timed_id(3), timed_id(1)]
    assert ids(tmp_path, "--last", "1") == [timed_id(3)]
    assert ids(tmp_path, "--status", "timed out") == [timed_id(1)]
    text = run(tmp_path, "runs").stdout.splitlines()
    assert text[2] == f"{timed_id(1)}  a  p  timed out  2.0 s  1/2  stage:b:timed_out"


def test_a_time_says_how_far_back(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for days in (1, 8):
        started = format_timestamp(now - timedelta(days=days))
        write_run(tmp_path / ".runs", create_run_id(started, f"0000000{days}"), started_at=started)
    assert len(ids(tmp_path, "--last", "7d")) == 1
    assert len(ids(tmp_path, "--last", "2w")) == 2
    assert ids(tmp_path, "--last", "30m") == []
    assert len(ids(tmp_path, "--last", "999999w")) == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--last", "x"], "'x' is neither a number of runs nor a time like 7d"),
        (["--last", "0"], "'0' is neither a number of runs"),
        (["--status", "fialed"], "no run is ever 'fialed'; did you mean 'failed'?"),
        (["--task", "nowhere"], "there is no such task"),
    ],
)
def test_words_that_make_no_sense(tmp_path: Path, arguments: list[str], problem: str) -> None:
    done = run(tmp_path, "runs", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert problem in done.stderr


def test_what_cannot_be_read_is_named_and_the_rest_is_listed(tmp_path: Path) -> None:
    write_run(tmp_path / ".runs", timed_id(1))
    write_run(tmp_path / ".runs", timed_id(2)).write_text("{")
    (tmp_path / ".runs" / "linked").mkdir()
    (tmp_path / ".runs" / "linked" / "cli").symlink_to("cli")
    done = run(tmp_path, "runs", "--format", "json")
    assert done.code == 0
    document = done.document()
    assert [one["run_id"] for one in as_list(document["runs"])] == [timed_id(1)]
    assert len(as_list(document["unreadable"])) == 2
    assert done.stderr.count("left out: ") == 2


def test_ten_thousand_runs_are_listed_without_opening_what_is_not_shown(tmp_path: Path) -> None:
    cli = tmp_path / ".runs" / "t" / "cli"
    cli.mkdir(parents=True)
    for number in range(10_000):
        os.mkdir(cli / timed_id(number))
    os.rmdir(cli / timed_id(9_999))
    write_run(tmp_path / ".runs", timed_id(9_999))
    (cli / timed_id(0) / "manifest.json").write_text("never read")
    done = run(tmp_path, "runs", "--last", "1")
    assert (done.code, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)


def test_without_runs_there_is_nothing_to_list(tmp_path: Path) -> None:
    done = run(tmp_path, "runs")
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
