"""Whole-file replacement, and what is refused by name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store.files import fsync_folder, make_folders, read_bytes, remove_temps, replace_bytes, replacing, target_of_temp
from tests.store.faults import COUNTS_SYNCS, Calls, counting


def test_a_file_is_replaced_whole_and_leaves_no_temp_file(tmp_path: Path) -> None:
    target = tmp_path / "manifest.json"
    replace_bytes(target, b"old", durable=True)
    replace_bytes(target, b"new", durable=False)
    assert read_bytes(target) == b"new"
    assert os.listdir(tmp_path) == ["manifest.json"]


@COUNTS_SYNCS
def test_a_durable_replacement_syncs_before_the_rename_and_the_folder_after_it(tmp_path: Path) -> None:
    names: list[str] = []
    with counting(Calls(at_call=lambda _, name, __: names.append(name))):
        replace_bytes(tmp_path / "f", b"x", durable=True)
    assert names == ["open", "write", "fsync", "replace", "fsync"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
    replace_bytes(tmp_path / "f", b"0123456789", durable=False)
    assert read_bytes(tmp_path / "f") == b"0123456789"


@COUNTS_SYNCS
@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_a_failed_replacement_keeps_the_old_bytes_and_removes_its_temp_file(tmp_path: Path, failing: str) -> None:
    target = tmp_path / "f"
    target.write_bytes(b"old")

    def fail(number: int, name: str, arguments: tuple[object, ...]) -> None:
        if name == failing:
            raise OSError(28, "No space left on device")

    with counting(Calls(at_call=fail)), pytest.raises(StoreError) as caught:
        replace_bytes(target, b"new", durable=True)
    assert str(caught.value) == f"{target}: cannot replace it: No space left on device; free some space, then start again."
    assert read_bytes(target) == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_file_that_is_not_there_reads_as_none(tmp_path: Path) -> None:
    assert read_bytes(tmp_path / "nothing") is None


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a symbolic link"])
def test_what_is_no_file_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "metrics.json"
    match kind:
        case "a FIFO":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()
        case _:
            path.symlink_to(tmp_path / "elsewhere")
    refusal = f"metrics.json: is {kind} where a file belongs; move it away"
    with pytest.raises(StoreError, match=refusal):
        read_bytes(path)
    with pytest.raises(StoreError, match=refusal):
        replace_bytes(path, b"x", durable=False)
    assert os.listdir(tmp_path) == ["metrics.json"]


def test_a_missing_folder_is_a_store_error_with_reason_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone/f: cannot replace it: No such file or directory; put the folder back"):
        replace_bytes(tmp_path / "gone" / "f", b"x", durable=True)
    with pytest.raises(StoreError, match="cannot sync it"):
        fsync_folder(tmp_path / "gone")


def test_folders_are_made_and_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    make_folders(tmp_path / "a" / "b", durable=True)
    make_folders(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file: is a file where a folder belongs"):
        make_folders(tmp_path / "file")
    with pytest.raises(StoreError, match="file: is a file where a folder belongs; move it away"):
        make_folders(tmp_path / "file" / "below")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(StoreError, match="link: is a symbolic link where a folder belongs"):
        make_folders(tmp_path / "link")


def test_temp_files_of_one_target_are_removed_and_no_others(tmp_path: Path) -> None:
    for name in ("f", "f.tmp-1-2-3", "ff.tmp-1-2-3", "f.jsonl"):
        (tmp_path / name).touch()
    remove_temps(tmp_path / "f")
    assert sorted(os.listdir(tmp_path)) == ["f", "f.jsonl", "ff.tmp-1-2-3"]


def test_what_a_killed_writer_leaves_is_known_by_its_name(tmp_path: Path) -> None:
    with replacing(tmp_path / "f", synced=False):
        (left,) = os.listdir(tmp_path)
    (tmp_path / left).touch()
    assert target_of_temp(tmp_path / left) == "f"
    remove_temps(tmp_path / "f")
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize(
    "name", ["f.tmp-x", "f.tmp-1", "f.tmp-1-2", "f.tmp-1-2-3-4", "f.tmp-1-2-3.json", "f.tmp-1-2-3\n", "f.tmp-1-2-3.tmp-4-5-6"]
)
def test_a_file_that_only_looks_like_a_temp_file_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"somebody else's")
    remove_temps(tmp_path / "f")
    assert (tmp_path / name).read_bytes() == b"somebody else's"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("elsewhere")], ids=["folder", "FIFO", "link"])
def test_what_is_no_file_is_no_temp_file_whatever_its_name(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "f.tmp-1-2-3")
    remove_temps(tmp_path / "f")
    assert os.listdir(tmp_path) == ["f.tmp-1-2-3"]
