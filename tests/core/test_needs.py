"""Unknown needs and circles."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.needs import find_circles, find_unknown
from orchestrator_py.core.suggestion import suggest

_names = st.sampled_from("abcdef")
_graphs = st.dictionaries(_names, st.lists(_names, max_size=3))


def test_a_need_that_names_nothing_is_found() -> None:
    assert list(find_unknown({"a": ["b", "z"], "b": ["y"]})) == [("a", "z"), ("b", "y")]


def test_a_circle_is_told_as_a_walk_along_the_needs() -> None:
    (circle,) = find_circles({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]})
    assert circle[0] == circle[-1]
    assert "".join(circle) in ("abca", "bcab", "cabc")


def test_circles_that_do_not_touch_are_all_told() -> None:
    assert {frozenset(circle) for circle in find_circles({"a": ["b"], "b": ["a"], "c": ["c"]})} == {frozenset("ab"), frozenset("c")}


def test_a_chain_of_ten_thousand_is_no_circle_and_needs_no_stack() -> None:
    chain = {str(number): [str(number + 1)] for number in range(10_000)}
    assert list(find_circles(chain)) == []
    assert len(list(find_circles({**chain, "10000": ["0"]}))) == 1


@given(_graphs)
def test_circles_are_found_exactly_when_there_is_no_order(graph: dict[str, list[str]]) -> None:
    try:
        tuple(TopologicalSorter(graph).static_order())
        ordered = True
    except CycleError:
        ordered = False
    circles = list(find_circles(graph))
    assert (not circles) is ordered
    for circle in circles:
        assert circle[0] == circle[-1]
        assert all(need in graph[name] for name, need in pairwise(circle))


def test_the_closest_known_name_is_suggested_or_all_are_told() -> None:
    assert suggest("tset", ["build", "test"]) == "; did you mean 'test'?"
    assert suggest("zzz", ["build", "test"]) == "; known: build, test"
    assert suggest("zzz", []) == ""
