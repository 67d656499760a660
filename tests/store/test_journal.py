"""Batches and segments: what was acknowledged can be read back, and nothing else is taken for it."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.errors import StoreError
from orchestrator_py.store.journal import (
    BATCH_BYTES,
    Batch,
    Journal,
    SegmentError,
    create_batch,
    in_batches,
    list_segments,
    read_batches,
    read_segment,
)
from tests.store.faults import COUNTS_SYNCS, Calls, counting

A_LINE = st.binary(max_size=40).map(lambda line: b"{" + line.replace(b"\n", b"") + b"\n")
SOME_LINES = st.lists(A_LINE, min_size=1, max_size=4).map(b"".join)
NAMES = st.lists(st.text(max_size=8), max_size=3).map(tuple)


def batches_of(contents: list[tuple[bytes, tuple[str, ...]]]) -> list[Batch]:
    batches: list[Batch] = []
    for lines, absorbed in contents:
        batches.append(create_batch(start=batches[-1].end if batches else 7, lines=lines, absorbed=absorbed))
    return batches


@given(st.lists(st.tuples(SOME_LINES, NAMES), max_size=4))
def test_batches_are_read_back_as_they_were_written(contents: list[tuple[bytes, tuple[str, ...]]]) -> None:
    batches = batches_of(contents)
    assert list(read_batches(BytesIO(b"".join(batch.data for batch in batches)))) == batches


@given(st.lists(st.tuples(SOME_LINES, NAMES), min_size=1, max_size=3), st.data())
def test_a_torn_segment_ends_before_its_torn_batch(contents: list[tuple[bytes, tuple[str, ...]]], data: st.DataObject) -> None:
    batches = batches_of(contents)
    whole = b"".join(batch.data for batch in batches)
    cut = data.draw(st.integers(min_value=len(whole) - len(batches[-1].data), max_value=len(whole) - 1))
    assert list(read_batches(BytesIO(whole[:cut]))) == batches[:-1]


@given(st.lists(st.tuples(SOME_LINES, NAMES), min_size=1, max_size=3), st.data())
def test_a_changed_byte_ends_the_valid_prefix(contents: list[tuple[bytes, tuple[str, ...]]], data: st.DataObject) -> None:
    batches = batches_of(contents)
    whole = bytearray(b"".join(batch.data for batch in batches))
    place = data.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    whole[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    found = list(read_batches(BytesIO(whole)))
    assert found == batches[: len(found)]
    assert len(found) < len(batches)


def test_a_stale_batch_behind_the_last_one_is_not_taken_for_its_successor() -> None:
    stale = create_batch(start=0, lines=b"{1}\n{2}\n")
    shorter = create_batch(start=0, lines=b"{1}\n")
    segment = shorter.data + stale.data[len(shorter.data) :]
    assert list(read_batches(BytesIO(segment))) == [shorter]


def test_groups_fit_into_a_batch_and_an_oversized_item_stands_alone() -> None:
    sizes = [BATCH_BYTES // 2, BATCH_BYTES // 2, 1, BATCH_BYTES + 1, 5]
    assert list(in_batches(sizes, lambda size: size)) == [sizes[:2], [1], [BATCH_BYTES + 1], [5]]
    assert list(in_batches(range(5), lambda _: 1, most=2)) == [[0, 1], [2, 3], [4]]


def test_segments_are_sorted_by_number(tmp_path: Path) -> None:
    for name in ("b-10", "b-9", "b-100", "b-x", "9-a.jsonl"):
        (tmp_path / name).touch()
    assert [path.name for path in list_segments(tmp_path)] == ["b-9", "b-10", "b-100"]


def append(journal: Journal, lines: bytes) -> None:
    journal.append(create_batch(start=journal.end, lines=lines))


def test_one_segment_lives_and_grows(tmp_path: Path) -> None:
    journal = Journal(folder=tmp_path, end=5)
    append(journal, b"{1}\n")
    append(journal, b"{2}\n")
    assert os.listdir(tmp_path) == ["b-5"]
    assert [batch.lines for batch in journal.acknowledged(5)] == [b"{1}\n", b"{2}\n"]
    assert [batch.lines for batch in journal.acknowledged(9)] == [b"{2}\n"]
    journal.finish()


@COUNTS_SYNCS
def test_the_order_of_calls_at_a_birth_and_after_an_unlink(tmp_path: Path) -> None:
    names: list[str] = []
    journal = Journal(folder=tmp_path, end=0)
    with counting(Calls(at_call=lambda _, name, __: names.append(name))):
        append(journal, b"{1}\n")
        append(journal, b"{2}\n")
        journal.drop_segments()
        append(journal, b"{3}\n")
    birth = ["open", "write", "fdatasync", "fsync"]
    assert names == [*birth, "write", "fdatasync", "unlink", "fsync", *birth]
    journal.finish()


@COUNTS_SYNCS
def test_a_failed_sync_finishes_the_segment(tmp_path: Path) -> None:
    journal = Journal(folder=tmp_path, end=0)
    append(journal, b"{1}\n")

    def fail(number: int, name: str, arguments: tuple[object, ...]) -> None:
        if name == "fdatasync":
            raise OSError(5, "Input/output error")

    with counting(Calls(at_call=fail)), pytest.raises(SegmentError, match="b-0: cannot append to it: Input/output error"):
        append(journal, b"{2}\n")
    assert [batch.lines for batch in journal.acknowledged(0)] == [b"{1}\n"]
    journal.drop_segments()
    append(journal, b"{2}\n")
    assert [batch.lines for batch in journal.acknowledged(4)] == [b"{2}\n"]
    assert os.listdir(tmp_path) == ["b-4"]
    journal.finish()


def test_an_acknowledged_batch_that_cannot_be_read_back_is_an_error_and_never_left_out(tmp_path: Path) -> None:
    journal = Journal(folder=tmp_path, end=0)
    append(journal, b"{1}\n")
    append(journal, b"{2}\n")
    content = (tmp_path / "b-0").read_bytes()
    (tmp_path / "b-0").write_bytes(content.replace(b"{2}", b"{3}"))
    with pytest.raises(StoreError, match="the journal ends at byte 4, but 8 were recorded"):
        list(journal.acknowledged(0))
    journal.finish()


def test_a_dead_owners_segment_goes_on_behind_its_last_batch(tmp_path: Path) -> None:
    first, second = batches_of([(b"{1}\n", ()), (b"{2}\n", ())])
    (tmp_path / "b-7").write_bytes(first.data + second.data + b"{torn tail that is longer than what follows")
    journal = Journal(folder=tmp_path, end=second.end, segments=[tmp_path / "b-7"])
    journal.revive(tmp_path / "b-7", len(first.data), second)
    append(journal, b"{3}\n")
    assert [batch.lines for batch in read_segment(tmp_path / "b-7")] == [b"{1}\n", b"{2}\n", b"{3}\n"]
    journal.finish()
