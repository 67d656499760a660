"""What is known of the fields of a class."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs

Method = TypeVar("Method", bound=Callable[[Any], Any])


class Arguments(dict[str, Any]):
    """What a class says of one field, in the words of `attrs.field`."""

    def default(self, method: Method) -> Method:
        """Decorates the method that makes the value of the field, when all arguments are in their places."""
        self["default"] = attrs.Factory(method, takes_self=True)
        return method


class Field:
    """A field, with the names that attrs has for what is known of it."""

    default: Any = attrs.NOTHING
    init = repr = eq = True
    converter: Callable[[Any], object] | None = None
    is_made = False

    def __init__(self, name: str, kind: Any, kw_only: bool, said: Any) -> None:
        self.name = name
        self.alias = name.lstrip("_")
        self.type = kind
        self.kw_only = kw_only
        if type(said) is Arguments:
            vars(self).update(said)
            if "factory" in said:
                self.default = attrs.Factory(said["factory"])
            self.converter = getattr(self.converter, "__origin__", self.converter)  # `tuple[int, ...]` takes ten times as long as `tuple`
        elif said is not attrs.NOTHING:
            self.default = said
        if type(self.default) is attrs.Factory:
            self.is_made = True


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
    return [Field(name, kind, kw_only, said.get(name, attrs.NOTHING)) for name, kind in cls.__annotations__.items()]
