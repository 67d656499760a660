"""The lean decorators make the classes that those of attrs make."""

import gc
import pickle
from inspect import signature
from types import FunctionType
from typing import ClassVar, get_type_hints

import attrs
import pytest

from orchestrator_py import lean
from orchestrator_py.lean import compiled, constructor, field
from orchestrator_py.lean.methods import MANY


@lean.frozen(kw_only=True)
class Point:
    x: int
    y: int = 0
    note: str = field(default="", eq=False, repr=False)


@lean.frozen
class Nothing:
    pass


@lean.define
class Counter:
    count: int = 0


@lean.define(eq=False)
class Service:
    name: str = ""


@lean.frozen
class Pair:
    left: int
    right: int


@lean.frozen
class Wide:
    items: tuple[int, ...]


@lean.frozen
class Chain:
    next: "Chain | None" = None


@lean.frozen
class Sized:
    text: str
    size: int = field(init=False)

    @size.default
    def _length(self) -> int:
        return len(self.text)


@lean.frozen
class Checked:
    x: int = attrs.field(validator=attrs.validators.gt(0))


@lean.frozen
class Loud:
    x: int

    def loud(self) -> str:
        return repr(self)


@lean.frozen
class Louder(Loud):
    def loud(self) -> str:
        return super().loud() + "!"


@lean.frozen
class Known:
    KINDS: ClassVar[int] = 3
    x: int


@lean.define
class RefusedError(Exception):
    code: int


@lean.frozen
class Own:
    x: int

    def __repr__(self) -> str:
        return "own"


def test_values_are_equal_when_they_hold_the_same() -> None:
    assert Point(x=1, note="a") == Point(x=1, note="b")
    assert Point(x=1) != Point(x=2)
    assert len({Point(x=1), Point(x=1, note="b"), Point(x=2)}) == 2
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())


def test_values_of_two_classes_are_never_equal() -> None:
    others: tuple[object, ...] = (Point(x=1), 1)
    assert Own(1) not in others


def test_a_value_shows_its_class_and_its_fields() -> None:
    assert repr(Point(x=1, note="hidden")) == "Point(x=1, y=0)"
    assert repr(Own(1)) == "own"


def test_of_many_items_a_value_shows_the_first() -> None:
    """`asyncio.run` prints what it returns, for the name of a signal's handler: that may be the summary of a very long run."""
    numbers = tuple(range(MANY + 2))
    shown = ", ".join(map(str, range(MANY)))
    assert repr(Wide(numbers[:MANY])) == f"Wide(items=({shown}))"
    assert repr(Wide(numbers)) == f"Wide(items=({shown}, … 2 more))"


def test_a_value_cannot_be_changed_but_evolved_and_pickled() -> None:
    point = Point(x=1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        point.x = 2  # type: ignore[misc]  # this is what is refused
    assert attrs.evolve(point, x=2) == Point(x=2)
    assert pickle.loads(pickle.dumps(point)) == point


def test_what_changes_is_equal_by_its_fields_and_has_no_hash() -> None:
    assert Counter(1) == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter())


def test_a_service_is_equal_to_itself_alone() -> None:
    service = Service()
    assert service in {service}
    assert service != Service()


def test_nothing_is_compiled_for_a_class_before_many_of_it_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constructor, "compile_constructor", None)

    @lean.frozen
    class Couple:
        name: str
        other: str

    first = Couple.__init__
    assert len({Couple("a", other="b") for _ in range(constructor.OFTEN)}) == 1
    monkeypatch.undo()
    assert Couple("a", "b") == Couple(name="a", other="b")
    assert Couple.__init__ is not first
    assert signature(Couple.__init__) == signature(first)


def test_a_maker_gets_a_code_of_its_own_when_it_has_made_many(monkeypatch: pytest.MonkeyPatch) -> None:
    @lean.frozen
    class Couple:
        name: str
        other: str = "b"

    make = lean.maker(Couple)
    assert make is lean.maker(Couple)
    made = [make("a") for _ in range(compiled.OFTEN_MADE + 1)]
    monkeypatch.setattr(Couple, "__init__", None)  # it is not asked any more
    assert {*made, make("a", "b"), make(other="b", name="a")} == {made[0]}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made[0].other = "c"  # type: ignore[misc]  # this is what is refused
    assert lean.maker(Checked) is Checked  # a class that attrs has made is called


def test_a_class_that_makes_a_value_by_a_method_of_its_own_is_not_compiled() -> None:
    first = Sized.__init__
    assert {Sized("ab").size for _ in range(constructor.OFTEN + 2)} == {2}
    assert Sized.__init__ is first
    assert lean.maker(Sized) is Sized


def test_a_constructor_that_is_compiled_leaves_nothing_to_the_garbage_collector() -> None:
    @lean.define
    class Many:
        number: int
        numbers: list[int] = field(factory=list)

    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        made = [Many(number) for number in range(constructor.OFTEN + 2)]
        gc.collect()
        functions = [one for one in gc.garbage if isinstance(one, FunctionType)]  # other tests leave circles with functions, too
        left = [one for one in functions if "Many" in one.__code__.co_filename]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []
    assert made[-1] == Many(constructor.OFTEN + 1, [])


def test_an_instance_that_could_not_be_made_stays_what_it_is() -> None:
    @lean.frozen
    class Strict:
        name: str
        number: int = field(converter=int)

    assert len({Strict("a", "1") for _ in range(constructor.OFTEN + 1)}) == 1
    one = Strict.__new__(Strict)
    with pytest.raises(ValueError, match="invalid literal"):
        one.__init__("a", "b")  # type: ignore[misc]  # as pickle and others do it
    assert type(one) is Strict
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.name = "b"  # type: ignore[misc]  # this is what is refused


def test_attrs_is_asked_about_a_class_when_somebody_wants_to_know() -> None:
    said = vars(Pair)["__attrs_attrs__"]
    assert said._answer is None
    assert [one.name for one in attrs.fields(Pair)] == ["left", "right"]
    assert attrs.fields(Pair) is said._answer is attrs.fields(Pair)


def test_types_that_are_written_as_text_are_found_where_the_class_stands() -> None:
    assert get_type_hints(Chain.__init__) == {"next": Chain | None, "return": type(None)}


def test_a_method_may_make_the_value_of_a_field() -> None:
    assert attrs.astuple(Sized("ab")) == ("ab", 2)


def test_what_only_attrs_knows_it_makes() -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        Checked(0)
    assert Louder(2).loud() == "Louder(x=2)!"
    assert [one.name for one in attrs.fields(Known)] == ["x"]
    assert RefusedError(5).args == (5,)


@lean.frozen
class Place:
    x: int
    _hidden: int = 2
    far: tuple[int, ...] = field(default=(), converter=tuple[int, ...])
    made: int = field(default=7, init=False)


def test_a_changed_copy_is_what_attrs_makes_of_it() -> None:
    place = Place(1, hidden=3, far=(1, 2))
    assert lean.evolve(place) == attrs.evolve(place) == place
    assert lean.evolve(place, x=5, hidden=9) == attrs.evolve(place, x=5, hidden=9) == Place(5, 9, (1, 2))
    assert lean.evolve(place, far=[4]) == attrs.evolve(place, far=[4]) == Place(1, 3, (4,))  # it passes through the constructor
    assert lean.evolve(Counter(3)) == Counter(3)
    assert lean.evolve(Nothing()) == Nothing()


def test_a_copy_has_no_field_that_its_class_does_not_know() -> None:
    with pytest.raises(TypeError, match="nowhere"):
        lean.evolve(Place(1), nowhere=1)  # type: ignore[call-arg]  # that is the point: mypy sees it, too


def test_what_a_value_holds_is_told_by_the_names_of_its_fields() -> None:
    assert lean.asdict(Pair(Place(1), [Counter(2)])) == {  # type: ignore[arg-type]  # types do not matter here
        "left": {"x": 1, "_hidden": 2, "far": (), "made": 7},
        "right": [Counter(2)],
    }
