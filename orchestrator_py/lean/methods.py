"""The methods that do the same in all classes."""

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any

import attrs

from orchestrator_py.lean.description import fields

MANY = 32
"""So many items of a tuple are shown: `asyncio.run` prints what it returns, twice, and a long run's summary would take seconds."""


def represent(self: Any) -> str:
    """`__repr__`."""
    shown = (f"{one.name}={_show(getattr(self, one.name, attrs.NOTHING))}" for one in fields(type(self)) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _show(value: object) -> str:
    if type(value) is not tuple or len(value) <= MANY:
        return repr(value)
    return f"({', '.join(map(repr, value[:MANY]))}, … {len(value) - MANY} more)"


def equals(self: Any, other: object) -> object:
    """`__eq__`: of the same class, and holding the same."""
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = _compared(type(self))  # type: ignore[arg-type]  # a class is hashable
    return compared(self) == compared(other)


def hash_of(self: Any) -> int:
    """`__hash__` of a value."""
    compared = _compared(type(self))  # type: ignore[arg-type]  # a class is hashable
    return hash((self.__class__, compared(self)))


def _state(self: Any) -> dict[str, object]:
    return {one.name: getattr(self, one.name) for one in fields(type(self))}


def _restore(self: Any, state: Mapping[str, object]) -> None:
    for one in fields(type(self)):
        if one.name in state:
            object.__setattr__(self, one.name, state[one.name])


COPYING: Mapping[str, object] = {"__getstate__": _state, "__setstate__": _restore, "__replace__": attrs.evolve}


@cache
def _compared(cls: type[Any]) -> Callable[[object], object]:
    """What reads the fields of an instance that count when it is compared."""
    names = [one.name for one in fields(cls) if one.eq]
    return attrgetter(*names) if names else _nothing


def _nothing(_: object) -> tuple[()]:
    return ()
