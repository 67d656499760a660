"""The benchmark measures every workload, counts what was lost, and judges nothing."""

import json
import math

import pytest

from bench.__main__ import main
from bench.model import PEAK, CaseResult, Figure, Sample, WorkloadResult
from bench.report import as_text, summarise
from bench.workloads import WORKLOADS

TINY = ["--rounds", "1", "--scale", "0.01"]
SPEED = Figure("speed", "s")


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_can_be_measured_and_loses_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, *TINY, "--json"]) == 0
    (workload,) = json.loads(capsys.readouterr().out)["workloads"]
    figures = [figure for case in workload["cases"] for figure in case["figures"]]
    assert all(math.isfinite(figure["median"]) and figure["median"] >= 0 for figure in figures)
    assert {count for case in workload["cases"] for count in case["counts"].values()} <= {0}


def test_a_table_has_a_row_for_each_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parallel", *TINY]) == 0
    title, _, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("parallel: a pipeline of 4 stages")
    assert [row.strip().split("  ")[0] for row in rows] == ["one after the other", "parallel"]


def test_an_unknown_workload_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["paralel"])
    assert ended.value.code == 2
    assert "unknown: paralel; choose from parallel, output" in capsys.readouterr().err


def _result(baseline: list[float], other: list[float], figure: Figure) -> WorkloadResult:
    cases = [
        CaseResult(name=name, samples=[Sample(figures={figure.name: value}, counts={"lost": 1}) for value in values])
        for name, values in (("first", baseline), ("second", other))
    ]
    return WorkloadResult(name="w", title="t", figures=[figure], cases=cases)


def test_ratios_are_taken_round_by_round() -> None:
    result = _result([1.0, 10.0, 2.0], [2.0, 20.0, 4.0], SPEED)
    told = summarise(result, result.cases[1], SPEED)
    assert (told.median, told.low, told.high, told.compared) == (4.0, 2.0, 20.0, 2.0)


def test_memory_is_compared_by_its_growth() -> None:
    result = _result([50.0, 51.0], [53.0, 54.0], PEAK)
    assert summarise(result, result.cases[1], PEAK).compared == 3.0


def test_the_baseline_is_compared_with_nothing_and_counts_are_added_up() -> None:
    result = _result([1.0, 1.0], [2.0, 2.0], SPEED)
    assert as_text(result).splitlines() == [
        "w: t",
        "          speed [s]         lost",
        "  first   1 (1..1)          2",
        "  second  2 (2..2)  x 2.00  2",
    ]
