"""A claim is judged by neighbours in time, and what could not be measured is told instead."""

import json
from pathlib import Path

import pytest

from bench.document import as_data, compare
from bench.errors import BenchError
from bench.model import WALL, Measured
from bench.musts import at_most, faster, growth_at_most, none
from bench.summary import Verdict, counts, judge
from bench.table import lines
from tests.bench.samples import measured

HALF = at_most(0.5, WALL, "reference")


def test_a_ratio_is_the_median_over_rounds_of_neighbours_in_time() -> None:
    told = measured([], ours=[1, 10, 3], reference=[10, 20, 3])
    judged = judge(told, HALF)
    assert judged.measured is not None
    assert (judged.measured.low, judged.measured.median, judged.measured.high) == (0.1, 0.5, 1.0)
    assert judged.verdict is Verdict.REACHED


@pytest.mark.parametrize(("ours", "verdict"), [(5.0, Verdict.REACHED), (5.1, Verdict.MISSED)])
def test_a_limit_may_be_touched_and_not_passed(ours: float, verdict: Verdict) -> None:
    assert judge(measured([], ours=[ours], reference=[10]), HALF).verdict is verdict


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, Verdict.REACHED), (1.3, Verdict.MISSED)])
def test_a_rate_is_at_least_so_many_times_that_of_another(ours: float, verdict: Verdict) -> None:
    assert judge(measured([], ours=[ours], reference=[8]), faster(8, WALL, "reference")).verdict is verdict


def test_one_lost_run_in_one_round_is_a_miss() -> None:
    assert judge(measured([], ours=[1, 2, 3]), none("lost", "ours")).verdict is Verdict.REACHED
    told = measured([], ours=[1, 100, 3])
    assert judge(told, none("lost", "ours")).verdict is Verdict.MISSED
    assert counts(told, "ours") == {"lost": 1}


def test_growth_is_what_each_step_adds() -> None:
    judged = judge(measured([], small=[10], large=[30]), growth_at_most(2.5, WALL, ("small", "large"), steps=10, unit="ms"))
    assert judged.measured is not None
    assert judged.measured.median == 2


def test_what_is_not_installed_is_told_and_neither_reached_nor_missed() -> None:
    judged = judge(measured([], absent={"reference": "not installed"}, ours=[1]), HALF)
    assert (judged.verdict, judged.why) == (Verdict.NOT_MEASURED, "reference is not installed")


def test_a_table_shows_medians_with_spread_counts_and_verdicts() -> None:
    table = list(lines(measured([HALF], ours=[100, 6, 7], reference=[10, 10, 20])))
    assert [line.replace(" ", "") for line in table if "ours" in line] == [
        "|ours|7(6..100)|||1|",
        "|ours:wallmsatmost0.5×reference|0.6(0.35..10)|**missed**|",
    ]


def written(told: Measured, path: Path) -> Path:
    path.write_text(json.dumps(as_data([told], machine={}, scale=1.0)))
    return path


def test_two_documents_are_compared_claim_by_claim(tmp_path: Path) -> None:
    first = written(measured([HALF], ours=[3, 4, 5], reference=[10, 10, 10]), tmp_path / "a.json")
    again = written(measured([HALF], ours=[45, 35, 40], reference=[100, 100, 100]), tmp_path / "b.json")
    slower = written(measured([HALF], ours=[6, 7, 8], reference=[10, 10, 10]), tmp_path / "c.json")
    assert list(compare(first, again))[1].startswith("  the same ours: wall ms at most 0.5 × reference: 0.4 -> 0.4")
    assert list(compare(first, slower))[1].startswith("  differs  ours: wall ms at most 0.5 × reference: 0.4 -> 0.7")


def test_a_file_that_is_none_of_ours_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"missing\.json is not a document"):
        list(compare(tmp_path / "missing.json", tmp_path / "missing.json"))
