"""One run with very many subtasks: the cost of each must not grow with their number."""

from bench.model import PEAK, Case, Must, Workload
from bench.musts import at_most, growth_at_most, none
from bench.peers import DOIT, TASKIQ
from bench.workloads.embedding import PER_SUBTASK, Spec, ours, reference, tasks
from bench.workloads.sizes import scaled

SIZES = (1_000, 10_000, 100_000)
KIBIBYTES = 2.5


def create(scale: float) -> Workload:
    """From the call until the run is on disk, its summary with an entry for each subtask too. doit and taskiq record much less."""
    sizes = [scaled(size, scale, least=10 * 10**place) for place, size in enumerate(SIZES)]
    return Workload(
        name="W5",
        title="no-op subtasks in one run",
        cases=[case for size in sizes for case in _everybody(size, Spec(runs=1, subtasks=size, summaries=True))],
        musts=_musts(sizes[0], sizes[1], sizes[2]),
        figures=(PER_SUBTASK,),
    )


def _everybody(subtasks: int, spec: Spec) -> list[Case]:
    size = f"{subtasks} subtasks"
    return [
        ours(size, spec),
        reference(size, spec),
        tasks("doit", size, spec, DOIT.program, "doit_tasks.py"),
        tasks("taskiq", size, spec, TASKIQ.program, "taskiq_tasks.py"),
    ]


def _musts(small: int, middle: int, large: int) -> list[Must]:
    first, last = f"ours, {small} subtasks", f"ours, {large} subtasks"
    sizes = {f"{size} subtasks" for size in (small, middle, large)}
    return [
        *(
            at_most(1.0, PER_SUBTASK, f"{peer}, {size}", case=f"ours, {size}")
            for size in sorted(sizes, key=len)
            for peer in ("doit", "taskiq")
        ),
        at_most(4.0, PER_SUBTASK, f"reference, {large} subtasks", case=last),
        growth_at_most(KIBIBYTES, PEAK, (first, last), steps=large - small, scale=1024, unit="KiB"),
        at_most(1.2, PER_SUBTASK, first, case=last),
        none("lost", last),
        none("doubled", last),
    ]
