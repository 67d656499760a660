"""The history: folding, adopting, and reading it together with the journal."""

from pathlib import Path

import pytest

from orchestrator_py.errors import HistoryChangedError
from orchestrator_py.store.history import History, read_history, read_stamp
from orchestrator_py.store.journal import create_batch
from tests.store.entries import entry, open_store, task_below, write_history


def history_of(path: Path) -> History:
    return History(path=path, stamp=read_stamp(path))


def test_lines_are_split_on_newlines_alone(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    lines = ['{"a":"\u2028\u0085"}'.encode(), b'{"b":1}\r', b"", b"no newline at the end"]
    write_history(task, b"\n".join(lines))
    assert list(read_history(task)) == lines


def test_there_is_no_history_before_the_first_entry(tmp_path: Path) -> None:
    assert list(read_history(task_below(tmp_path))) == []


def test_history_and_journal_are_read_as_one_from_any_byte_on(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    write_history(task, b"{1}\n{2}\n")
    task.pending.mkdir()
    third = create_batch(start=8, lines=b"{3}\n{4}\n")
    fifth = create_batch(start=16, lines=b"{5}\n")
    (task.pending / "b-8").write_bytes(third.data + fifth.data + b"{torn")
    whole = b"{1}\n{2}\n{3}\n{4}\n{5}\n"
    for start in range(len(whole) + 1):
        assert list(read_history(task, start)) == whole[start:].split(b"\n")[:-1], start


def test_a_segment_that_is_folded_already_is_not_read_twice(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    write_history(task, b"{1}\n{2}\n")
    task.pending.mkdir()
    (task.pending / "b-4").write_bytes(create_batch(start=4, lines=b"{2}\n").data + create_batch(start=8, lines=b"{3}\n").data)
    assert list(read_history(task)) == [b"{1}", b"{2}", b"{3}"]


def test_a_reader_that_meets_a_fold_reads_what_belongs_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fold happens between opening the history and listing the segments."""
    store, task = open_store(tmp_path), task_below(tmp_path)
    store.commit([entry("a")])
    listed: list[int] = []

    def list_after_a_fold(folder: Path) -> list[Path]:
        listed.append(1)
        if len(listed) == 1:
            store.flush()
        return sorted(folder.glob("b-*"))

    monkeypatch.setattr("orchestrator_py.store.history.list_segments", list_after_a_fold)
    assert len(list(read_history(task))) == 1
    assert len(listed) > 1
    monkeypatch.undo()
    store.close()


def test_a_fold_puts_lines_behind_the_bytes_that_stand_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(b"{1}\n")
    history = history_of(path)
    history.extend([b"{2}\n", b"{3}\n"])
    assert path.read_bytes() == b"{1}\n{2}\n{3}\n"
    assert history.stamp == read_stamp(path)
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_a_fold_over_another_programs_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(b"{1}\n")
    history = history_of(path)
    with path.open("ab") as foreign:
        foreign.write(b"{foreign}\n")
    with pytest.raises(HistoryChangedError, match=r"metrics rebuild"):
        history.extend([b"{2}\n"])
    assert path.read_bytes() == b"{1}\n{foreign}\n"


def test_a_batch_is_folded_only_if_its_very_bytes_stand_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(b"{1}\n{2}\n")
    history = history_of(path)
    assert history.holds(create_batch(start=4, lines=b"{2}\n"))
    assert not history.holds(create_batch(start=4, lines=b"{3}\n"))
    assert not history.holds(create_batch(start=8, lines=b"{3}\n"))
