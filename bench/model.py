"""What a workload is, and what comes out of it."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from attrs import field, frozen


class Comparison(Enum):
    """How a figure is held against that of the baseline case."""

    RATIO = "ratio"
    DIFFERENCE = "difference"


@frozen
class Figure:
    """Something that is measured."""

    name: str
    unit: str
    comparison: Comparison = Comparison.RATIO


PEAK = Figure("peak memory", "MB", Comparison.DIFFERENCE)
"""The most memory that the measuring process ever held; measured in every case."""


@frozen(kw_only=True)
class Sample:
    """One measurement: figure name -> value, and what was counted beside, which ought to be zeros."""

    figures: Mapping[str, float]
    counts: Mapping[str, int] = field(factory=dict)


@frozen
class Case:
    """One side of a comparison: measures itself once, in an empty folder and a process of its own."""

    name: str
    measure: Callable[[Path], Sample]


@frozen(kw_only=True)
class Workload:
    """Cases that are measured in turns; the first one is the baseline."""

    title: str
    figures: Sequence[Figure]
    cases: Sequence[Case]


@frozen(kw_only=True)
class CaseResult:
    """The samples of a case, one a round."""

    name: str
    samples: Sequence[Sample]


@frozen(kw_only=True)
class WorkloadResult:
    """All samples of a workload; the baseline case stands first."""

    name: str
    title: str
    figures: Sequence[Figure]
    cases: Sequence[CaseResult]
