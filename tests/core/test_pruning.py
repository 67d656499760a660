"""Which runs may go is decided by when they ended, oldest first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.pruning import FinishedRun, PruningRule
from orchestrator_py.ids import RunId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGES = st.lists(st.integers(0, 9))


def runs(ages: list[int]) -> list[FinishedRun]:
    """Ages are days."""
    return [FinishedRun(run_id=RunId(str(n)), status=None, ended_at=NOW - timedelta(days=age)) for n, age in enumerate(ages)]


@given(AGES, st.integers(0, 12))
def test_the_newest_are_kept(ages: list[int], keep: int) -> None:
    gone = PruningRule(keep=keep).select(runs(ages), NOW)
    left = [run for run in runs(ages) if run not in gone]
    assert len(left) == min(keep, len(ages))
    assert all(one.ended_at <= other.ended_at for one in gone for other in left)
    assert list(gone) == sorted(gone, key=lambda run: run.ended_at)


@given(AGES, st.integers(0, 9))
def test_what_is_older_goes(ages: list[int], days: int) -> None:
    gone = PruningRule(older_than=timedelta(days=days)).select(runs(ages), NOW)
    assert sorted((NOW - run.ended_at).days for run in gone) == sorted(age for age in ages if age > days)
