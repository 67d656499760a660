"""Something else in the place of a file or a folder: named, never followed, opened or removed, and nothing hangs."""

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.errors import IdentifierError, StoreError
from orchestrator_py.ids import RunId, parse_run_id, parse_task_id
from orchestrator_py.model.document import DocumentKind, RunDocument
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.live_runs import begin_live_run, lost_runs
from orchestrator_py.store.manifest_file import read_manifest
from orchestrator_py.store.overview import read_overview
from orchestrator_py.store.run_files import DiskRunFiles
from orchestrator_py.store.task_store import TaskStore
from tests.store.broken import settled
from tests.store.entries import TASK, assert_settled, entry, open_store, recorded


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """Two runs on record."""
    return settled(tmp_path, "a", "b")


def link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def endless_device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except (PermissionError, AttributeError):
        path.symlink_to("/dev/zero")


def unix_socket(path: Path) -> None:
    """A path may be too long for one, a name is not."""
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").touch()


KINDS = [link, link_to_itself, os.mkfifo, endless_device, unix_socket, folder]
FILES: dict[str, Callable[[TaskLayout], Path]] = {
    "history": lambda task: task.metrics,
    "segment": lambda task: task.pending / f"b-{task.metrics.stat().st_size}",
    "queue file": lambda task: task.pending / "x.jsonl",
    "lock": lambda task: task.lock,
    "baseline": lambda task: task.baseline,
    "rollup": lambda task: task.completeness,
    "rollup outside": lambda task: task.state,
    "rollup state": lambda task: task.rollup_state,
}


def inode(path: Path) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_ino, found.st_mode


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", FILES)
def test_an_open_names_it_and_leaves_it(tmp_path: Path, task: TaskLayout, file: str, kind: Callable[[Path], None]) -> None:
    path = FILES[file](task)
    path.unlink(missing_ok=True)
    kind(path)
    before = inode(path)
    with pytest.raises(StoreError) as refused:
        open_store(tmp_path)
    assert str(refused.value).startswith(f"{path}: is a")
    assert "move it away" in str(refused.value)
    assert inode(path) == before
    assert not path.with_name("elsewhere").exists()


@pytest.mark.parametrize("file", FILES)
def test_when_it_is_moved_away_everything_goes_on(tmp_path: Path, task: TaskLayout, file: str) -> None:
    path = FILES[file](task)
    earlier = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(StoreError):
        open_store(tmp_path)
    path.unlink()
    if earlier is not None and file != "lock":
        path.write_bytes(earlier)
    open_store(tmp_path).close()
    assert recorded(task) == ["a", "b"]
    assert_settled(task)


def record_and_show(store: TaskStore) -> None:
    store.commit([entry("d")])
    store.rest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["a segment that is born", "the history that is folded"])
def test_what_comes_under_a_living_owner_is_named_and_left(
    tmp_path: Path, task: TaskLayout, place: str, kind: Callable[[Path], None]
) -> None:
    store = open_store(tmp_path)
    path = FILES["segment"](task) if place == "a segment that is born" else task.metrics
    if path == task.metrics:
        store.commit([entry("c")])
        path.rename(tmp_path / "kept.json")
    kind(path)
    before = inode(path)
    with pytest.raises(StoreError, match=path.name):
        record_and_show(store)
    assert inode(path) == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not folder])
@pytest.mark.parametrize("place", ["folder", "pending", "rollups"])
def test_in_the_place_of_a_folder(tmp_path: Path, task: TaskLayout, place: str, kind: Callable[[Path], None]) -> None:
    path: Path = getattr(task, place)
    path.rename(tmp_path / "moved")
    kind(path)
    before = inode(path)
    for action in (lambda: open_store(tmp_path), lambda: read_overview(task)):
        with pytest.raises(StoreError) as refused:
            action()
        assert str(path) in str(refused.value)
    assert inode(path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_in_the_place_of_a_manifest(task: TaskLayout, kind: Callable[[Path], None]) -> None:
    path = task.cli_run(RunId("r")).manifest
    path.parent.mkdir(parents=True)
    kind(path)
    before = inode(path)
    files = DiskRunFiles(task.layout, TASK)
    with pytest.raises(StoreError, match=r"manifest\.json: is a"):
        read_manifest(task, RunId("r"))
    with pytest.raises(StoreError, match=r"manifest\.json: is a"):
        files.write([RunDocument(kind=DocumentKind.MANIFEST, run_id=RunId("r"), content=b"{}")])
    assert inode(path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_in_the_place_of_a_marker(task: TaskLayout, kind: Callable[[Path], None]) -> None:
    task.live_runs.mkdir(exist_ok=True)
    path = task.live_runs / "r"
    kind(path)
    before = inode(path)
    with pytest.raises(StoreError, match="live-runs/r: is a"):
        begin_live_run(task, RunId("r"))
    with pytest.raises(StoreError, match="live-runs/r: is a"):
        list(lost_runs(task))
    assert inode(path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("place", ["folder", "pending", "rollups"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, task: TaskLayout, place: str) -> None:
    path: Path = getattr(task, place)
    path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="give this user the right"):
            record_and_show(open_store(tmp_path))
    finally:
        path.chmod(0o700)
    assert recorded(task) == ["a", "b"]


def test_a_giant_line_is_recorded_folded_and_counted_once(tmp_path: Path, task: TaskLayout) -> None:
    giant = entry("giant", padding=20 * 1024 * 1024)
    store, guest = open_store(tmp_path), open_store(tmp_path)
    guest.commit([giant])
    store.commit([entry("c"), giant, entry("d")])
    store.rest()
    guest.close()
    store.close()
    assert recorded(task) == ["a", "b", "c", "giant", "d"]
    assert json.loads(task.post_rollout.read_bytes())["total_runs"] == 5
    assert_settled(task)


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", "a\\b", "", "\0", "a\n", "/etc/passwd", ".hidden", "a:b", "a*"])
def test_an_id_that_would_leave_the_folder_is_refused(name: str) -> None:
    for parse in (parse_task_id, parse_run_id):
        with pytest.raises(IdentifierError):
            parse(name)
