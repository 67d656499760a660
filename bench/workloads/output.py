"""A stage that prints much: it is streamed to its log, so memory must not grow with it."""

from functools import partial
from pathlib import Path

from bench.model import PEAK, Case, Figure, Sample, Workload
from bench.workloads.pipelines import run_stages

MEGABYTES = 100
WALL = Figure("wall", "s")


def create(scale: float) -> Workload:
    """Peak memory is that of our own process, the printing one is not in it."""
    size = max(1, int(MEGABYTES * scale * 1024))
    return Workload(
        title=f"{size} KiB of output from one stage",
        figures=(PEAK, WALL),
        cases=(
            Case("no output", partial(_measure, "true")),
            Case("much output", partial(_measure, f"yes 'some words of output, as programs print them' | head -c {size}k")),
        ),
    )


def _measure(command: str, folder: Path) -> Sample:
    return Sample(figures={WALL.name: run_stages(folder, [command])})
