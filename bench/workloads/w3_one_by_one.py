"""A program that runs one small group after the other and awaits that each is durable, with a short and a long past."""

from bench.model import Case, Must, Workload
from bench.musts import at_most, faster, none
from bench.workloads.embedding import PER_RUN, SYNCS, Spec, floor, ours, reference, sqlite
from bench.workloads.sizes import scaled

RUNS = 150
HISTORIES = {0: 150, 1_000: 40, 10_000: 10, 100_000: 3}
"""History -> runs of the reference, which reads all of it for each run: the mean is that of few where one takes long."""


def create(scale: float) -> Workload:
    """The reference slows down with its own runs: at history 0 its 150 runs begin in a fresh folder."""
    runs, lengths = scaled(RUNS, scale), [scaled(length, scale, least=10**place) if length else 0 for place, length in enumerate(HISTORIES)]
    spec, with_summaries = Spec(runs=runs), Spec(runs=runs, summaries=True)
    told = [Spec(runs=scaled(its_runs, scale)) for its_runs in HISTORIES.values()]
    return Workload(
        name="W3",
        title=f"{runs} runs of 4 no-op subtasks, one after the other, each awaited until durable",
        cases=[
            *(ours(_size(length), spec, history=length) for length in lengths),
            *(reference(_size(length), its_spec, history=length) for length, its_spec in zip(lengths, told, strict=True)),
            *(sqlite("", spec, journal=journal) for journal in ("DELETE", "WAL")),
            *(floor(name, spec) for name in ("append", "replace")),
            *_with_summaries(with_summaries, (lengths[0], lengths[-1]), Spec(runs=told[0].runs, summaries=True)),
        ],
        musts=_musts(lengths[0], lengths[-1]),
        figures=(PER_RUN, SYNCS),
    )


def _size(history: int, manner: str = "") -> str:
    return f"history {history}{manner}"


SUMMARIES = ", with summaries"


def _with_summaries(spec: Spec, lengths: tuple[int, int], its_spec: Spec) -> list[Case]:
    """A file for each run beside the history."""
    return [
        *(ours(_size(length, SUMMARIES), spec, history=length) for length in lengths),
        reference(_size(0, SUMMARIES), its_spec),
        sqlite("with summaries", spec),
    ]


def _musts(short: int, long: int) -> list[Must]:
    first, last = f"ours, {_size(short)}", f"ours, {_size(long)}"
    first_told, last_told = f"ours, {_size(short, SUMMARIES)}", f"ours, {_size(long, SUMMARIES)}"
    return [
        faster(8, PER_RUN, f"reference, {_size(short)}", case=first),
        faster(300, PER_RUN, f"reference, {_size(long)}", case=last),
        faster(8, PER_RUN, f"reference, {_size(short, SUMMARIES)}", case=first_told),
        *(at_most(1.5, PER_RUN, journal, case=first) for journal in ("SQLite", "SQLite WAL")),
        at_most(1.5, PER_RUN, "SQLite, with summaries", case=first_told),
        at_most(1.1, PER_RUN, first, case=last),
        at_most(1.1, PER_RUN, first_told, case=last_told),
        *(none(count, case) for case in (first, last, first_told, last_told) for count in ("lost", "doubled")),
    ]
