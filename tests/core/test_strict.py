"""The strict converter: nothing is coerced, every problem is named with its place."""

from collections.abc import Mapping
from enum import Enum

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.problems import Problem, step
from orchestrator_py.core.codec.strict import create_converter, decode, decode_at, shape
from orchestrator_py.errors import DecodeError
from orchestrator_py.model.absent import ABSENT, Absent


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Leaf:
    name: str
    size: int = 0
    colour: Colour = Colour.RED

    def __attrs_post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size is below 0")


@frozen(kw_only=True)
class Branch:
    is_alive: bool
    weight: float | Absent | None = ABSENT
    leaves: tuple[Leaf, ...] = ()
    notes: Mapping[str, str] = field(factory=dict)
    anything: object = None


@frozen(kw_only=True)
class Open:
    id: str
    extra: Mapping[str, object] = field(factory=dict)


@frozen(kw_only=True)
class Discreet:
    id: str
    place: int | None = None


@frozen(kw_only=True)
class Tolerant:
    id: str
    ignored: tuple[str, ...] = ()


CONVERTER = create_converter()
shape(CONVERTER, Leaf, keys="snake")
shape(CONVERTER, Branch, keys="camel", renamed={"weight": "heft"}, always=frozenset({"anything"}))
shape(CONVERTER, Open, keys="camel", extra=True)
shape(CONVERTER, Discreet, keys="camel", always="all", unwritten=frozenset({"place"}))
shape(CONVERTER, Tolerant, keys="camel", ignored=frozenset({"legacy", "older"}))


def _problems(cls: type[object], data: object) -> list[str]:
    with pytest.raises(DecodeError) as refused:
        decode(CONVERTER, cls, data)
    return str(refused.value).splitlines()


def test_a_value_survives_the_way_there_and_back() -> None:
    branch = Branch(is_alive=True, weight=1.5, leaves=(Leaf(name="a", colour=Colour.BLUE),), notes={"k": "v"}, anything=[1, None])
    data = CONVERTER.unstructure(branch)
    assert data == {"isAlive": True, "heft": 1.5, "leaves": [{"name": "a", "colour": "blue"}], "notes": {"k": "v"}, "anything": [1, None]}
    assert decode(CONVERTER, Branch, data) == branch


def test_absent_null_and_default_are_three_things() -> None:
    assert CONVERTER.unstructure(Branch(is_alive=True)) == {"isAlive": True, "anything": None}
    assert CONVERTER.unstructure(Branch(is_alive=True, weight=None)) == {"isAlive": True, "heft": None, "anything": None}
    assert decode(CONVERTER, Branch, {"isAlive": True}).weight is ABSENT
    assert decode(CONVERTER, Branch, {"isAlive": True, "heft": None}).weight is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], "$: expected an object, got a list"),
        ({"name": 7}, "$.name: expected a text, got 7"),
        ({"name": None}, "$.name: expected a text, got null"),
        ({"name": "a", "size": True}, "$.size: expected a whole number, got true"),
        ({"name": "a", "size": 1.0}, "$.size: expected a whole number, got 1.0"),
        ({"name": "a", "size": "1"}, "$.size: expected a whole number, got '1'"),
        ({"name": "a", "colour": "rot"}, "$.colour: expected one of 'red', 'blue', got 'rot'"),
        ({}, "$: the key 'name' is missing"),
        ({"name": "a", "size": -1}, "$: size is below 0"),
        ({"name": "a", "colur": "red"}, "$.colur: unknown key; did you mean 'colour'?"),
        ({"name": "a", "zzz": 1}, "$.zzz: unknown key; known: name, size, colour"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(data: object, problem: str) -> None:
    assert _problems(Leaf, data) == [problem]


def test_all_problems_are_named_at_once() -> None:
    data = {"heft": "1", "leaves": [{"name": "a"}, {"size": -1, "name": "b"}, {"name": 1, "size": "x"}], "notes": {"a b": 1}}
    assert _problems(Branch, data) == [
        "$: the key 'isAlive' is missing",
        "$.heft: expected a number, got '1'",
        "$.leaves[1]: size is below 0",
        "$.leaves[2].name: expected a text, got 1",
        "$.leaves[2].size: expected a whole number, got 'x'",
        '$.notes["a b"]: expected a text, got 1',
    ]


def test_unknown_keys_are_kept_where_the_class_asks_for_it() -> None:
    value = decode(CONVERTER, Open, {"z": 1, "id": "a", "y": [2]})
    assert value == Open(id="a", extra={"z": 1, "y": [2]})
    assert list(CONVERTER.unstructure(value)) == ["id", "z", "y"]


def test_a_field_may_be_read_and_never_written() -> None:
    value = decode(CONVERTER, Discreet, {"id": "a", "place": 3})
    assert value == Discreet(id="a", place=3)
    assert CONVERTER.unstructure(value) == {"id": "a"}


def test_keys_without_effect_are_dropped_and_their_names_remembered() -> None:
    value = decode(CONVERTER, Tolerant, {"older": 1, "id": "a", "legacy": {"deep": []}})
    assert value == Tolerant(id="a", ignored=("older", "legacy"))
    assert CONVERTER.unstructure(value) == {"id": "a"}
    assert _problems(Tolerant, {"id": "a", "legacy": 1, "legcy": 1}) == ["$.legcy: unknown key; known: id"]


def test_a_part_of_a_document_adds_its_problems_to_those_of_the_others() -> None:
    problems = [Problem("$.first", "bad")]
    assert decode_at(CONVERTER, Leaf, {"name": 1}, "$.leaves[3]", problems) is None
    assert decode_at(CONVERTER, Leaf, {"name": "b"}, "$.leaves[4]", problems) == Leaf(name="b")
    assert problems == [Problem("$.first", "bad"), Problem("$.leaves[3].name", "expected a text, got 1")]


def test_a_step_is_plain_where_it_can_be_and_quoted_where_it_must() -> None:
    assert [step(key) for key in ("stages", "build-lint", "a b", 'q"', "x\n", "")] == [
        ".stages",
        ".build-lint",
        '["a b"]',
        '["q\\""]',
        '["x\\n"]',
        '[""]',
    ]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(_json)
def test_any_data_is_either_a_value_or_a_decode_error(data: object) -> None:
    problems: list[Problem] = []
    branch = decode_at(CONVERTER, Branch, data, "$", problems)
    assert (branch is None) is bool(problems)
    assert all(problem.place.startswith("$") and problem.message for problem in problems)
    if branch is not None:
        assert decode(CONVERTER, Branch, CONVERTER.unstructure(branch)) == branch
