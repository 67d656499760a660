"""A share is never told as more than it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.reading.shares import percent


@given(st.integers(1, 10**9).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_it_is_the_largest_tenth_of_a_percent_that_is_reached(counts: tuple[int, int]) -> None:
    some, total = counts
    tenths = 1000 * some // total
    assert percent(some / total) == f"{tenths // 10}.{tenths % 10} %"


@given(st.integers(1, 10**9))
def test_all_but_one_are_not_all(total: int) -> None:
    assert percent((total - 1) / total) != "100.0 %"


@given(st.integers(0, 1000))
def test_every_tenth_is_told_as_it_is(tenths: int) -> None:
    assert percent(tenths / 1000) == percent(float(f"{tenths / 1000:.3f}")) == f"{tenths / 10:.1f} %"


@pytest.mark.parametrize(("fraction", "told"), [(1, "100.0 %"), (-0.1234, "-12.4 %"), (1e300, f"{1e302:.1f} %"), (math.inf, "inf %")])
def test_what_is_no_share_is_told_too(fraction: float, told: str) -> None:
    assert percent(fraction) == told
