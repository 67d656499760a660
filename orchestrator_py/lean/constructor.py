"""The constructor of a class. One code serves all of them; a class of which many instances are made gets a compiled one."""

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from types import FunctionType
from typing import Any

import attrs

from orchestrator_py.lean.compiled import compile_constructor, makes_by_itself
from orchestrator_py.lean.description import Field

Put = Callable[[Any, Any], object]
Finish = Callable[[Any], None]

OFTEN = 64
"""So many instances are made before a constructor is compiled: that takes as long as to make some eighty."""


class Constructor:
    """Stands in a class for `__init__` until somebody looks it up: most classes of a program have no instances in most of its runs."""

    __slots__ = ("_cls", "_fields")
    _cls: type[Any]

    def __init__(self, name: str, fields: Sequence[Field]) -> None:
        optional = [one.default is not attrs.NOTHING for one in fields if one.init and not one.kw_only]
        if optional != sorted(optional):
            raise ValueError(f"{name}: a field without a default follows one that has a default.")
        self._fields = fields

    def serve(self, cls: type[Any]) -> None:
        """Its class, whose slots stand."""
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Any:
        self._cls.__init__ = init = _create(self._cls, self._fields)
        return init if instance is None else init.__get__(instance, owner)


def _create(cls: type[Any], fields: Sequence[Field]) -> FunctionType:
    """An `__init__` with the signature that attrs would write."""
    positional = [one for one in fields if one.init and not one.kw_only]
    given = positional + [one for one in fields if one.init and one.kw_only]
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
    setattr(cls, filling, _fill(cls, init, fields))
    return init


def _first(self: Any) -> None:
    """The code of all constructors, but for the names of arguments and of what fills the slots with them."""
    self.fill(locals())


def _fill(cls: type[Any], init: FunctionType, fields: Sequence[Field]) -> Callable[[Any, Mapping[str, object]], None]:
    puts = [(one.alias, _put(cls, one)) for one in fields if one.init]
    finish = _finish(cls, fields)
    left = repeat(0) if makes_by_itself(fields) else iter(range(OFTEN))

    def fill(self: Any, arguments: Mapping[str, object]) -> None:
        for name, put in puts:
            put(self, arguments[name])
        if finish is not None:
            finish(self)
        if next(left, None) is None and cls.__init__ is init:
            cls.__init__ = compile_constructor(cls, init, fill)

    return fill


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
