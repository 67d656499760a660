"""Only what has certainly ended is removed, whole, and never the record of it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator_py.core.pruning import PruningRule
from orchestrator_py.errors import RunHeldError, StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.store.audit import audit
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.live_runs import LiveRun, begin_live_run
from orchestrator_py.store.lock import try_lock
from orchestrator_py.store.prune import find_candidates, prune, pruned_runs
from tests.store.broken import settled, write_manifest
from tests.store.entries import all_files
from tests.store.faults import Calls, counting

NOW = datetime(2026, 1, 31, tzinfo=UTC)
EVERYTHING = PruningRule(keep=0)
RUNS = ("a", "b", "c", "d")
NOBODY = 65534


def ended(day: int) -> str:
    return f"2026-01-{day:02d}T00:00:00.000Z"


def write_run(task: TaskLayout, run_id: str, day: int, **more: object) -> None:
    """All folders of a command-line run."""
    write_manifest(task, run_id, completed_at=ended(day), **more)
    run = task.cli_run(RunId(run_id))
    run.commands.mkdir()
    (run.commands / "01-x.ndjson").write_text("{}\n")
    for path in (task.embedded_run(RunId(run_id)).manifest, task.mcp_pointer(RunId(run_id))):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    link = task.layout.local_mcp_pointer(RunId(run_id))
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../../{task.task_id}/cli/{run_id}/manifest.json")


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """Four runs, `a` the oldest."""
    task = settled(tmp_path, *RUNS)
    for day, run_id in enumerate(RUNS, start=1):
        write_run(task, run_id, day)
    return task


def left(task: TaskLayout) -> list[str]:
    """The runs of which anything is left anywhere."""
    runs = [
        path.name for folder in (task.folder / "cli", task.folder / "mcp", task.layout.runs_root / "local-mcp") for path in folder.iterdir()
    ]
    return sorted({*runs, *(path.name for path in task.folder.iterdir() if path.name in RUNS)})


def removed(task: TaskLayout, rule: PruningRule) -> list[str]:
    return [run.run_id for run in prune(task, rule, NOW)[0]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (PruningRule(keep=0), ["a", "b", "c", "d"]),
        (PruningRule(keep=1), ["a", "b", "c"]),
        (PruningRule(keep=9), []),
        (PruningRule(older_than=timedelta(days=28)), ["a", "b"]),
        (PruningRule(older_than=timedelta(days=90)), []),
    ],
)
def test_the_oldest_runs_go_with_all_their_folders(task: TaskLayout, rule: PruningRule, expected: list[str]) -> None:
    assert removed(task, rule) == expected
    assert left(task) == sorted({*RUNS} - {*expected})
    assert pruned_runs(task) == len(expected)


def test_history_and_rollups_stay_as_they_are(task: TaskLayout) -> None:
    kept = (task.metrics, task.baseline, task.post_rollout, task.mttr_delta)
    before = [path.read_bytes() for path in kept]
    removed(task, EVERYTHING)
    assert [path.read_bytes() for path in kept] == before
    assert audit(task).findings == ()


def test_pruned_runs_are_noted_behind_the_earlier_ones(task: TaskLayout) -> None:
    notes = task.folder / ".pruned.jsonl"
    removed(task, PruningRule(keep=3))
    notes.write_bytes(notes.read_bytes() + b'{"version":2,"something":"newer"}')
    earlier = notes.read_bytes()
    removed(task, EVERYTHING)
    assert notes.read_bytes().startswith(earlier + b"\n")
    assert notes.read_text().splitlines()[-1] == (
        '{"run_id":"d","status":"succeeded","ended_at":"2026-01-04T00:00:00.000Z","pruned_at":"2026-01-31T00:00:00.000Z"}'
    )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"status": "in_progress"}, "it has not ended"),
        ({"status": "queued"}, "it has not ended"),
        ({"status": "something else"}, "it has not ended"),
        ({"status": None}, "it has not ended"),
        ({"run_id": "other"}, "not that of this run"),
        ({"version": 2}, "of a newer format"),
        ({"completed_at": None, "updated_at": "yesterday"}, "does not say when it ended"),
        ({"completed_at": "0001-01-01T00:00:00+10:00", "updated_at": "9999-12-31T23:59:59-01:00"}, "does not say when it ended"),
    ],
)
def test_a_run_is_kept_when_in_doubt(task: TaskLayout, more: dict[str, object], reason: str) -> None:
    write_manifest(task, "a", **more)
    _, candidates = prune(task, EVERYTHING, NOW)
    assert left(task) == ["a"]
    assert [reason in finding.problem for finding in candidates.kept] == [True]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", None])
def test_a_run_whose_manifest_cannot_be_read_is_kept(task: TaskLayout, content: bytes | None) -> None:
    path = task.cli_run(RunId("a")).manifest
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert removed(task, EVERYTHING) == ["b", "c", "d"]
    assert (task.folder / "cli" / "a").is_dir()


def test_a_lost_end_counts_from_when_it_was_found_out(task: TaskLayout) -> None:
    write_manifest(task, "a", status="failed", completed_at=None, updated_at=ended(30))
    assert removed(task, PruningRule(keep=1)) == ["b", "c", "d"]


def test_a_live_run_is_kept_whatever_its_manifest_says(task: TaskLayout) -> None:
    run = begin_live_run(task, RunId("a"))
    assert removed(task, EVERYTHING) == ["b", "c", "d"]
    run.release()
    assert removed(task, EVERYTHING) == [], "its process died, and nobody has completed its record yet"


def test_a_child_of_a_run_that_goes_on_is_kept(task: TaskLayout) -> None:
    write_manifest(task, "a", status="in_progress")
    write_manifest(task, "b", parent_run_id="a", completed_at=ended(2))
    write_manifest(task, "c", parent_run_id="gone", completed_at=ended(3))
    assert removed(task, EVERYTHING) == ["c", "d"]


def test_an_embedded_run_goes_by_its_summary(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    for name, content in {"a": f'{{"runId":"a","timestamp":"{ended(1)}"}}', "b": '{"runId":"a"}', "notes": "x"}.items():
        (task.folder / name).mkdir()
        (task.folder / name / ("manifest.json" if name != "notes" else "x.txt")).write_text(content)
    assert removed(task, EVERYTHING) == ["a"]
    assert not (task.folder / "a").exists()
    assert (task.folder / "b" / "manifest.json").exists()
    assert (task.folder / "notes" / "x.txt").exists()


@pytest.mark.parametrize("place", ["cli/a", "a", "mcp/a"])
def test_a_run_with_a_link_for_a_folder_is_kept_and_nothing_is_followed(tmp_path: Path, task: TaskLayout, place: str) -> None:
    outside = tmp_path / "outside"
    shutil.move(task.folder / place, outside)
    (task.folder / place).symlink_to(outside)
    before = all_files(outside)
    assert removed(task, EVERYTHING) == ["b", "c", "d"]
    assert all_files(outside) == before


def test_a_link_for_the_folder_of_pointers_is_not_followed_and_keeps_all_runs(tmp_path: Path, task: TaskLayout) -> None:
    shutil.move(task.folder / "mcp", tmp_path / "outside")
    (task.folder / "mcp").symlink_to(tmp_path / "outside")
    before = all_files(tmp_path)
    assert removed(task, EVERYTHING) == []
    assert all_files(tmp_path).items() >= before.items()


@pytest.mark.parametrize("place", ["cli", "."])
def test_a_link_for_a_tasks_folder_is_refused(tmp_path: Path, task: TaskLayout, place: str) -> None:
    folder = task.folder / place if place != "." else task.folder
    shutil.move(folder, tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    before = all_files(tmp_path / "outside")
    with pytest.raises(StoreError, match="is a symbolic link where a folder belongs"):
        prune(task, EVERYTHING, NOW)
    assert all_files(tmp_path / "outside") == before


def test_links_in_a_run_are_removed_and_not_followed(tmp_path: Path, task: TaskLayout) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("x")
    (task.folder / "cli" / "a" / "link").symlink_to(tmp_path / "outside")
    assert "a" in removed(task, EVERYTHING)
    assert (tmp_path / "outside" / "x").exists()


def test_the_pointer_of_another_tasks_run_stays(task: TaskLayout) -> None:
    link = task.layout.local_mcp_pointer(RunId("a"))
    link.unlink()
    link.symlink_to("../../other/cli/a/manifest.json")
    removed(task, EVERYTHING)
    assert link.is_symlink()


@pytest.mark.parametrize("place", ["mcp/b", "b"])
def test_a_run_that_cannot_be_removed_stays_is_named_and_keeps_no_other_from_it(task: TaskLayout, place: str) -> None:
    strange = task.folder / place
    shutil.rmtree(strange)
    strange.write_text("")
    for expected in (["a", "c", "d"], []):
        gone, candidates = prune(task, EVERYTHING, NOW)
        assert [run.run_id for run in gone] == expected
        (told,) = map(str, candidates.stuck)
        assert told == f"{strange}: is a file where a folder belongs; move it away."
        assert left(task) == ["b"]
        assert pruned_runs(task) == 3
    strange.unlink()
    assert removed(task, EVERYTHING) == ["b"]
    assert pruned_runs(task) == 4


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[Path]:
    """A folder of a user who needs permissions, as root does not."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


def unpacked(task: TaskLayout, run_id: str) -> Path:
    """A folder in the run's that its maker did not want to be written to again."""
    folder = task.cli_run(RunId(run_id)).folder / "cache" / "module"
    folder.mkdir(parents=True)
    (folder / "source").write_text("x")
    (folder / "elsewhere").symlink_to(task.metrics.parent)
    return folder


@pytest.mark.parametrize("mode", [0o555, 0o400, 0])
def test_folders_that_may_not_be_written_go_too(unprivileged: Path, mode: int) -> None:
    task = settled(unprivileged, "a", "b")
    for day, run_id in enumerate("ab", start=1):
        write_run(task, run_id, day)
    folder = unpacked(task, "a")
    for one in (folder, folder.parent, folder.parent.parent):
        one.chmod(mode if one is folder else 0o555)
    gone, candidates = prune(task, EVERYTHING, NOW)
    assert ([run.run_id for run in gone], candidates.stuck) == (["a", "b"], [])
    assert left(task) == []
    assert task.folder.stat().st_mode & 0o777 != 0o700, "no link was followed"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another user's")
def test_what_is_left_of_a_run_is_named_until_it_can_be_removed(unprivileged: Path) -> None:
    task = settled(unprivileged, "a", "b")
    for day, run_id in enumerate("ab", start=1):
        write_run(task, run_id, day)
    folder = unpacked(task, "a")
    os.seteuid(0)
    os.chown(folder, 0, 0)
    os.seteuid(NOBODY)
    for expected in (["a", "b"], []):
        gone, candidates = prune(task, EVERYTHING, NOW)
        assert [run.run_id for run in gone] == expected
        (told,) = map(str, candidates.stuck)
        assert "/cli/.pruned-" in told
        assert "cannot remove it: Permission denied; give this user the right" in told
        assert pruned_runs(task) == 2, "both are out of sight"
    os.seteuid(0)
    assert prune(task, EVERYTHING, NOW)[1].stuck == []
    assert list((task.folder / "cli").iterdir()) == []


def test_two_prunes_do_not_meet(task: TaskLayout) -> None:
    lock = try_lock(task.folder / ".prune.lock")
    assert lock is not None
    with pytest.raises(RunHeldError):
        prune(task, EVERYTHING, NOW)
    lock.release()
    assert left(task) == list(RUNS)


def goes_on(task: TaskLayout) -> LiveRun:
    run = begin_live_run(task, RunId("a"))
    write_manifest(task, "a", status="in_progress", completed_at=None, metrics_recorded=False)
    return run


def ends_again(task: TaskLayout) -> LiveRun:
    run = begin_live_run(task, RunId("a"))
    write_manifest(task, "a", completed_at=ended(9))
    run.end()
    return run


def is_killed(task: TaskLayout) -> LiveRun:
    run = begin_live_run(task, RunId("a"))
    write_manifest(task, "a", status="in_progress", completed_at=None, metrics_recorded=False)
    run.release()
    return run


def is_killed_before_its_entry(task: TaskLayout) -> LiveRun:
    run = begin_live_run(task, RunId("a"))
    write_manifest(task, "a", completed_at=ended(9), metrics_recorded=False)
    run.release()
    return run


@pytest.mark.parametrize("what", [goes_on, ends_again, is_killed, is_killed_before_its_entry])
def test_a_run_that_is_resumed_while_a_prune_is_at_work_stays_whole_and_is_not_counted(
    task: TaskLayout, what: Callable[[TaskLayout], LiveRun]
) -> None:
    resumed: list[LiveRun] = []

    def resume(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "replace" and Path(arguments[1]).name == ".pruned.jsonl" and task.cli_run(RunId("b")).folder.exists():
            resumed.append(what(task))

    before = all_files(task.folder)
    with counting(Calls(at_call=resume, sync=False)):
        assert removed(task, EVERYTHING) == ["b", "c", "d"]
    assert left(task) == ["a"]
    assert {name for name in all_files(task.folder) if "a/" in name} == {name for name in before if "a/" in name}
    assert pruned_runs(task) == 3
    if what is not ends_again:
        assert removed(task, EVERYTHING) == [], "its process is alive, or its record is not complete"
        assert os.path.lexists(task.live_runs / "a"), "whoever opens the task next finds it"
    resumed[0].release()


def test_a_run_cannot_be_resumed_while_its_folders_go(task: TaskLayout) -> None:
    tried = []

    def resume(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "replace" and Path(arguments[0]).name in RUNS:
            tried.append(arguments[0])
            with pytest.raises(RunHeldError):
                begin_live_run(task, RunId(Path(arguments[0]).name))

    with counting(Calls(at_call=resume, sync=False)):
        assert removed(task, EVERYTHING) == [*RUNS]
    assert len(tried) == 3 * len(RUNS)
    assert list(task.live_runs.iterdir()) == []


def test_looking_for_candidates_changes_nothing(tmp_path: Path, task: TaskLayout) -> None:
    before = all_files(tmp_path)
    assert [run.run_id for run in find_candidates(task).finished] == list(RUNS)
    assert all_files(tmp_path) == before


class KilledError(BaseException):
    """Nothing that changes the disk happens after it."""


def test_a_prune_that_is_broken_off_anywhere_is_finished_by_the_next(tmp_path: Path, task: TaskLayout) -> None:
    number, killed = 1, True
    while killed:
        root = Path(shutil.copytree(tmp_path, tmp_path.with_name(f"copy-{number}"), symlinks=True))
        copy = type(task.layout).below(root).task(task.task_id)

        def kill(count: int, name: str, arguments: tuple[Any, ...], number: int = number) -> None:
            if count >= number:
                raise KilledError

        with counting(Calls(at_call=kill, sync=False)):
            try:
                prune(copy, PruningRule(keep=1), NOW)
                killed = False
            except KilledError:
                pass
        prune(copy, PruningRule(keep=1), NOW)
        assert left(copy) == ["d"]
        for folder in (copy.folder, copy.folder / "cli", copy.folder / "mcp"):
            assert [name for name in os.listdir(folder) if name.startswith(".pruned-")] == []
        assert pruned_runs(copy) == 3
        assert list(copy.live_runs.glob("*")) == []
        shutil.rmtree(root)
        number += 1
    assert number > 10
