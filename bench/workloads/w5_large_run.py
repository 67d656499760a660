"""One run with very many subtasks: the cost of each must not grow with their number."""

from bench.model import PEAK, Case, Must, Workload
from bench.musts import at_most, growth_at_most, none
from bench.peers import DOIT, TASKIQ
from bench.workloads.embedding import PER_SUBTASK, Spec, ours, reference, tasks
from bench.workloads.sizes import scaled

SIZES = (1_000, 10_000, 100_000)
KIBIBYTES = 2.5
CALLS = 3
"""A subtask of ours, and of the reference, is built, tested and reviewed. Other tools are measured with one call, and with as many."""


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
    size = _size(subtasks)
    return [
        ours(size, spec),
        reference(size, spec),
        *(
            tasks(tool, _size(subtasks, calls), spec, program, driver, calls=calls)
            for tool, program, driver in (("doit", DOIT.program, "doit_tasks.py"), ("taskiq", TASKIQ.program, "taskiq_tasks.py"))
            for calls in (1, CALLS)
        ),
    ]


def _size(subtasks: int, calls: int = 1) -> str:
    return f"{subtasks} subtasks" if calls == 1 else f"{subtasks} subtasks of {calls} calls"


def _musts(small: int, middle: int, large: int) -> list[Must]:
    first, last = f"ours, {_size(small)}", f"ours, {_size(large)}"
    return [
        *(
            at_most(1.0, PER_SUBTASK, f"{peer}, {_size(subtasks, calls)}", case=f"ours, {_size(subtasks)}")
            for subtasks in sorted({small, middle, large})
            for peer in ("doit", "taskiq")
            for calls in (1, CALLS)
        ),
        at_most(4.0, PER_SUBTASK, f"reference, {_size(large)}", case=last),
        growth_at_most(KIBIBYTES, PEAK, (first, last), steps=large - small, scale=1024, unit="KiB"),
        at_most(1.2, PER_SUBTASK, first, case=last),
        none("lost", last),
        none("doubled", last),
    ]
