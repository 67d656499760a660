"""Named resources: who may have a unit of each of what it names, and who has to wait."""

from collections.abc import Iterable, Mapping, Set

from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import PlanError
from orchestrator_py.lean import define
from orchestrator_py.model.task import PlanItem


@define
class Resources:
    """How many units of each resource nobody holds. A holder has one unit of each that it names: all at once, or none."""

    free: dict[str, int]

    def has(self, names: Set[str]) -> bool:
        """Whether there is one of each."""
        return not names or all(self.free[name] > 0 for name in names)

    def take(self, names: Set[str]) -> None:
        """Take one of each; there is one of each."""
        for name in names:
            self.free[name] -= 1

    def give_back(self, names: Set[str]) -> None:
        """One of each is free again."""
        for name in names:
            self.free[name] += 1

    def reserve(self, names: Set[str]) -> None:
        """Whoever waits for these comes first: nothing of them is left for those behind."""
        for name in names:
            self.free[name] = 0


def validate_resources(items: Iterable[PlanItem], units: Mapping[str, int]) -> None:
    """PlanError naming every resource that an item names and nobody gave a number of units."""
    wanted = ((item.id, name) for item in items for name in item.policy.resources if name not in units)
    problems = [f"{item!r} names the resource {name!r}, of which there is none{suggest(name, units)}" for item, name in wanted]
    if problems:
        raise PlanError(f"The plan cannot run: {'; '.join(problems)}. Give each resource its number of units.")
