"""The constructor of a class. One code serves all of them; a class of which many instances are made gets a compiled one."""

import sys
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import attrs

from orchestrator_py.lean.description import Field

Put = Callable[[Any, Any], object]
Finish = Callable[[Any], None]

OFTEN = 16
"""So many instances are made before a constructor is compiled: that takes as long as to make some hundreds."""


def add_constructor(cls: type[Any], fields: Sequence[Field]) -> None:
    """Gives `__init__` to a class whose slots stand; its signature is the one that attrs would write."""
    positional = [one for one in fields if one.init and not one.kw_only]
    given = positional + [one for one in fields if one.init and one.kw_only]
    optional = [one.default is not attrs.NOTHING for one in positional]
    if optional != sorted(optional):
        raise ValueError(f"{cls.__qualname__}: a field without a default follows one that has a default.")
    filling = f"fill {cls.__qualname__}"  # no other attribute can have this name
    code = _first.__code__.replace(
        co_argcount=1 + len(positional),
        co_kwonlyargcount=len(given) - len(positional),
        co_nlocals=1 + len(given),
        co_varnames=("self", *[one.alias for one in given]),
        co_names=tuple([filling if name == "fill" else name for name in _first.__code__.co_names]),
        co_name="__init__",
        co_qualname=f"{cls.__qualname__}.__init__",
    )
    init = FunctionType(code, vars(sys.modules[cls.__module__]))
    init.__defaults__ = tuple([_argument(one) for one in positional if one.default is not attrs.NOTHING])
    init.__kwdefaults__ = {one.alias: _argument(one) for one in given if one.kw_only and one.default is not attrs.NOTHING}
    init.__annotations__ = {one.alias: one.type for one in given if one.converter is None} | {"return": None}
    cls.__init__ = init
    setattr(cls, filling, _fill(cls, init, fields))


def _first(self: Any) -> None:
    """The code of all constructors, but for the names of arguments and of what fills the slots with them."""
    self.fill(locals())


def _fill(cls: type[Any], init: FunctionType, fields: Sequence[Field]) -> Callable[[Any, Mapping[str, object]], None]:
    puts = [(one.alias, _put(cls, one)) for one in fields if one.init]
    finish = _finish(cls, fields)
    left = iter(range(OFTEN))

    def fill(self: Any, arguments: Mapping[str, object]) -> None:
        for name, put in puts:
            put(self, arguments[name])
        if finish is not None:
            finish(self)
        if next(left, None) is None and cls.__init__ is init:
            cls.__init__ = _compiled(cls, init, fields)

    return fill


def _compiled(cls: type[Any], init: FunctionType, fields: Sequence[Field]) -> FunctionType:
    """A constructor that does the same as `init`, without a detour."""
    given = init.__code__.co_varnames[1:]
    inner: dict[str, object] = {"_NOTHING": attrs.NOTHING}  # no argument begins with an underscore
    lines = [_line(cls, place, one, inner) for place, one in _in_order(fields)]
    if hasattr(cls, "__attrs_post_init__"):
        lines.append("self.__attrs_post_init__()")
    text = f"""\
def create({", ".join(inner)}):
    def __init__({", ".join(["self", *given])}):
        {"; ".join(lines) or "pass"}
    return __init__
"""
    space: dict[str, Any] = {}
    exec(compile(text, f"<constructor of {cls.__qualname__}>", "exec"), space)
    unbound: FunctionType = space.pop("create")(**inner)  # taken out: a circle less for the garbage collector
    counts = {name: getattr(init.__code__, name) for name in ("co_argcount", "co_kwonlyargcount", "co_qualname")}
    often = FunctionType(unbound.__code__.replace(**counts), init.__globals__, closure=unbound.__closure__)
    often.__defaults__, often.__kwdefaults__, often.__annotations__ = init.__defaults__, init.__kwdefaults__, init.__annotations__
    return often


def _in_order(fields: Sequence[Field]) -> list[tuple[int, Field]]:
    """Arguments first; fields that are none have their turn when all arguments are in their slots, if they have a value."""
    places = list(enumerate(fields))
    hidden = [(place, one) for place, one in places if not one.init and one.default is not attrs.NOTHING]
    return [(place, one) for place, one in places if one.init] + hidden


def _line(cls: type[Any], place: int, field: Field, inner: dict[str, object]) -> str:
    """The statement that fills one slot; what it calls is added to `inner`."""
    value = field.alias
    if field.is_made:
        inner[f"_make{place}"] = field.default.factory
        made = f"_make{place}({'self' if field.default.takes_self else ''})"
        value = f"{made} if {value} is _NOTHING else {value}" if field.init else made
    elif not field.init:
        inner[f"_value{place}"] = field.default
        value = f"_value{place}"
    if field.converter is not None:
        inner[f"_convert{place}"] = field.converter
        value = f"_convert{place}({value})"
    setter: Any = cls.__setattr__
    if setter is object.__setattr__:
        return f"self.{field.name} = {value}"
    inner[f"_put{place}"] = getattr(cls, field.name).__set__
    return f"_put{place}(self, {value})"


def _argument(field: Field) -> Any:
    """What stands for a field if nothing is given."""
    return attrs.NOTHING if field.is_made else field.default


def _put(cls: type[Any], field: Field) -> Put:
    """What puts a value, or what the field makes of it, into the slot."""
    put: Put = getattr(cls, field.name).__set__
    if field.converter is not None:
        put = _converting(field.converter, put)
    return _making(field.default, put) if field.is_made else put


def _converting(convert: Callable[[Any], object], put: Put) -> Put:
    return lambda self, value: put(self, convert(value))


def _making(default: Any, put: Put) -> Put:
    make = default.factory
    if default.takes_self:
        return lambda self, value: put(self, make(self) if value is attrs.NOTHING else value)
    return lambda self, value: put(self, make() if value is attrs.NOTHING else value)


def _finish(cls: type[Any], fields: Sequence[Field]) -> Finish | None:
    """What is left to do when all arguments are in their slots."""
    puts = [(_put(cls, one), _argument(one)) for one in fields if not one.init and one.default is not attrs.NOTHING]
    goes_on = hasattr(cls, "__attrs_post_init__")

    def finish(self: Any) -> None:
        for put, value in puts:
            put(self, value)
        if goes_on:
            self.__attrs_post_init__()

    return finish if puts or goes_on else None
