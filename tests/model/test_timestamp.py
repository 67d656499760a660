"""Whatever a text says: it names a moment that can be written as the contract has it, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.model.timestamp import format_timestamp, parse_timestamp, seconds_between

DATES = st.datetimes().map(lambda moment: moment.isoformat())
ZONES = st.sampled_from(["", "Z", "+00:00"]) | st.builds(
    "{}{:02d}:{:02d}".format, st.sampled_from("+-"), st.integers(0, 23), st.integers(0, 59)
)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59.999-00:01", "0001-01-01T00:00:00.000+23:59"])
def test_a_moment_that_utc_has_no_year_for_is_none(text: str) -> None:
    assert parse_timestamp(text) is None
    assert seconds_between(text, text) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0001-01-01T10:00:00+10:00", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000Z"),
    ],
)
def test_any_other_moment_is_written_in_utc(text: str, written: str) -> None:
    moment = parse_timestamp(text)
    assert moment is not None
    assert format_timestamp(moment) == written


@given(DATES, ZONES)
def test_what_can_be_read_can_be_written(date: str, zone: str) -> None:
    moment = parse_timestamp(date + zone)
    assert moment is None or parse_timestamp(format_timestamp(moment)) is not None


@given(st.text() | st.none() | st.integers() | st.floats())
def test_anything_else_is_none_or_a_moment_that_can_be_written(value: object) -> None:
    moment = parse_timestamp(value)
    assert moment is None or format_timestamp(moment)
