"""What is measured, of whom, and what comes out of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

WALL, CPU, PEAK = "wall ms", "cpu ms", "peak MB"
"""Of the whole process and its children, as the kernel tells them to whoever waits for it; measured of every case."""

OURS = "ours"


@frozen(kw_only=True)
class Place:
    """Where a case is measured. `folder` is new and empty, `shared` is kept for the session, `peers` holds what is installed."""

    folder: Path
    shared: Path
    peers: Path


@frozen(kw_only=True)
class Sample:
    """One measurement: figures by name, their unit at the end of it, and counts that ought to be zeros."""

    figures: Mapping[str, float] = field(factory=dict)
    counts: Mapping[str, int] = field(factory=dict)


def _prepare_nothing(place: Place) -> None:
    """The empty folder will do."""


def _find_nothing(place: Place, outputs: Sequence[str]) -> Sample:
    return Sample()


@frozen(kw_only=True)
class Case:
    """A program at one size.

    `prepare` and `find` are not timed; `find` reads the folder, and the stdout of each call, for more figures and counts. `at_once`: how
    many calls are started together. `watched`: somebody reads the files meanwhile.
    """

    program: str
    size: str = ""
    command: Callable[[Place], Sequence[str]]
    prepare: Callable[[Place], None] = _prepare_nothing
    find: Callable[[Place, Sequence[str]], Sample] = _find_nothing
    environment: Mapping[str, str] = field(factory=dict)
    at_once: int = 1
    watched: bool = False

    @property
    def name(self) -> str:
        """Who and what, as the tables show it."""
        return f"{self.program}, {self.size}" if self.size else self.program


Round = Mapping[str, Sample]
"""The samples of one round, by the name of their case."""


@frozen(kw_only=True)
class Must:
    """A claim: the median over all rounds of what `measure` finds in each is at most, or at least, `limit`.

    `worst`: every single round has to keep it, as counts do.
    """

    claim: str
    cases: Sequence[str]
    measure: Callable[[Round], float]
    limit: float
    at_least: bool = False
    worst: bool = False


@frozen(kw_only=True)
class Workload:
    """Cases that are measured in turns, and what is claimed of them. `figures`: those to show beside the ones of every process."""

    name: str
    title: str
    cases: Sequence[Case]
    musts: Sequence[Must]
    figures: Sequence[str] = ()


@frozen(kw_only=True)
class Measured:
    """The counted rounds of a workload, and why a program is not in them."""

    workload: Workload
    rounds: Sequence[Round]
    absent: Mapping[str, str] = field(factory=dict)
