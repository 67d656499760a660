"""The stamps of the machine's clock, most of which is made once a second."""

import time

import pytest

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.model.timestamp import parse_timestamp


@pytest.mark.parametrize(
    ("nanoseconds", "stamp"),
    [
        (1_766_325_767_637_000_000, "2025-12-21T14:02:47.637Z"),
        (1_766_325_767_637_999_999, "2025-12-21T14:02:47.637Z"),
        (1_766_325_767_999_999_999, "2025-12-21T14:02:47.999Z"),
        (1_766_325_768_000_000_000, "2025-12-21T14:02:48.000Z"),
        (1_766_325_766_007_000_000, "2025-12-21T14:02:46.007Z"),
        (0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_stamp_is_cut_to_milliseconds_whatever_the_one_before_was(monkeypatch: pytest.MonkeyPatch, nanoseconds: int, stamp: str) -> None:
    clock = SystemClock()
    for moment, expected in ((1_766_325_767_001_000_000, "2025-12-21T14:02:47.001Z"), (nanoseconds, stamp)):
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        assert clock.now() == expected


def test_it_is_the_time_of_the_machine() -> None:
    before = time.time()
    moment = parse_timestamp(SystemClock().now())
    assert moment is not None
    assert before - 0.002 <= moment.timestamp() <= time.time()
