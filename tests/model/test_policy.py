"""Pauses before retries, and what a policy refuses."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.model.policy import LONGEST_PAUSE, RetryPolicy, SubtaskPolicy


def seconds(policy: RetryPolicy, count: int = 4, chance: float = 0) -> list[float]:
    """The first pauses."""
    return [policy.pause_after(attempt, chance).total_seconds() for attempt in range(1, count + 1)]


def after(first: float, *, factor: float = 1, most: float | None = None, jitter: bool = False) -> RetryPolicy:
    longest = None if most is None else timedelta(seconds=most)
    return RetryPolicy(backoff=timedelta(seconds=first), max_backoff=longest, backoff_factor=factor, jitter=jitter)


def test_a_pause_stays_as_it_is_unless_it_is_told_to_grow() -> None:
    assert seconds(after(2)) == [2, 2, 2, 2]


def test_a_pause_grows_by_its_factor_until_the_longest() -> None:
    assert seconds(after(1, factor=2)) == [1, 2, 4, 8]
    assert seconds(after(1, factor=3, most=5)) == [1, 3, 5, 5]
    assert seconds(after(9, factor=2, most=5)) == [5, 5, 5, 5]


def test_growth_ends_after_an_hour_if_nothing_else_is_said() -> None:
    assert after(1, factor=10).pause_after(10**9, 0) == LONGEST_PAUSE
    assert seconds(after(7200, factor=10)) == [7200] * 4


def test_no_pause_does_not_grow() -> None:
    assert seconds(after(0, factor=1e308)) == [0, 0, 0, 0]


def test_jitter_takes_half_of_a_pause_at_most() -> None:
    assert seconds(after(4, factor=2, jitter=True), 2, chance=0) == [4, 8]
    assert seconds(after(4, factor=2, jitter=True), 2, chance=1) == [2, 4]
    assert seconds(after(4), 1, chance=1) == [4]


@given(st.floats(0, 1e6), st.floats(1, 1e300), st.integers(1, 10**6), st.floats(0, 1), st.booleans())
def test_a_pause_never_shrinks_below_half_of_the_first_nor_grows_beyond_the_longest(
    first: float, factor: float, attempt: int, chance: float, jitter: bool
) -> None:
    policy = after(first, factor=factor, jitter=jitter)
    pause = policy.pause_after(attempt, chance)
    assert policy.backoff / 2 - timedelta(microseconds=1) <= pause <= max(policy.backoff, LONGEST_PAUSE)


@pytest.mark.parametrize("factor", [0.5, float("nan")])
def test_a_pause_cannot_be_told_to_shrink(factor: float) -> None:
    with pytest.raises(ValueError, match="backoff_factor"):
        RetryPolicy(backoff_factor=factor)


@pytest.mark.parametrize("refused", [{"max_attempts": 0}, {"backoff": timedelta(seconds=-1)}])
def test_there_is_one_attempt_at_least_and_no_pause_below_zero(refused: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(refused))} must be at least"):
        RetryPolicy(**refused)  # type: ignore[arg-type]  # one of two


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SubtaskPolicy(timeout=cast(timedelta, 5)), "timeout must be a timedelta or None: 5"),
        (lambda: SubtaskPolicy(retry=cast(RetryPolicy, None)), "retry must be a RetryPolicy: None"),
        (lambda: SubtaskPolicy(needs="fetch"), "needs and resources must be lists of names: 'fetch'"),
        (lambda: SubtaskPolicy(resources=cast(list[str], [1])), "needs and resources must be lists of names: \\[1\\]"),
        (lambda: RetryPolicy(max_backoff=cast(timedelta, 5)), "max_backoff must be a timedelta or None: 5"),
    ],
)
def test_what_would_fail_only_when_it_is_needed_is_refused_at_once(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
