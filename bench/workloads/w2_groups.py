"""A group of commands: what comes on top of the commands themselves, and how well they overlap."""

from bench.model import WALL, Workload
from bench.musts import at_most, further_at_most
from bench.workloads.pipelines import Group, doit, floor, make, ours, reference
from bench.workloads.sizes import scaled

NAP = "sleep 0.05"


def create(scale: float) -> Workload:
    """The reference runs stages one after the other, however many may run at a time."""
    quick, more, naps = (
        Group(scaled(times, scale, least=least), command) for times, least, command in ((64, 4, "true"), (256, 8, "true"), (64, 4, NAP))
    )
    ours_sizes, doit_sizes = ((f"{who}, {quick.size}", f"{who}, {more.size}") for who in ("ours", "doit"))
    everybody = [make_case(group) for group in (quick, naps, more) for make_case in (ours, reference, make, doit)]
    return Workload(
        name="W2",
        title="groups of commands, 8 at a time",
        cases=[*everybody, *(floor(name, group) for name in ("asyncio", "spawn") for group in (quick, more))],
        musts=[
            at_most(0.35, WALL, f"reference, {quick.size}", case=f"ours, {quick.size}"),
            at_most(0.2, WALL, f"reference, {naps.size}", case=f"ours, {naps.size}"),
            at_most(1.5, WALL, f"make, {naps.size}", case=f"ours, {naps.size}"),
            further_at_most(1.3, WALL, ours_sizes, doit_sizes),
        ],
    )
