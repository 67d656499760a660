"""`metrics record`: an entry that its run could not put on record gets there, once."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import environment, run, snapshot, words
from tests.store.broken import endings, settled
from tests.store.entries import NOW, entry, open_store, task_below


def line(run_id: str, status: str = "succeeded", recorded_at: str = NOW) -> str:
    made = entry(run_id, status=status).line.decode().replace(NOW, recorded_at)
    return made.replace("{", '{"pipeline_id":"p","started_at":"2025-12-21T14:02:47.637Z",', 1)


def entry_file(root: Path, content: str) -> str:
    (root / "entry.json").write_text(content)
    return "entry.json"


def test_an_entry_is_recorded_once_however_often_it_is_given(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    name = entry_file(tmp_path, line("b") + "\n")
    done = run(tmp_path, "metrics", "record", name)
    assert (done.code, done.stdout) == (0, "task-1: run b: recorded\n")
    before = snapshot(tmp_path)
    again = run(tmp_path, "metrics", "record", name)
    assert (again.code, again.stdout) == (0, "task-1: run b: on record already; nothing was changed\n")
    assert snapshot(tmp_path) == before
    assert endings(task_below(tmp_path)) == {"a": "succeeded", "b": "succeeded"}
    assert run(tmp_path, "metrics", "verify").code == 0


def test_another_outcome_of_a_run_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    settled(tmp_path, "a", "b")
    done = run(tmp_path, "metrics", "record", entry_file(tmp_path, line("a", "failed")))
    assert (done.code, done.stdout) == (0, "task-1: run a: recorded; it takes the place of an earlier entry of the run\n")
    assert "task-1: 2 runs, 1 succeeded" in run(tmp_path, "metrics", "show").stdout
    assert run(tmp_path, "metrics", "verify").code == 0


def test_an_entry_from_before_the_one_on_record_changes_nothing(tmp_path: Path) -> None:
    """A run that could not be recorded, was resumed, and whose first entry is brought in only now."""
    settled(tmp_path, "a", "b")
    before = snapshot(tmp_path)
    done = run(tmp_path, "metrics", "record", entry_file(tmp_path, line("a", "failed", "2025-12-21T14:02:47.636Z")))
    assert (done.code, done.stdout) == (0, "task-1: run a: on record with a newer entry, which stays; nothing was changed\n")
    (tmp_path / "entry.json").unlink()
    assert snapshot(tmp_path) == before


def test_the_first_entry_of_a_task_makes_the_task(tmp_path: Path) -> None:
    done = run(tmp_path, "metrics", "record", "--format", "json", entry_file(tmp_path, line("a")))
    assert (done.code, done.document()) == (0, {"task": "task-1", "run_id": "a", "answer": "recorded"})


def test_stdin_will_do(tmp_path: Path) -> None:
    said = line("a")
    done = subprocess.run(
        words("metrics", "record", "-"), cwd=tmp_path, env=environment(), input=said, capture_output=True, text=True, check=True
    )
    assert done.stdout == "task-1: run a: recorded\n"


def test_while_another_process_holds_the_task_the_entry_is_queued(tmp_path: Path) -> None:
    holder = open_store(tmp_path)
    done = run(tmp_path, "metrics", "record", entry_file(tmp_path, line("a")))
    assert (done.code, done.stdout) == (0, "task-1: run a: queued, since another process holds the task, which will record it\n")
    assert run(tmp_path, "metrics", "record", "entry.json").code == 0
    holder.close()
    assert endings(task_below(tmp_path)) == {"a": "succeeded"}


def test_a_run_that_could_not_be_recorded_is_found_by_verify_and_recorded_with_its_line(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    torn = line("b")
    task.metrics.write_bytes(task.metrics.read_bytes() + torn[:50].encode())
    assert run(tmp_path, "metrics", "rebuild").code == 0
    assert run(tmp_path, "metrics", "record", entry_file(tmp_path, torn)).code == 0
    assert endings(task) == {"a": "succeeded", "b": "succeeded"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it holds 0 lines"),
        ("\n\n", "it holds 0 lines"),
        (line("a") + "\n" + line("b"), "it holds 2 lines"),
        ("x", "entry.json:1: it is not JSON"),
        ("[]", "it is JSON, but no object"),
        ("#00000000 {}", "it is not JSON"),
        ('{"run_id":"a","task_id":"t","status":"succeeded"}', "no text under pipeline_id, started_at, recorded_at"),
        (line("../a"), 'Invalid run ID "../a"'),
        (line("a").replace('"a"', "7"), "Invalid run ID: value must be a non-empty string"),
        (line("a").replace("task-1", "../x"), 'Invalid task ID "../x"'),
        (line("a").replace("task-1", "local-mcp"), "keeps something else under that name"),
        (line("a").replace('"task_id":"task-1",', ""), "names no task_id"),
        ("x" * (8 * 1024 * 1024 + 1), "more than 8388608 bytes"),
    ],
)
def test_what_is_no_entry_is_refused_and_nothing_is_written(tmp_path: Path, content: str, reason: str) -> None:
    name = entry_file(tmp_path, content)
    before = snapshot(tmp_path)
    done = run(tmp_path, "metrics", "record", name)
    assert (done.code, done.stdout) == (2, "")
    assert reason in done.stderr
    assert snapshot(tmp_path) == before


def test_an_entry_of_another_task_than_the_named_one_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "metrics", "record", "--task", "other", entry_file(tmp_path, line("a")))
    assert done.code == 2
    assert "the entry is of task 'task-1', not of 'other'" in done.stderr


def test_a_fifo_is_not_waited_for_and_a_missing_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    done = run(tmp_path, "metrics", "record", "fifo")
    assert done.code == 74
    assert "fifo: is a FIFO where a file belongs" in done.stderr
    done = run(tmp_path, "metrics", "record", "missing.json")
    assert done.code == 2
    assert "there is no such file" in done.stderr
