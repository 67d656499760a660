"""Median and percentile are what their definitions say."""

import math
import statistics

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.reading.figures import change, median, percentile

numbers = st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=50)


@given(numbers)
def test_the_median_is_that_of_the_statistics_module(values: list[float]) -> None:
    assert median(values) == statistics.median(values)


@given(numbers, st.integers(min_value=1, max_value=100))
def test_a_percentile_is_the_smallest_number_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    smaller = [value for value in values if value < found]
    assert not smaller or sum(value <= max(smaller) for value in values) * 100 < percent * len(values)


@given(st.lists(st.floats(min_value=0, allow_infinity=False), min_size=1, max_size=6), st.floats(min_value=0, exclude_min=True))
def test_figures_of_numbers_that_can_be_read_can_be_written(values: list[float], before: float) -> None:
    middle, grown = median(values), change(median(values), before)
    assert middle is not None
    assert min(values) <= middle <= max(values)
    assert grown is None or math.isfinite(100 * grown)


def test_the_largest_and_the_smallest_numbers_have_a_median_and_perhaps_no_change() -> None:
    assert (median([1e308, 1e308]), median([5e-324, 5e-324])) == (1e308, 5e-324)
    assert (change(3.0, 5e-324), change(1e307, 1)) == (None, None)


def test_without_numbers_there_is_no_figure() -> None:
    assert (median([]), percentile([], 95)) == (None, None)


def test_a_change_needs_something_to_compare_with() -> None:
    assert change(3.0, 2) == 0.5
    assert [change(None, 2), change(1.0, None), change(1.0, 0), change(1.0, True), change(1.0, "2")] == [None] * 5
