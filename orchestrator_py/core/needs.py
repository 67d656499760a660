"""Who waits for whom: unknown names and circles, found before anything starts."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def find_unknown(needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each need that names nothing in the graph: who has it, and the name."""
    return ((name, need) for name, wanted in needs.items() for need in wanted if need not in needs)


def find_circles(needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Circles without a common member, each as a walk along the needs that ends where it began: `("a", "b", "a")`."""
    graph = dict(needs)
    while True:
        try:
            TopologicalSorter(graph).prepare()
            return
        except CycleError as error:
            circle: list[str] = error.args[1]
            yield tuple(reversed(circle))
            for name in set(circle):
                del graph[name]


def count_levels(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many must end, one after the other, before each can start: 0 for those that need nothing. The graph has no circle."""
    levels: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        levels[name] = max((levels[need] + 1 for need in needs.get(name, ())), default=0)
    return levels
