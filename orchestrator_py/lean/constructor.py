"""The constructor of a class: compiled once for all classes that are put together in the same way, then given their names."""

import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import Any

import attrs

from orchestrator_py.lean.description import Field

Put = Callable[[Any, Any], object]


def create_constructor(cls: type[Any], fields: Sequence[Field]) -> FunctionType:
    """`__init__` of a class whose slots stand; its signature is the one that attrs would write."""
    positional = [one for one in fields if one.init and not one.kw_only]
    given = positional + [one for one in fields if one.init and one.kw_only]
    optional = [one.default is not attrs.NOTHING for one in positional]
    if optional != sorted(optional):
        raise ValueError(f"{cls.__qualname__}: a field without a default follows one that has a default.")
    finish = _finish(cls, [one for one in fields if not one.init])
    unnamed = _template(len(given), finish is not None)(*[_put(cls, one) for one in given], finish)
    code = unnamed.__code__.replace(
        co_argcount=1 + len(positional),
        co_kwonlyargcount=len(given) - len(positional),
        co_varnames=("self", *[one.alias for one in given]),
        co_qualname=f"{cls.__qualname__}.__init__",
    )
    init = FunctionType(code, vars(sys.modules[cls.__module__]), closure=unnamed.__closure__)
    init.__defaults__ = tuple([_argument(one) for one in positional if one.default is not attrs.NOTHING])
    init.__kwdefaults__ = {one.alias: _argument(one) for one in given if one.kw_only and one.default is not attrs.NOTHING}
    init.__annotations__ = {one.alias: one.type for one in given if one.converter is None} | {"return": None}
    return init


@cache
def _template(count: int, finishes: bool) -> Callable[..., FunctionType]:
    """What makes a constructor of so many arguments, given the functions that put them into their slots."""
    arguments = [f"a{place}" for place in range(count)]
    puts = [f"put_{argument}" for argument in arguments]
    lines = [f"{put}(self, {argument})" for put, argument in zip(puts, arguments, strict=True)]
    text = f"""\
def create({", ".join([*puts, "finish"])}):
    def __init__({", ".join(["self", *arguments])}):
        {"; ".join(lines + ["finish(self)"] * finishes) or "pass"}
    return __init__
"""
    space: dict[str, Any] = {}
    exec(compile(text, "<constructor>", "exec"), space)
    create: Callable[..., FunctionType] = space["create"]
    return create


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


def _finish(cls: type[Any], hidden: Sequence[Field]) -> Callable[[Any], None] | None:
    """What is left to do when all arguments are in their slots."""
    puts = [(_put(cls, one), _argument(one)) for one in hidden if one.default is not attrs.NOTHING]
    goes_on = hasattr(cls, "__attrs_post_init__")

    def finish(self: Any) -> None:
        for put, value in puts:
            put(self, value)
        if goes_on:
            self.__attrs_post_init__()

    return finish if puts or goes_on else None
