"""Many command lines at once on one task, as CI jobs and several terminals start them."""

from bench.model import WALL, Must, Workload
from bench.musts import at_most, none
from bench.workloads.pipelines import Group, ours, reference
from bench.workloads.sizes import scaled

AT_ONCE = (8, 32)


def create(scale: float) -> Workload:
    """Somebody reads every file again and again meanwhile; whoever measures the two pays for it alike."""
    numbers = [scaled(number, scale, least=2 + place) for place, number in enumerate(AT_ONCE)]
    one = Group(1, "true", jobs=1)
    return Workload(
        name="W7",
        title=f"{' and '.join(map(str, numbers))} command lines at once on one task, read meanwhile",
        cases=[make_case(one, at_once=number) for number in numbers for make_case in (ours, reference)],
        musts=[must for number in numbers for must in _musts(f"{number} at once")],
    )


def _musts(size: str) -> list[Must]:
    case = f"ours, {size}"
    return [
        *(none(count, case) for count in ("failed", "lost", "doubled", "unparsable")),
        at_most(0.5, WALL, f"reference, {size}", case=case),
    ]
