"""Cases, samples and measured workloads made up for a test."""

import sys
from collections.abc import Sequence

from bench.model import WALL, Case, Measured, Must, Sample, Workload


def case(program: str, code: str = "pass", *, at_once: int = 1) -> Case:
    """A program of one line."""
    return Case(program=program, command=lambda _: [sys.executable, "-c", code], at_once=at_once)


def workload(*cases: Case, musts: Sequence[Must] = ()) -> Workload:
    return Workload(name="W0", title="made up", cases=cases, musts=musts)


def measured(musts: Sequence[Must], *, absent: dict[str, str] | None = None, **walls: Sequence[float]) -> Measured:
    """Wall times of each program, round by round, and one lost run for each time that is a whole hundred."""
    programs = [case(name) for name in [*walls, *(absent or {})]]
    rounds = [
        {name: Sample(figures={WALL: values[number]}, counts={"lost": int(values[number] % 100 == 0)}) for name, values in walls.items()}
        for number in range(len(next(iter(walls.values()))))
    ]
    return Measured(workload=workload(*programs, musts=musts), rounds=rounds, absent=absent or {})
