"""What single lines of a history hold, and what a merge makes of all of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.history_lines import HistoryNotes, LineNote, merge_lines, parse_entry
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.errors import DecodeError
from orchestrator_py.model.timestamp import Timestamp


def line(run_id: str, status: str = "succeeded") -> bytes:
    return json.dumps({"run_id": run_id, "status": status}).encode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"x", "it is not JSON (Expecting value, column 1)"),
        (b'{"a":1}{"b":2}', "it is not JSON (Extra data, column 8)"),
        (b'{"a":"\x00"}', "it is not JSON (Invalid control character at, column 7)"),
        (b"\x00" * 20, "it is not JSON (Expecting value, column 1)"),
        (b'{"a":"\xc3"}', "it is not UTF-8 (byte 7)"),
        (b'{"a":1e999}', "JSON holds a number beyond the range of a double"),
        (b'{"a":' + b"9" * 5000 + b"}", "JSON holds a number beyond the range of a double"),
        (b'{"a":NaN}', "JSON has no NaN"),
        (b'{"a":' * 300, "JSON is nested deeper than 256 levels"),
        (b"[]", "it is JSON, but no object"),
        (b"null", "it is JSON, but no object"),
    ],
)
def test_a_line_that_is_no_entry_says_why(text: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as raised:
        parse_entry(text)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    "text",
    [line("a") + b"\r", b"\xef\xbb\xbf" + line("a"), b'{"run_id":"b","run_id":"a"}', b' {"run_id":"a","n":' + b"9" * 200 + b"}"],
    ids=["CR", "byte order mark", "duplicate key", "large integer"],
)
def test_what_the_rollups_can_read_is_an_entry(text: bytes) -> None:
    assert parse_entry(text)["run_id"] == "a"


def test_a_giant_line_is_an_entry() -> None:
    assert len(json.dumps(parse_entry(json.dumps({"x": "y" * 2**21}).encode()))) > 2**21


def test_notes_are_taken_while_the_lines_pass() -> None:
    lines = [line("a"), b"", line("a", "failed"), b"x", line("b"), line("a")]
    notes = HistoryNotes()
    assert list(notes.noting(lines)) == lines
    assert notes.runs == {"a": ("succeeded", None), "b": ("succeeded", None)}
    assert notes.unreadable == [LineNote(4, "it is not JSON (Expecting value, column 1)")]
    assert notes.repeated == [LineNote(6, "a")]
    assert notes.size == sum(len(one) + 1 for one in lines)


def test_each_run_stands_in_the_place_of_its_first_line_with_its_last_readable_entry() -> None:
    merged = merge_lines(
        [line("a", "failed"), b" ", b'{"x":1}', line("b"), b"x", b"\xef\xbb\xbf" + line("a"), b'{"run_id":"a"', b'{"x":1}']
    )
    assert merged.lines == (line("a"), b'{"x":1}', line("b"), b'{"x":1}')
    assert (merged.unreadable, merged.repeated, merged.changed) == (2, 1, True)


ANY_LINE = st.sampled_from([b"", b"x", b"{}", b"[]", *(line(run, status) for run in "abc" for status in ("succeeded", "failed"))])


@given(st.lists(ANY_LINE))
def test_a_merge_keeps_the_totals_and_merging_again_changes_nothing(lines: list[bytes]) -> None:
    merged = merge_lines(lines)
    at = Timestamp("")
    before, after = (rollup_of_history(some).documents(baseline=None, updated_at=at) for some in (lines, merged.lines))
    assert after == before
    again = merge_lines(merged.lines)
    assert (again.lines, again.changed) == (merged.lines, False)
    assert merged.changed == (list(merged.lines) != lines)
