"""`metrics show`: the totals of this moment, whatever was published, without touching anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_py.ids import TaskId
from orchestrator_py.store.layout import Layout
from orchestrator_py.store.queue import enqueue
from orchestrator_py.store.task_store import open_task_store
from tests.cli.running import Data, as_list, as_object, command, configure_stages, environment, run, snapshot
from tests.store.broken import broken, settled
from tests.store.entries import entry, now, open_store


def shown(root: Path, *words: str) -> list[Data]:
    done = run(root, "metrics", "show", "--format", "json", *words)
    assert (done.code, done.stderr) == (0, "")
    return as_list(done.document()["tasks"])


def test_totals_are_read_from_history_and_journal(tmp_path: Path) -> None:
    settled(tmp_path, "a", "b", "c")
    owner = open_store(tmp_path)
    owner.commit([entry("d", status="failed")])
    guest = open_store(tmp_path)
    guest.commit([entry("queued")])
    before = snapshot(tmp_path)
    (task,) = shown(tmp_path)
    assert (task["task"], task["total_runs"], task["succeeded_runs"], task["completion_rate"]) == ("task-1", 4, 3, 0.75)
    assert (task["queued"], task["pruned"]) == (1, 0)
    assert as_object(task["mttr"])["current_mttr_seconds"] == 1.25
    assert as_object(task["completeness"])["missing_field_ratio"] == 1
    assert snapshot(tmp_path) == before
    owner.close()


def test_text_says_the_same(tmp_path: Path) -> None:
    task = settled(tmp_path, "a", "b", "c")
    task.metrics.write_bytes(task.metrics.read_bytes() + b"no json\n")
    enqueue(task.pending, [entry("queued")])
    done = run(tmp_path, "metrics", "show", "--task", "task-1")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "task-1: 3 runs, 3 succeeded (100.0 %)",
        "  mean duration 1.250 s, baseline 1.250 s",
        "  missing: instance_stats 3, privacy_events 3, control_plane_status 3 (ratio 1.000)",
        "  1 entry in the queue, not counted yet",
        "  1 line cannot be read and do not count",
        "    .runs/task-1/metrics.json:4: this line cannot be read: it is not JSON (Expecting value, column 1); "
        "`orchestrator-py metrics rebuild` mends it.",
    ]


def test_totals_before_damage_in_the_journal_are_told_as_what_they_are(tmp_path: Path) -> None:
    broken(tmp_path, "damaged_journal")
    done = run(tmp_path, "metrics", "show", "--format", "json")
    assert done.code == 74
    (told,) = as_list(done.document()["tasks"])
    assert told["total_runs"] == 1
    (line,) = done.stderr.splitlines()
    assert "task-1: entries on record are missing from these totals: .runs/task-1/metrics.pending/b-" in line
    assert line.endswith("it is damaged here, and 1 whole batches follow; `orchestrator-py metrics rebuild` mends it.")


def test_many_unreadable_lines_are_all_counted_and_some_named(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    task.metrics.write_bytes(b"no json\n" * 50 + task.metrics.read_bytes())
    (found,) = shown(tmp_path)
    unreadable = as_object(found["unreadable"])
    assert unreadable["count"] == 50
    assert [line["line"] for line in as_list(unreadable["lines"])] == list(range(1, 11))
    assert found["total_runs"] == 1


def test_every_task_with_a_record_is_shown_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b", "a"):
        open_task_store(Layout.below(tmp_path), TaskId(name), now=now).close()
    for name in ("local-mcp", "notes", ".hidden"):
        (tmp_path / ".runs" / name).mkdir()
    assert [(task["task"], task["total_runs"]) for task in shown(tmp_path)] == [("a", 0), ("b", 0)]


def test_a_real_run_is_counted(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    (task,) = shown(tmp_path)
    assert (task["task"], task["total_runs"], task["succeeded_runs"]) == ("0101", 1, 1)


def test_folders_may_be_elsewhere(tmp_path: Path) -> None:
    settled(tmp_path / "elsewhere", "a")
    (tmp_path / "root").mkdir()
    words = ("--root", "root", "--runs-dir", "elsewhere/.runs", "--out-dir", "elsewhere/out")
    assert [task["total_runs"] for task in shown(tmp_path, *words)] == [1]
    done = run(tmp_path, "metrics", "verify", "--root", "root", variables={"CODEX_ORCHESTRATOR_RUNS_DIR": "elsewhere/.runs"})
    assert "out/task-1/state.json: it is missing" in done.stdout


def test_no_task_at_all_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, "metrics", "show")
    assert (done.code, done.stdout) == (0, "")
    assert "there is no task here" in done.stderr
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("action", [("show",), ("verify",), ("rebuild",), ("prune", "--keep", "1")])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../outside", "leading dots are not allowed"),
        ("a/../../outside", "slashes are not allowed"),
        ("/etc", "slashes are not allowed"),
        ("a\\b", "slashes are not allowed"),
        ("", "value must be a non-empty string"),
        ("local-mcp", "keeps something else under that name"),
        ("nobody", "there is no such task"),
    ],
)
def test_a_task_that_cannot_be_or_is_not_there_is_refused(tmp_path: Path, action: tuple[str, ...], name: str, reason: str) -> None:
    settled(tmp_path, "a")
    (tmp_path / "outside").mkdir()
    before = snapshot(tmp_path)
    done = run(tmp_path, "metrics", *action, "--task", name)
    assert (done.code, done.stdout) == (2, "")
    assert reason in done.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("words", [(), ("nonsense",), ("prune",), ("prune", "--keep", "1", "--older-than", "1"), ("prune", "--keep", "-1")])
def test_wrong_words_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(tmp_path, "metrics", *words).code == 2


@pytest.mark.parametrize("days", ["-1", "nan", "inf", "soon", "1e9"])
def test_wrong_days_are_refused(tmp_path: Path, days: str) -> None:
    done = run(tmp_path, "metrics", "prune", "--older-than", days)
    assert done.code == 2
    assert "is not a number of days" in done.stderr


def test_no_event_loop_is_imported(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    words = [sys.executable, "-X", "importtime", "-m", "orchestrator_py", "metrics", "show"]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "orchestrator_py.store.overview" in imported
    assert imported.isdisjoint({"asyncio", "anyio", "aiofiles"})
