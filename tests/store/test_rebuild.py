"""A rebuild brings back what can be known, loses nothing, and is the same however often it is done or broken off."""

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator_py.core.metrics_entry import create_metrics_entry, metrics_line
from orchestrator_py.errors import HistoryChangedError, RunHeldError, StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.audit import audit
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.live_runs import begin_live_run
from orchestrator_py.store.queue import enqueue
from orchestrator_py.store.rebuild import Rebuilt, rebuild
from tests.store.broken import WAYS, B, broken, damaged_journal, endings, settled, write_manifest
from tests.store.entries import NOW, all_files, entry, now, open_store, task_below, write_history
from tests.store.faults import Calls, counting, fail_at

PROJECT = Path(__file__).parents[2]
REFUSED = {"changed_history"}
"""An ordinary opening refuses them, before the rebuild and in the middle of it."""
UNREADABLE_TO_OPENING = {"damaged_journal", "lost_history"}
"""An ordinary opening finds only what recovery knows of."""


def rebuilt(root: Path) -> Rebuilt:
    return rebuild(task_below(root), now)


@pytest.mark.parametrize("way", WAYS)
def test_every_run_stands_there_once_with_its_last_outcome_and_verify_says_equal(tmp_path: Path, way: str) -> None:
    expected = broken(tmp_path, way)
    assert audit(task_below(tmp_path)).findings != ()
    rebuilt(tmp_path)
    assert endings(task_below(tmp_path)) == expected
    assert audit(task_below(tmp_path)).findings == ()


@pytest.mark.parametrize("way", WAYS)
def test_a_second_rebuild_changes_nothing(tmp_path: Path, way: str) -> None:
    broken(tmp_path, way)
    rebuilt(tmp_path)
    once = all_files(tmp_path)
    again = rebuilt(tmp_path)
    assert all_files(tmp_path) == once
    assert (again.unreadable, again.repeated, again.restored, again.set_aside) == (0, 0, 0, ())


@pytest.mark.parametrize("way", WAYS)
def test_the_next_run_goes_on_behind_it(tmp_path: Path, way: str) -> None:
    expected = broken(tmp_path, way)
    rebuilt(tmp_path)
    store = open_store(tmp_path)
    store.commit([entry("z")])
    store.close()
    assert endings(task_below(tmp_path)) == {**expected, "z": "succeeded"}
    assert audit(task_below(tmp_path)).findings == ()


def test_lines_that_cannot_be_read_are_kept_in_the_file_set_aside_and_counted(tmp_path: Path) -> None:
    broken(tmp_path, "bad_lines")
    done = rebuilt(tmp_path)
    assert (done.entries, done.unreadable, done.repeated) == (4, 2, 2)
    (aside,) = [path for path in done.set_aside if path.name.startswith("metrics.json.corrupt-")]
    assert b"no json\n" in aside.read_bytes()
    assert b'{"torn":\n' in aside.read_bytes()


def test_a_damaged_segment_is_set_aside_with_all_its_bytes(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    damaged_journal(task)
    before = [path.read_bytes() for path in sorted(task.pending.glob("b-*"))]
    done = rebuilt(tmp_path)
    assert sorted(path.read_bytes() for path in done.set_aside) == sorted(before)


def test_damaged_rollups_are_set_aside_and_made_anew(tmp_path: Path) -> None:
    broken(tmp_path, "damaged_rollups")
    done = rebuilt(tmp_path)
    assert {path.name.partition(".corrupt-")[0] for path in done.set_aside} == {"post-rollout.json", "baseline.json", ".rollup-state.json"}


def test_a_rollup_that_nothing_is_behind_is_set_aside(tmp_path: Path) -> None:
    task = settled(tmp_path)
    task.mttr_delta.write_text("{}")
    assert [path.name.partition(".corrupt-")[0] for path in rebuilt(tmp_path).set_aside] == ["mttr-delta.json"]
    assert audit(task).findings == ()


def test_a_run_that_ended_again_without_getting_on_record_counts_with_its_last_outcome(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    write_manifest(task, "a", status="failed", metrics_recorded=False)
    rebuilt(tmp_path)
    assert endings(task) == {"a": "failed"}
    assert json.loads(task.cli_run(RunId("a")).manifest.read_bytes())["metrics_recorded"] is True
    assert audit(task).findings == ()


def test_the_copy_of_a_runs_folder_is_no_run_and_is_named(tmp_path: Path) -> None:
    """The copy was made before the run was resumed to success."""
    task = settled(tmp_path, "a")
    before = write_manifest(task, "a", status="failed").parent
    shutil.copytree(before, before.with_name("a.bak"))
    write_manifest(task, "a")
    (told,) = audit(task).findings
    assert str(told).startswith(".runs/task-1/cli/a.bak/manifest.json: it is not that of this run: run_id is 'a'; ")
    history = task.metrics.read_bytes()
    for _ in range(2):
        done = rebuilt(tmp_path)
        assert (done.restored, done.repeated, done.left) == (0, 0, (told,))
        assert task.metrics.read_bytes() == history
    shutil.rmtree(before.with_name("a.bak"))
    assert rebuilt(tmp_path).left == ()
    assert audit(task).findings == ()


@pytest.mark.parametrize("queued", [[entry("a", status="failed")], [entry("a", status="failed"), entry("a", status="failed", padding=1)]])
def test_the_end_that_only_the_manifest_knows_is_newer_than_all_that_waits_in_the_queue(tmp_path: Path, queued: list[EntryLine]) -> None:
    task = settled(tmp_path)
    enqueue(task.pending, queued)
    write_manifest(task, "a", metrics_recorded=False)
    assert rebuilt(tmp_path).restored == 1
    assert endings(task) == {"a": "succeeded"}
    assert audit(task).findings == ()
    once = all_files(tmp_path)
    assert rebuilt(tmp_path).restored == 0
    assert all_files(tmp_path) == once


def test_a_manifest_that_was_not_completed_is_completed(tmp_path: Path) -> None:
    task = settled(tmp_path)
    store = open_store(tmp_path)
    path = write_manifest(task, "a", metrics_recorded=False)
    store.commit([entry("a")])
    store.close()
    rebuilt(tmp_path)
    assert json.loads(path.read_bytes())["metrics_recorded"] is True
    assert endings(task) == {"a": "succeeded"}


def test_a_task_that_another_process_holds_is_left_alone(tmp_path: Path) -> None:
    broken(tmp_path, "damaged_rollups")
    holder = open_store(tmp_path)
    before = all_files(tmp_path)
    with pytest.raises(RunHeldError, match="another live process"):
        rebuilt(tmp_path)
    assert all_files(tmp_path) == before
    holder.close()


@pytest.mark.parametrize("name", ["metrics.json", "metrics.pending/x.jsonl", "metrics.pending/b-0", "metrics/baseline.json"])
@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_file_is_refused_by_name_and_left_there(tmp_path: Path, name: str, kind: str) -> None:
    task = settled(tmp_path, "a")
    path = task.folder / name
    path.unlink(missing_ok=True)
    path.mkdir() if kind == "folder" else path.symlink_to("/dev/zero")
    with pytest.raises(StoreError, match=rf"{name}: is a (symbolic link|folder) where a file belongs"):
        rebuilt(tmp_path)
    assert path.is_symlink() or path.is_dir()


def test_an_enqueuers_temp_file_is_left_and_told_as_a_note(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    temp = task.pending / "1-x.jsonl.tmp-1-2-3"
    temp.write_bytes(B)
    rebuilt(tmp_path)
    assert temp.exists()
    audited = audit(task)
    assert audited.findings == ()
    assert [notice.path for notice in audited.notices] == [".runs/task-1/metrics.pending/1-x.jsonl.tmp-1-2-3"]


# Runs that are just ending -----------------------------------------------------------------------------------------


def entry_of(task: TaskLayout, run_id: str) -> EntryLine:
    """What the run's process records: marked as nothing special."""
    made = create_metrics_entry(json.loads(task.cli_run(RunId(run_id)).manifest.read_bytes()), NOW)
    assert made is not None
    return EntryLine(run_id=RunId(run_id), line=metrics_line(made))


def test_a_live_run_whose_verdict_stands_and_whose_entry_does_not_is_left_to_its_process(tmp_path: Path) -> None:
    owner, guest = open_store(tmp_path), open_store(tmp_path)
    owner.close()
    task = task_below(tmp_path)
    run = begin_live_run(task, RunId("a"))
    path = write_manifest(task, "a", metrics_recorded=False)
    assert rebuilt(tmp_path).restored == 0
    guest.commit([entry_of(task, "a")])
    guest.close()
    assert rebuilt(tmp_path).entries == 1
    assert json.loads(path.read_bytes())["metrics_recorded"] is False, "its process says it itself"
    write_manifest(task, "a")
    run.end()
    assert endings(task) == {"a": "succeeded"}
    assert audit(task).findings == ()


def test_a_run_that_gets_on_record_while_a_rebuild_looks_at_it_counts_once(tmp_path: Path) -> None:
    task = settled(tmp_path)
    run = begin_live_run(task, RunId("a"))
    write_manifest(task, "a", metrics_recorded=False)
    ended = False

    def end(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal ended
        if name == "lstat" and Path(arguments[0]) == task.live_runs / "a" and not ended:
            ended = True
            guest = open_store(tmp_path)
            guest.commit([entry_of(task, "a")])
            guest.close()
            run.end()

    with counting(Calls(at_call=end, sync=False, looking=True)):
        assert rebuilt(tmp_path).restored == 0
    assert ended
    rebuilt(tmp_path)
    assert endings(task) == {"a": "succeeded"}
    assert audit(task).findings == ()


def test_the_verdict_of_a_run_whose_process_died_before_its_entry_is_recorded(tmp_path: Path) -> None:
    task = settled(tmp_path)
    begin_live_run(task, RunId("a")).release()
    path = write_manifest(task, "a", metrics_recorded=False)
    assert rebuilt(tmp_path).restored == 1
    assert endings(task) == {"a": "succeeded"}
    assert json.loads(path.read_bytes())["metrics_recorded"] is True


# Broken off --------------------------------------------------------------------------------------------------------


def changing_calls(root: Path) -> list[str]:
    names: list[str] = []
    with counting(Calls(at_call=lambda _, name, __: names.append(name), sync=False)):
        rebuilt(root)
    return names


def copies(original: Path, kills: list[tuple[int, str]]) -> list[Path]:
    return [Path(shutil.copytree(original, original.with_name(f"{number}-{kind}"))) for number, kind in kills]


def kill_all(roots: list[Path], kills: list[tuple[int, str]]) -> None:
    told = "".join(f"{root}\t{number}\t{kind}\n" for root, (number, kind) in zip(roots, kills, strict=True))
    words = [sys.executable, "-m", "tests.store.killed_rebuild"]
    done = subprocess.run(words, cwd=PROJECT, input=told, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["-9"] * len(kills), done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_kill_at_every_call_of_a_rebuild_loses_and_doubles_nothing(tmp_path: Path, way: str) -> None:
    original = tmp_path / "original"
    original.mkdir()
    expected = broken(original, way)
    names = changing_calls(Path(shutil.copytree(original, tmp_path / "whole")))
    kills = [(number, "before") for number, name in enumerate(names, 1) if name not in ("fsync", "fdatasync")]
    kills += [(number, "torn") for number, name in enumerate(names, 1) if name == "write"]
    roots = copies(original, kills)
    kill_all(roots, kills)
    for root in roots:
        if way not in UNREADABLE_TO_OPENING:
            open_as_the_next_run_would(root, way, expected.keys())
        rebuilt(root)
        task = task_below(root)
        assert endings(task) == expected, root
        assert audit(task).findings == (), root
        shutil.rmtree(root)


def open_as_the_next_run_would(root: Path, way: str, runs: Any) -> None:
    try:
        open_store(root).close()
    except HistoryChangedError:
        assert way in REFUSED
        return
    content = task_below(root).metrics.read_bytes()
    assert [run for run in runs if f'"run_id":"{run}"'.encode() not in content] == []


@pytest.mark.parametrize("way", WAYS)
def test_an_error_at_every_call_of_a_rebuild_is_a_store_error_and_loses_nothing(tmp_path: Path, way: str) -> None:
    original = tmp_path / "original"
    original.mkdir()
    expected = broken(original, way)
    total = len(changing_calls(Path(shutil.copytree(original, tmp_path / "whole"))))
    for wanted in range(1, total + 1):
        root = Path(shutil.copytree(original, tmp_path / str(wanted)))

        def fail(number: int, name: str, arguments: tuple[Any, ...], wanted: int = wanted) -> None:
            if number >= wanted:
                raise OSError(errno.ENOSPC, "injected")

        with counting(Calls(at_call=fail, sync=False)) as calls, pytest.raises(StoreError, match="injected"):
            rebuilt(root)
        assert calls.raised > 0
        rebuilt(root)
        assert endings(task_below(root)) == expected
        assert audit(task_below(root)).findings == ()
        shutil.rmtree(root)


def test_a_single_failed_append_goes_once_more_as_in_any_run(tmp_path: Path) -> None:
    expected = broken(tmp_path, "lost_history")
    with counting(fail_at("fdatasync", times=1)) as calls:
        rebuilt(tmp_path)
    assert calls.raised == 1
    assert endings(task_below(tmp_path)) == expected


def test_a_history_that_another_program_changes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    write_history(task, task.metrics.read_bytes() + b"no json\n")

    def intrude(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "write" and bytes(arguments[1]).startswith(b'{"run_id"'):
            write_history(task, task.metrics.read_bytes() + entry("foreign").line + b"\n")

    with counting(Calls(at_call=intrude, sync=False)), pytest.raises(HistoryChangedError):
        rebuilt(tmp_path)
    assert b"foreign" in task.metrics.read_bytes()
    rebuilt(tmp_path)
    assert endings(task) == {"a": "succeeded", "foreign": "succeeded"}


def test_what_is_queued_while_a_rebuild_holds_the_task_is_recorded_before_it_returns(tmp_path: Path) -> None:
    broken(tmp_path, "bad_lines")
    task = task_below(tmp_path)
    queued = False

    def queue_late(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal queued
        if name == "replace" and Path(arguments[1]) == task.rollup_state and not queued:
            queued = True
            guest = open_store(tmp_path)
            guest.commit([entry("late")])
            guest.close()

    with counting(Calls(at_call=queue_late, sync=False)):
        rebuilt(tmp_path)
    assert queued
    assert endings(task) == dict.fromkeys(["a", "b", "c", "d", "late"], "succeeded")
    assert audit(task).findings == ()
