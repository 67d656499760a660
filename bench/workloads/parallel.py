"""Stages that wait: what running them at the same time saves."""

from functools import partial
from pathlib import Path

from bench.model import Case, Figure, Sample, Workload
from bench.workloads.pipelines import run_stages

STAGES = 4
SECONDS = 0.5
WALL = Figure("wall", "s")


def create(scale: float) -> Workload:
    """The best ratio that there is is one divided by the number of stages."""
    return Workload(
        title=f"a pipeline of {STAGES} stages of {SECONDS * scale:g} s each",
        figures=(WALL,),
        cases=(
            Case("one after the other", partial(_measure, SECONDS * scale, False)),
            Case("parallel", partial(_measure, SECONDS * scale, True)),
        ),
    )


def _measure(seconds: float, parallel: bool, folder: Path) -> Sample:
    return Sample(figures={WALL.name: run_stages(folder, [f"sleep {seconds}"] * STAGES, parallel=parallel)})
