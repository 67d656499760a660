"""`frozen`, `define` and `evolve` of attrs, for a program that starts often and copies much.

The classes cost half as much when they are imported. attrs writes and compiles `__repr__`, `__eq__` and `__hash__` for every class. They do
the same in all of them, so they stand here once: the decorators put them into the class, and leave `__init__` and the rest to attrs.
"""

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

import attrs

_Class = TypeVar("_Class", bound=type)
_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def frozen(cls: type | None = None, *, kw_only: bool = False, eq: bool = True) -> Any:
    """A value: it cannot be changed, and equals another of its class that holds the same. Arguments as those of `attrs.frozen`."""
    return _decorated(attrs.frozen, cls, kw_only=kw_only, eq=eq)


@dataclass_transform(field_specifiers=(attrs.field,))
def define(cls: type | None = None, *, kw_only: bool = False, eq: bool = True) -> Any:
    """A class whose instances change. Arguments as those of `attrs.define`."""
    return _decorated(attrs.define, cls, kw_only=kw_only, eq=eq)


def _decorated(make: Callable[..., Any], cls: type | None, *, kw_only: bool, eq: bool) -> Any:
    def build(plain: _Class) -> _Class:
        _supply(plain, "__repr__", _repr)
        if eq:
            _supply(plain, "__eq__", _eq)
            _supply(plain, "__hash__", _hash if make is attrs.frozen else None)
        built: _Class = make(plain, kw_only=kw_only, eq=False, repr=False)
        return built

    return build if cls is None else build(cls)


def _supply(cls: type, name: str, method: object) -> None:
    if name not in cls.__dict__:
        setattr(cls, name, method)


def _repr(self: attrs.AttrsInstance) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in attrs.fields(type(self)) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: attrs.AttrsInstance, other: object) -> object:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = _compared(self.__class__)
    return compared(self) == compared(other)


def _hash(self: attrs.AttrsInstance) -> int:
    return hash((self.__class__, _compared(self.__class__)(self)))


@cache
def _compared(cls: type[attrs.AttrsInstance]) -> Callable[[object], object]:
    """What reads the fields of an instance that count when it is compared."""
    names = [one.name for one in attrs.fields(cls) if one.eq]
    return attrgetter(*names) if names else _nothing


def evolve(value: _Value, **changes: object) -> _Value:
    """A copy with some fields changed, as `attrs.evolve` makes it; what the fields are called is asked once for each class."""
    cls: type[Any] = type(value)
    names, read = _arguments(cls)  # type: ignore[arg-type]  # a class is hashable
    given = dict(zip(names, read(value), strict=True))
    given.update(changes)
    return cls(**given)  # type: ignore[no-any-return]  # it is the class of the value


@cache
def _arguments(cls: type[Any]) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """What the constructor calls its arguments, and what reads their values from an instance."""
    given = [one for one in attrs.fields(cls) if one.init]
    names = [one.name for one in given]
    if len(names) > 1:
        return tuple(one.alias for one in given), attrgetter(*names)
    return tuple(one.alias for one in given), lambda value: tuple(getattr(value, name) for name in names)


def _nothing(_: object) -> tuple[()]:
    return ()
