"""A measured workload as Markdown: what each program took, then each claim beside what was measured of it."""

from collections.abc import Iterator, Sequence

from bench.model import CPU, PEAK, WALL, Measured
from bench.summary import Judged, Spread, Verdict, counts, figures, judge


def lines(measured: Measured) -> Iterator[str]:
    """The lines of both tables."""
    workload = measured.workload
    yield f"### {workload.name}: {workload.title}"
    yield ""
    yield from aligned([_head(measured), *_rows(measured)])
    yield ""
    yield from aligned([["claim", "measured", ""], *(_verdict(judge(measured, must)) for must in workload.musts)])
    yield ""


def _head(measured: Measured) -> list[str]:
    return ["", *_figure_names(measured), *_count_names(measured)]


def _rows(measured: Measured) -> Iterator[list[str]]:
    for case in measured.workload.cases:
        told, counted = figures(measured, case.name), counts(measured, case.name)
        if not told:
            yield [case.name, measured.absent.get(case.program, "failed"), *[""] * (len(_head(measured)) - 2)]
            continue
        cells = [_cell(told[name]) if name in told else "" for name in _figure_names(measured)]
        yield [case.name, *cells, *(str(counted.get(name, "")) for name in _count_names(measured))]


def _verdict(judged: Judged) -> list[str]:
    measured = _cell(judged.measured) if judged.measured else judged.why
    return [judged.must.claim, measured, judged.verdict.value if judged.verdict is not Verdict.MISSED else "**missed**"]


def _figure_names(measured: Measured) -> list[str]:
    return [*measured.workload.figures, WALL, CPU, PEAK]


def _count_names(measured: Measured) -> list[str]:
    return list(dict.fromkeys(name for case in measured.workload.cases for name in counts(measured, case.name)))


def _cell(told: Spread) -> str:
    return short(told.median) if told.low == told.high else f"{short(told.median)} ({short(told.low)}..{short(told.high)})"


def short(value: float) -> str:
    """Three digits say all that such a figure can."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; the first row is its head."""
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    for place, row in enumerate(rows):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        if place == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
