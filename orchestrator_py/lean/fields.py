"""What is known of the fields of a class."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs


class Arguments(dict[str, Any]):
    """What a class says of one field, in the words of `attrs.field`."""


class Field:
    """A field, with the names that attrs has for what is known of it."""

    __slots__ = ("alias", "converter", "default", "eq", "factory", "init", "kw_only", "name", "repr", "type")

    def __init__(
        self,
        name: str,
        type: Any,
        kw_only: bool,
        default: Any = attrs.NOTHING,
        factory: Callable[[], object] | None = None,
        init: bool = True,
        repr: bool = True,
        eq: bool = True,
        converter: Callable[[Any], object] | None = None,
    ) -> None:
        self.name = name
        self.alias = name.lstrip("_")
        self.type = type
        self.kw_only = kw_only
        self.default = default if factory is None else attrs.Factory(factory)
        self.factory = factory
        self.init = init
        self.repr = repr
        self.eq = eq
        self.converter = converter


class Description:
    """Stands in a class for `__attrs_attrs__`: holds the fields as they are known here, and asks attrs when somebody reads it."""

    __slots__ = ("_answer", "_ask", "fields")

    def __init__(self, fields: Sequence[Field], ask: Callable[[], type[Any]]) -> None:
        self.fields = fields
        self._ask = ask
        self._answer: Any = None

    def __get__(self, instance: object, owner: type) -> Any:
        if self._answer is None:
            self._answer = attrs.fields(self._ask())
        return self._answer


def fields(cls: type[Any]) -> Sequence[Field]:
    """The fields of a class, those that it inherits first. Of a class that attrs has made they are attrs' own."""
    known = vars(cls).get("__attrs_attrs__")
    return known.fields if type(known) is Description else attrs.fields(cls)


def own_fields(cls: type[Any], *, kw_only: bool) -> list[Field]:
    """Those that the body of a class declares."""
    said = vars(cls)
    return [_field(name, kind, kw_only, said.get(name, attrs.NOTHING)) for name, kind in cls.__annotations__.items()]


def _field(name: str, kind: object, kw_only: bool, said: object) -> Field:
    return Field(name, kind, kw_only, **said) if type(said) is Arguments else Field(name, kind, kw_only, said)
