"""How did it go? The totals of a long history, asked on the command line."""

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.measure import environment
from bench.model import OURS, WALL, Case, Place, Sample, Workload
from bench.musts import at_most, none
from bench.workloads.histories import database_of, folder_of
from bench.workloads.pipelines import FLOORS, TASK, Group, reference, write_pipeline
from bench.workloads.sizes import scaled

SIZES = (1_000, 10_000, 100_000)
AGGREGATE = FLOORS.with_name("aggregate.py")


def create(scale: float) -> Workload:
    """The reference has no totals to print: its `status` of one run is the nearest there is."""
    sizes = [scaled(size, scale, least=10 * 10**place) for place, size in enumerate(SIZES)]
    small, *more = (f"{size} runs" for size in sizes)
    return Workload(
        name="W6",
        title="report of a history",
        cases=[case for size in sizes for case in (_ours(size), _sqlite(size))] + [_reference()],
        musts=[
            at_most(0.5, WALL, "reference, status of one run", case=f"ours, {small}"),
            at_most(1.1, WALL, f"ours, {small}", case=f"ours, {more[-1]}"),
            *(at_most(1.0, WALL, f"SQLite, {size}", case=f"ours, {size}") for size in more),
            *(none("miscounted", f"ours, {size}") for size in (small, *more)),
        ],
    )


def _ours(size: int) -> Case:
    words = ["-m", "orchestrator_py", "report", "--format", "json", "--root"]
    return Case(
        program=OURS,
        size=f"{size} runs",
        command=lambda place: [sys.executable, *words, str(folder_of(size, place.shared))],
        find=partial(_find, size + 2),  # the driver that has opened the history has made two more
    )


def _sqlite(size: int) -> Case:
    return Case(
        program="SQLite",
        size=f"{size} runs",
        command=lambda place: [sys.executable, str(AGGREGATE), str(database_of(size, place.shared) / "runs.db")],
        find=partial(_find, size),
    )


def _find(expected: int, place: Place, outputs: Sequence[str]) -> Sample:
    told = re.findall(r'"total_runs": (\d+)', outputs[0])
    return Sample(counts={"miscounted": abs(int(told[0]) - expected) if told else expected})


def _reference() -> Case:
    return Case(
        program="reference",
        size="status of one run",
        prepare=_prepare_run,
        command=lambda place: [*_its_program(place), "status", "--run", _run_id(place.folder), "--format", "json"],
    )


def _prepare_run(place: Place) -> None:
    write_pipeline(Group(1, "true"), place)
    command = list(reference(Group(1, "true")).command(place))
    subprocess.run(command, cwd=place.folder, env=environment(place.shared), stdin=subprocess.DEVNULL, capture_output=True, check=True)


def _its_program(place: Place) -> list[str]:
    return list(reference(Group(1, "true")).command(place))[:2]


def _run_id(folder: Path) -> str:
    (run,) = (folder / ".runs" / TASK / "cli").iterdir()
    return run.name
