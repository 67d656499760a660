"""The stamps of one run are its start plus what the monotonic clock measured, to the millisecond."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.model.timestamp import Timestamp, format_timestamp, parse_timestamp

START = Timestamp("2026-01-02T03:04:05.678Z")


class Steps:
    """A clock that stands where it is put, in microseconds."""

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self.passed = 0

    def now(self) -> Timestamp:
        return START

    def monotonic(self) -> float:
        return self.origin + self.passed / 1_000_000


@given(
    origin=st.floats(min_value=0, max_value=1e6),
    steps=st.lists(st.sampled_from([0, 1, 499, 500, 999, 1000, 1001, 250_000, 86_400_000_000]), max_size=30),
)
def test_every_stamp_is_the_start_plus_whole_milliseconds(origin: float, steps: list[int]) -> None:
    clock = Steps(origin)
    run = RunClock(clock)
    begin = parse_timestamp(START)
    assert begin is not None
    assert run.now() == run.started_at == START
    for step in steps:
        clock.passed += step
        wanted = format_timestamp(begin + timedelta(milliseconds=clock.passed // 1000))
        assert run.now() == wanted
        assert run.read() == (wanted, clock.monotonic())
