"""What a process shows of its embedded runs is whole, dies with it, and costs no run anything if the disk refuses."""

import errno
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store import markers
from orchestrator_py.store.flight_board import DiskFlightBoard
from orchestrator_py.store.markers import is_held
from tests.store.entries import task_below
from tests.store.faults import Calls, counting, refuse_links
from tests.store.flying import document, flight, fly


def names(root: Path) -> list[str]:
    return sorted(path.name for path in task_below(root).in_flight.iterdir())


def test_a_document_stands_beside_a_marker_until_there_is_nothing_to_show(tmp_path: Path) -> None:
    board = fly(tmp_path, "a")
    marker, shown = names(tmp_path)
    assert shown == f"{marker}.json"
    board.show(document([flight("b")]))
    assert names(tmp_path) == [marker, shown]
    assert (task_below(tmp_path).in_flight / shown).read_bytes() == document([flight("b")])
    board.show(b"")
    assert names(tmp_path) == []
    board.close()


def test_a_board_that_shows_again_takes_a_new_name(tmp_path: Path) -> None:
    board = fly(tmp_path, "a")
    first = names(tmp_path)
    board.show(b"")
    board.show(document([flight("b")]))
    assert not set(first) & set(names(tmp_path))
    board.close()
    board.close()
    assert names(tmp_path) == []


def test_without_hard_links_a_board_shows_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refuse_links)
    board = fly(tmp_path, "a")
    board.show(document([flight("b")]))
    marker, shown = names(tmp_path)
    assert shown == f"{marker}.json"
    board.close()
    assert names(tmp_path) == []


def test_a_marker_that_the_disk_keeps_is_not_taken_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lock is gone: what is shown beside it would be taken for that of a dead process."""
    board = fly(tmp_path, "a")
    with monkeypatch.context() as patched:
        patched.setattr(markers, "remove_file", refuse_removal)
        board.show(b"")
    (kept,) = names(tmp_path)
    board.show(document([flight("b")]))
    marker, shown = sorted(set(names(tmp_path)) - {kept})
    assert shown == f"{marker}.json"
    assert is_held(task_below(tmp_path).in_flight / marker)
    board.close()


def refuse_removal(path: Path) -> bool:
    raise StoreError(f"{path}: cannot remove it")


def test_a_board_that_shows_nothing_makes_nothing(tmp_path: Path) -> None:
    board = DiskFlightBoard(task_below(tmp_path))
    board.show(b"")
    board.close()
    assert list(tmp_path.iterdir()) == []


def test_two_processes_show_side_by_side(tmp_path: Path) -> None:
    one, other = fly(tmp_path, "a"), fly(tmp_path, "b")
    assert len(names(tmp_path)) == 4
    one.close()
    (_, shown) = names(tmp_path)
    assert b'"b"' in (task_below(tmp_path).in_flight / shown).read_bytes()
    other.close()


@pytest.mark.parametrize("number", range(1, 9))
def test_a_disk_that_refuses_is_told_once_and_stops_nobody(tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture) -> None:
    def at_call(count: int, name: str, arguments: tuple[Any, ...]) -> None:
        if count >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    task_below(tmp_path).in_flight.mkdir(parents=True)
    with caplog.at_level(logging.WARNING), counting(Calls(at_call=at_call)) as calls:
        board = fly(tmp_path, "a")
        board.show(document([flight("b")]))
        board.show(document([flight("c")]))
        board.close()
    assert calls.raised
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["runs in flight are not shown"]
