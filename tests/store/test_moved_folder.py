"""A task's folder that is moved away, replaced or deleted under its owner: nothing is acknowledged that nobody would find."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.task_store import TaskStore
from tests.cli.running import as_object, command, configure_stages, run
from tests.store.entries import all_files, assert_settled, entry, open_store, recorded, task_below

MOVED = {"runs": lambda task: task.layout.runs_root, "task": lambda task: task.folder, "pending": lambda task: task.pending}


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    return task_below(tmp_path / "root")


@pytest.fixture
def store(tmp_path: Path) -> TaskStore:
    """With one acknowledged entry in the journal."""
    store = open_store(tmp_path / "root")
    store.commit([entry("a")])
    return store


def deleted(folder: Path, aside: Path) -> None:
    shutil.copytree(folder, aside)
    shutil.rmtree(folder)


def moved(folder: Path, aside: Path) -> None:
    folder.rename(aside)


def replaced_by_a_copy(folder: Path, aside: Path) -> None:
    folder.rename(aside)
    shutil.copytree(aside, folder)


def replaced_by_a_new_one(folder: Path, aside: Path) -> None:
    folder.rename(aside)
    folder.mkdir()


WAYS = [deleted, moved, replaced_by_a_copy, replaced_by_a_new_one]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", MOVED)
def test_the_next_commit_is_refused_and_the_folder_that_is_put_back_holds_what_was_acknowledged(
    tmp_path: Path, task: TaskLayout, store: TaskStore, what: str, way: Callable[[Path, Path], None]
) -> None:
    folder = MOVED[what](task)
    way(folder, tmp_path / "aside")
    with pytest.raises(StoreError, match=r"(put the folder back|put the earlier .* back|was replaced; leave)") as refused:
        store.commit([entry("b")])
    assert str(task.folder) in str(refused.value)
    for action in (store.rest, store.publish, store.flush):
        with pytest.raises(StoreError):
            action()
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
    (tmp_path / "aside").rename(folder)
    successor = open_store(tmp_path / "root")
    successor.commit([entry("b", repeated=True)])
    successor.close()
    assert recorded(task) == ["a", "b"]
    assert_settled(task)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["runs", "task"])
def test_nothing_is_published_into_a_folder_that_took_the_place(
    tmp_path: Path, task: TaskLayout, store: TaskStore, what: str, way: Callable[[Path, Path], None]
) -> None:
    way(MOVED[what](task), tmp_path / "aside")
    before = all_files(tmp_path)
    with pytest.raises(StoreError):
        store.publish()
    assert all_files(tmp_path) == before


@pytest.mark.parametrize("what", MOVED)
def test_a_move_between_the_look_and_the_write_is_not_acknowledged(
    tmp_path: Path, task: TaskLayout, store: TaskStore, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the very write, in the live segment: its descriptor leads to the moved file."""
    write = os.write

    def move_first(descriptor: int, data: bytes) -> int:
        monkeypatch.undo()
        moved(MOVED[what](task), tmp_path / "aside")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", move_first)
    with pytest.raises(StoreError, match=r"find the journal again.*put the folder back"):
        store.commit([entry("b")])


def test_a_guest_whose_folder_went_says_so(tmp_path: Path, task: TaskLayout, store: TaskStore) -> None:
    guest = open_store(tmp_path / "root")
    moved(task.folder, tmp_path / "aside")
    with pytest.raises(StoreError, match="put the folder back, or start the run again"):
        guest.commit([entry("b")])


def test_a_guest_writes_into_the_folder_that_stands_there(tmp_path: Path, task: TaskLayout, store: TaskStore) -> None:
    """Everybody finds it there."""
    guest = open_store(tmp_path / "root")
    moved(task.folder, tmp_path / "aside")
    open_store(tmp_path / "root").close()
    guest.commit([entry("b")])
    guest.close()
    assert recorded(task) == ["b"]


@pytest.mark.parametrize(
    "shell",
    [
        "mv .runs gone",
        "mv .runs gone; mkdir -p .runs/0101/metrics.pending",
        "until rm -r .runs/0101; do :; done",  # a manifest may come while it is at work
        "mv .runs/0101/metrics.pending gone",
    ],
)
def test_the_command_line_ends_with_74_and_tells_the_entry(tmp_path: Path, shell: str) -> None:
    configure_stages(tmp_path, command("a", shell))
    finished = run(tmp_path, "run", "--format", "json")
    document = finished.document()
    assert (finished.code, document["exit_code"], document["outcome"]) == (74, 74, "succeeded")
    assert as_object(document["entry"])["run_id"] == document["run_id"]
    assert str(tmp_path / ".runs" / "0101") in finished.stderr
    assert "Traceback" not in finished.stderr
