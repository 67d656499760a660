"""Periods and trends say of each run what a look at all of them says."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.pages.periods import RunFacts, periods, trend
from orchestrator_py.pages.run_table import differences
from orchestrator_py.reading.figures import median, percentile

durations = st.lists(st.none() | st.floats(0, 1e6), max_size=60)


def fact(number: int, seconds: float | None) -> RunFacts:
    return RunFacts(
        run_id=str(number), word="failed" if number % 3 else "succeeded", start=float(number), seconds=seconds, passed=1, failed=0
    )


@given(durations, st.integers(1, 12))
def test_a_trend_is_median_and_percentile_of_the_last_durations(values: list[float | None], most: int) -> None:
    for place, found in enumerate(trend(values, most)):
        last = [value for value in values[: place + 1] if value is not None][-most:]
        assert found == (median(last), percentile(last, 95))


@given(durations, st.integers(1, 12))
def test_every_run_is_in_one_period_and_all_but_the_oldest_have_the_same_number(values: list[float | None], most: int) -> None:
    facts = [fact(number, seconds) for number, seconds in enumerate(values)]
    found = periods(facts, most)
    assert len(found) <= most
    assert sum(one.runs for one in found) == sum(sum(one.counts.values()) for one in found) == len(facts)
    assert len({one.runs for one in found[1:]}) <= 1
    assert [one.start for one in found] == sorted(one.start or 0 for one in found)


@given(st.lists(st.none() | st.integers(-(10**9), 10**9)))
def test_differences_add_up_to_the_numbers(numbers: list[int | None]) -> None:
    total, found = 0, list[int | None]()
    for step in differences(numbers):
        total += step or 0
        found.append(None if step is None else total)
    assert found == numbers
