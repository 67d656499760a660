"""What is compiled for a class of which many instances are made: a constructor, and a maker that spares the call of the class."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from types import CellType, CodeType, FunctionType
from typing import Any, ParamSpec, TypeVar

import attrs

from orchestrator_py.lean.description import Description, Field, fields

P = ParamSpec("P")
T = TypeVar("T")
Fill = Callable[[Any, Mapping[str, object]], None]

OFTEN_MADE = 32
"""So many instances are made by a maker before it gets a code of its own: fewer than before the class gets a compiled constructor."""

_TURN = vars(object)["__class__"].__set__


def maker(cls: Callable[P, T]) -> Callable[P, T]:
    """What makes instances of a class as a call of the class does, with the same arguments, for where many are made.

    A call of a class puts its named arguments into a dictionary and looks up what to do with them; this takes a third of the time.
    """
    said: Any = vars(cls)
    making = f"make {cls.__qualname__}"  # no other attribute can have this name
    if making not in said and type(said.get("__attrs_attrs__")) is Description and _can_be_compiled(cls):
        setattr(cls, making, _beginner(cls))
    make: Callable[P, T] = said.get(making, cls)
    return make


def _beginner(cls: Any) -> FunctionType:
    """A maker that calls the class, until it has been called often enough to be worth a code of its own."""
    make = FunctionType(_call.__code__, {"_class": cls, "_left": iter(range(OFTEN_MADE)), "_compile": partial(_compile_maker, cls)})
    make.__qualname__ = f"{cls.__qualname__}.__init__"  # as errors in its arguments name it
    make.__globals__["_make"] = make
    return make


def _call(*positional: Any, **named: Any) -> Any:
    """The first code of a maker; each has names of its own."""
    if next(_left, None) is None:  # type: ignore[name-defined]  # noqa: F821
        _compile(_make)  # type: ignore[name-defined]  # noqa: F821
    return _class(*positional, **named)  # type: ignore[name-defined]  # noqa: F821


def _compile_maker(cls: type[Any], make: FunctionType) -> None:
    init: FunctionType = cls.__init__
    inner, values, stores, finish = _filling(cls, fields(cls))
    make.__globals__.update(inner, _new=object.__new__)
    make.__defaults__, make.__kwdefaults__ = init.__defaults__, init.__kwdefaults__
    make.__code__ = _code([*values, "self = _new(_open)", *stores, *finish, "return self"], init, skip=1)


def compile_constructor(cls: type[Any], init: FunctionType, fill: Fill) -> FunctionType:
    """A constructor that does the same as `init`, without a detour. `fill` does it for instances of a class below."""
    inner, values, stores, finish = _filling(cls, fields(cls))
    begin, turn = [], []
    if inner["_open"] is not cls:
        inner |= {"_turn": _TURN, "_fill": fill}
        begin, turn = ["if self.__class__ is not _class: return _fill(self, locals())"], ["_turn(self, _open)"]
    return _constructor([*begin, *values, *turn, *stores, *finish], init, inner)


def makes_by_itself(fields: Sequence[Field]) -> bool:
    """Whether a value is made by a method of the instance that it belongs to: such a class is not compiled."""
    return any(one.is_made and one.default.takes_self for one in fields)


def _can_be_compiled(cls: Any) -> bool:
    return cls.__new__ is object.__new__ and not makes_by_itself(fields(cls))


def _filling(cls: type[Any], fields: Sequence[Field]) -> tuple[dict[str, Any], list[str], list[str], list[str]]:
    """What the statements call, those that work out values, those that fill an instance of `_open` with them, and what is left to do then.

    An instance that cannot be changed is filled as one of a class that lets it, and becomes one of its own: to get round its class takes
    three times as long. What may raise comes before.
    """
    inner: dict[str, Any] = {"_class": cls, "_open": cls, "_NOTHING": attrs.NOTHING}  # no argument begins with an underscore
    values, stores = list[str](), list[str]()
    for place, one in _in_order(fields):
        value = _value(place, one, inner)
        if not value.isidentifier():
            values.append(f"_value{place} = {value}")
            value = f"_value{place}"
        stores.append(f"self.{one.name} = {value}")
    setter: Any = cls.__setattr__
    if setter is not object.__setattr__:
        inner["_open"] = _open(cls)  # type: ignore[arg-type]  # a class is hashable
        stores.append("self.__class__ = _class")
    return inner, values, stores, ["self.__attrs_post_init__()"] if hasattr(cls, "__attrs_post_init__") else []


@cache
def _open(cls: type[Any]) -> type[Any]:
    """A class whose instances can be changed, and can become instances of `cls`."""
    kind: Any = type(cls)
    space = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    opened: type[Any] = kind(cls.__name__, (cls,), space)
    return opened


def _constructor(lines: Sequence[str], init: FunctionType, inner: Mapping[str, object]) -> FunctionType:
    """Names of the class's module are found from it, as from `init`: what it calls stands in cells."""
    code = _code(lines, init, skip=0, cells=inner)
    often = FunctionType(code, init.__globals__, closure=tuple([CellType(inner[name]) for name in code.co_freevars]))
    often.__defaults__, often.__kwdefaults__, often.__annotations__ = init.__defaults__, init.__kwdefaults__, init.__annotations__
    return often


def _code(lines: Sequence[str], init: FunctionType, *, skip: int, cells: Collection[str] = ()) -> CodeType:
    """Code for these lines that takes the arguments of `init`, but for the first `skip`."""
    positional = init.__code__.co_argcount
    given = init.__code__.co_varnames[: positional + init.__code__.co_kwonlyargcount]  # further ones are its own
    words = ", ".join([*given[skip:positional], *(["*"] if positional < len(given) else []), *given[positional:]])
    body = "\n  ".join(lines) or "pass"
    text = f"def create({', '.join(cells)}):\n def __init__({words}):\n  {body}"
    outer = compile(text, f"<constructor of {init.__qualname__.removesuffix('.__init__')}>", "exec")
    code = _inner_code(_inner_code(outer))
    return code.replace(co_qualname=init.__code__.co_qualname)


def _inner_code(code: CodeType) -> CodeType:
    return next(one for one in code.co_consts if isinstance(one, CodeType))


def _in_order(fields: Sequence[Field]) -> list[tuple[int, Field]]:
    """Arguments first; fields that are none have their turn when all arguments are in their slots, if they have a value."""
    places = list(enumerate(fields))
    hidden = [(place, one) for place, one in places if not one.init and one.default is not attrs.NOTHING]
    return [(place, one) for place, one in places if one.init] + hidden


def _value(place: int, field: Field, inner: dict[str, object]) -> str:
    """What a slot is filled with; what it calls is added to `inner`."""
    value = field.alias
    if field.is_made:
        inner[f"_make{place}"] = field.default.factory
        value = f"_make{place}() if {value} is _NOTHING else {value}" if field.init else f"_make{place}()"
    elif not field.init:
        inner[f"_default{place}"] = field.default
        value = f"_default{place}"
    if field.converter is not None:
        inner[f"_convert{place}"] = field.converter
        value = f"_convert{place}({value})"
    return value
