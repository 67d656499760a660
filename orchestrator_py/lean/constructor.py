"""The constructor of a class: compiled once for all classes that are put together in the same way, then given their names."""

import sys
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from types import CellType, CodeType, FunctionType
from typing import Any

import attrs

from orchestrator_py.lean.fields import Field

Put = Callable[[Any, Any], object]


def create_constructor(cls: type[Any], fields: Sequence[Field], *, is_frozen: bool) -> FunctionType:
    """`__init__` of a class whose slots stand; its signature is the one that attrs would write."""
    given = sorted((one for one in fields if one.init), key=attrgetter("kw_only"))
    positional = [one for one in given if not one.kw_only]
    optional = [one.default is not attrs.NOTHING for one in positional]
    if optional != sorted(optional):
        raise ValueError(f"{cls.__qualname__}: a field without a default follows one that has a default.")
    finish = _finish(cls, [one for one in fields if not one.init])
    code = _code("".join("p" if is_frozen or _is_prepared(one) else "s" for one in given), finish is not None)
    inner = {f"put{place}": _put(cls, one) for place, one in enumerate(given)} | {"finish": finish}
    names = {f"field{place}": one.name for place, one in enumerate(given)}
    code = code.replace(
        co_argcount=1 + len(positional),
        co_kwonlyargcount=len(given) - len(positional),
        co_varnames=("self", *(one.alias for one in given)),
        co_names=tuple(names.get(name, name) for name in code.co_names),
        co_qualname=f"{cls.__qualname__}.__init__",
    )
    init = FunctionType(code, vars(sys.modules[cls.__module__]), closure=tuple(CellType(inner[name]) for name in code.co_freevars))
    init.__defaults__ = tuple(_argument(one) for one in positional if one.default is not attrs.NOTHING)
    init.__kwdefaults__ = {one.alias: _argument(one) for one in given if one.kw_only and one.default is not attrs.NOTHING}
    init.__annotations__ = {one.alias: one.type for one in given if one.converter is None} | {"return": None}
    return init


@cache
def _code(kinds: str, finishes: bool) -> CodeType:
    """With an argument for each kind: `p` is put into its slot by a function, `s` is stored as an attribute."""
    places = range(len(kinds))
    lines = [f"put{place}(self, argument{place})" if kinds[place] == "p" else f"self.field{place} = argument{place}" for place in places]
    text = f"""\
def outer({"".join(f"put{place}, " for place in places)}finish):
    def __init__(self{"".join(f", argument{place}" for place in places)}):
        {"; ".join(lines + ["finish(self)"] * finishes) or "pass"}
"""
    return _inner(_inner(compile(text, "<constructor>", "exec")))


def _inner(code: CodeType) -> CodeType:
    return next(one for one in code.co_consts if isinstance(one, CodeType))


def _is_prepared(field: Field) -> bool:
    """Whether something is done with the argument before it is kept."""
    return field.converter is not None or field.factory is not None


def _argument(field: Field) -> Any:
    """What stands for a field if nothing is given."""
    return field.default if field.factory is None else attrs.NOTHING


def _put(cls: type[Any], field: Field) -> Put:
    """What puts a value, or what the field makes of it, into the slot."""
    put: Put = getattr(cls, field.name).__set__
    if field.converter is not None:
        put = _converting(field.converter, put)
    return put if field.factory is None else _making(field.factory, put)


def _converting(convert: Callable[[Any], object], put: Put) -> Put:
    return lambda self, value: put(self, convert(value))


def _making(make: Callable[[], object], put: Put) -> Put:
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
