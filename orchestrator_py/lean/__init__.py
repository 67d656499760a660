"""`frozen`, `define`, `field`, `evolve`, `asdict` of attrs, for a program that starts often and copies much; and `maker`, which makes many.

attrs writes the methods of a class as text and compiles it: a quarter of a millisecond for each class, a tenth of that here. Methods that
do the same in all classes stand here once, and so does the code of a constructor; one of its own is compiled for a class of which many
instances are made.
For others these are attrs classes: `attrs.fields` and what rests on it works; attrs describes a class when somebody wants to know.

A class that wants more than is known here (a validator, `super()`, to be an exception) is made by attrs.
"""

from collections.abc import Callable
from functools import cache, partial
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

import attrs

from orchestrator_py.lean.classes import make_class
from orchestrator_py.lean.compiled import maker as maker
from orchestrator_py.lean.description import Arguments
from orchestrator_py.lean.description import Field as Field
from orchestrator_py.lean.description import fields as fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from attrs import field as field
else:
    field = Arguments

_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def frozen(cls: type | None = None, *, kw_only: bool = False, eq: bool = True) -> Any:
    """A value: it cannot be changed, and equals another of its class that holds the same. Arguments as those of `attrs.frozen`."""
    make = partial(make_class, attrs.frozen, kw_only=kw_only, eq=eq)
    return make if cls is None else make(cls)


@dataclass_transform(field_specifiers=(attrs.field,))
def define(cls: type | None = None, *, kw_only: bool = False, eq: bool = True) -> Any:
    """A class whose instances change. Arguments as those of `attrs.define`."""
    make = partial(make_class, attrs.define, kw_only=kw_only, eq=eq)
    return make if cls is None else make(cls)


def evolve(value: _Value, **changes: object) -> _Value:
    """A copy with some fields changed, as `attrs.evolve` makes it; what the fields are called is asked once for each class."""
    make, names, read = _making(type(value))  # type: ignore[arg-type]  # a class is hashable
    return make(**{**dict(zip(names, read(value), strict=True)), **changes})  # type: ignore[no-any-return]  # it is the class of the value


def asdict(value: object) -> dict[str, Any]:
    """What a value holds by the names of its fields, and what a value in it holds in the same way; all else as it is."""
    held = {one.name: getattr(value, one.name) for one in fields(type(value))}
    return {name: asdict(item) if "__attrs_attrs__" in vars(type(item)) else item for name, item in held.items()}


@cache
def _making(cls: type[Any]) -> tuple[Callable[..., Any], tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """The maker, what it calls its arguments, and what reads their values from an instance."""
    given = [one for one in fields(cls) if one.init]
    names = [one.name for one in given]
    read = attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)
    return maker(cls), tuple(one.alias for one in given), read
