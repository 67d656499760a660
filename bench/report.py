"""Samples as tables and as data: the median of each figure, its spread, and how it stands to the baseline of the same round."""

import platform
from collections.abc import Sequence
from statistics import median

from attrs import frozen

from bench.model import CaseResult, Comparison, Figure, WorkloadResult


@frozen(kw_only=True)
class Summary:
    """One figure of one case. `compared` is None for the baseline itself."""

    median: float
    low: float
    high: float
    compared: float | None


def summarise(result: WorkloadResult, case: CaseResult, figure: Figure) -> Summary:
    """The comparison is made round by round, since what slows one case of a round slows its neighbours too."""
    baseline = result.cases[0]
    values = [sample.figures[figure.name] for sample in case.samples]
    others = [sample.figures[figure.name] for sample in baseline.samples]
    compared = [_compare(figure, value, other) for value, other in zip(values, others, strict=True)]
    return Summary(median=median(values), low=min(values), high=max(values), compared=None if case is baseline else median(compared))


def count(case: CaseResult) -> dict[str, int]:
    """What was counted beside, over all rounds."""
    names = dict.fromkeys(name for sample in case.samples for name in sample.counts)
    return {name: sum(sample.counts.get(name, 0) for sample in case.samples) for name in names}


def as_text(result: WorkloadResult) -> str:
    """A table: cases are rows."""
    rows = [["", *(f"{figure.name} [{figure.unit}]" for figure in result.figures), *_count_names(result)]]
    for case in result.cases:
        cells = [_cell(figure, summarise(result, case, figure)) for figure in result.figures]
        rows.append([case.name, *cells, *(str(count(case).get(name, "")) for name in _count_names(result))])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n  ".join([f"{result.name}: {result.title}", *lines])


def as_data(results: Sequence[WorkloadResult], *, scale: float) -> dict[str, object]:
    """The JSON document of `--json`."""
    machine = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    return {"scale": scale, **machine, "workloads": [_workload_data(result) for result in results]}


def _workload_data(result: WorkloadResult) -> dict[str, object]:
    return {"name": result.name, "title": result.title, "cases": [_case_data(result, case) for case in result.cases]}


def _case_data(result: WorkloadResult, case: CaseResult) -> dict[str, object]:
    return {"name": case.name, "figures": [_figure_data(result, case, figure) for figure in result.figures], "counts": count(case)}


def _figure_data(result: WorkloadResult, case: CaseResult, figure: Figure) -> dict[str, object]:
    told = summarise(result, case, figure)
    return {
        "name": figure.name,
        "unit": figure.unit,
        "median": told.median,
        "low": told.low,
        "high": told.high,
        figure.comparison.value: told.compared,
        "samples": [sample.figures[figure.name] for sample in case.samples],
    }


def _compare(figure: Figure, value: float, other: float) -> float:
    if figure.comparison is Comparison.DIFFERENCE:
        return value - other
    return value / other if other else float("nan")


def _cell(figure: Figure, told: Summary) -> str:
    spread = f"{_short(told.median)} ({_short(told.low)}..{_short(told.high)})"
    if told.compared is None:
        return spread
    return f"{spread}  {told.compared:+.1f}" if figure.comparison is Comparison.DIFFERENCE else f"{spread}  x {told.compared:.2f}"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _count_names(result: WorkloadResult) -> list[str]:
    return list(dict.fromkeys(name for case in result.cases for name in count(case)))
