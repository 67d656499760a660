"""Samples summed up: medians with their spread, and each claim as reached or missed."""

from collections.abc import Mapping, Sequence
from enum import Enum
from statistics import median

from attrs import frozen

from bench.model import Measured, Must


@frozen(kw_only=True)
class Spread:
    """Over all counted rounds."""

    median: float
    low: float
    high: float


class Verdict(Enum):
    """How a claim came out on this machine, this time."""

    REACHED = "reached"
    MISSED = "missed"
    NOT_MEASURED = "not measured"


@frozen(kw_only=True)
class Judged:
    """A claim and what was measured of it; `why` says why it was not."""

    must: Must
    verdict: Verdict
    measured: Spread | None = None
    why: str = ""


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(median=median(values), low=min(values), high=max(values))


def figures(measured: Measured, case: str) -> dict[str, Spread]:
    """Every figure of a case, by name."""
    samples = [samples[case] for samples in measured.rounds if case in samples]
    return {name: spread([sample.figures[name] for sample in samples]) for name in (samples[0].figures if samples else ())}


def counts(measured: Measured, case: str) -> Mapping[str, int]:
    """Every count of a case, over all rounds."""
    samples = [samples[case] for samples in measured.rounds if case in samples]
    return {name: sum(sample.counts[name] for sample in samples) for name in (samples[0].counts if samples else ())}


def judge(measured: Measured, must: Must) -> Judged:
    """Each round gives a ratio of two neighbours in time; the median of those is judged."""
    missing = [case for case in must.cases if not all(case in samples for samples in measured.rounds)]
    if missing:
        return Judged(must=must, verdict=Verdict.NOT_MEASURED, why=_why(measured, missing[0]))
    try:
        values = spread([must.measure(samples) for samples in measured.rounds])
    except ZeroDivisionError:
        return Judged(must=must, verdict=Verdict.NOT_MEASURED, why="too small to measure")
    told = values.high if must.worst else values.median
    reached = told >= must.limit if must.at_least else told <= must.limit
    return Judged(must=must, verdict=Verdict.REACHED if reached else Verdict.MISSED, measured=values)


def _why(measured: Measured, case: str) -> str:
    program = case.partition(",")[0]
    if program in measured.absent:
        return f"{program} is {measured.absent[program]}"
    return f"{case} failed" if case in measured.absent else f"{case} is not part of it"
