"""A service under load: 64 runs of one task at a time, in one process. Those that end together share the disk."""

from bench.model import Must, Workload
from bench.musts import at_most, faster, figure_at_most, none
from bench.workloads.embedding import COMMITS, PER_RUN, SYNCS, Spec, floor, ours, reference, sqlite
from bench.workloads.sizes import scaled

IN_FLIGHT, RUNS, ITS_RUNS = 64, 1024, 128
SHARED_BY = 16
PLAIN, SUMMARIES = "history only", "with summaries"


def create(scale: float) -> Workload:
    """The reference has fewer runs, since it slows down with each."""
    runs, its_runs = (scaled(count, scale, least=IN_FLIGHT) for count in (RUNS, ITS_RUNS))
    spec, told = Spec(runs=runs, in_flight=IN_FLIGHT), Spec(runs=runs, in_flight=IN_FLIGHT, summaries=True)
    return Workload(
        name="W4",
        title=f"{runs} runs of 4 no-op subtasks, {IN_FLIGHT} in flight on one task; {its_runs} of the reference",
        cases=[
            ours(PLAIN, spec),
            reference(PLAIN, Spec(runs=its_runs, in_flight=IN_FLIGHT)),
            *(sqlite(PLAIN, spec, journal=journal) for journal in ("DELETE", "WAL")),
            floor("append", spec),
            ours(SUMMARIES, told),
            reference(SUMMARIES, Spec(runs=its_runs, in_flight=IN_FLIGHT, summaries=True)),
            sqlite(SUMMARIES, told),
        ],
        musts=[*_musts(PLAIN), at_most(1.0, PER_RUN, f"SQLite WAL, {PLAIN}", case=f"ours, {PLAIN}"), *_musts(SUMMARIES)],
        figures=(PER_RUN, SYNCS, COMMITS),
    )


def _musts(manner: str) -> list[Must]:
    case = f"ours, {manner}"
    return [
        none("lost", case),
        none("doubled", case),
        faster(15, PER_RUN, f"reference, {manner}", case=case),
        at_most(1.0, PER_RUN, f"SQLite, {manner}", case=case),
        figure_at_most(1 / SHARED_BY, SYNCS, case),
    ]
