"""How a class stands in JSON, as it was declared: worked out once for each class, when it comes up."""

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, Literal, get_type_hints

from attrs import NOTHING

from orchestrator_py.lean import Field, fields, frozen


@frozen(kw_only=True)
class Key:
    """How one field stands in JSON."""

    field: str
    key: str
    label: str  # the key as it stands in JSON text, with its colon
    kind: Any
    default: Any  # NOTHING: the key is required
    raw: bool  # holds JSON data, written as it is
    omitted: bool  # left out while it holds the default


@frozen(kw_only=True)
class Shape:
    """How a class stands in JSON: its keys in their order, and what becomes of others."""

    keys: tuple[Key, ...]
    written: tuple[Key, ...]  # the others are read only
    names: frozenset[str]
    extra: bool
    ignored: frozenset[str]
    whole: bool  # no written key is ever left out
    labels: tuple[str, ...]  # of the written keys
    read: Callable[[Any], tuple[object, ...]]  # what a value holds under the written keys


def create_shape(
    cls: type[Any],
    keys: Literal["snake", "camel"],
    renamed: Mapping[str, str],
    hidden: frozenset[str],
    unwritten: frozenset[str],
    always: frozenset[str] | Literal["all"],
    extra: bool,
    ignored: frozenset[str],
) -> Shape:
    concealed = hidden | ({"extra"} if extra else frozenset()) | ({"ignored"} if ignored else frozenset())
    kinds = _kinds(cls)
    plan = tuple(
        _key(field, kinds[field.name], renamed.get(field.name) or (_camel(field.name) if keys == "camel" else field.name), always)
        for field in fields(cls)
        if field.name not in concealed
    )
    written = tuple(key for key in plan if key.field not in unwritten)
    return Shape(
        keys=plan,
        written=written,
        names=frozenset(key.key for key in plan),
        extra=extra,
        ignored=ignored,
        whole=not any(key.omitted for key in written),
        labels=tuple(key.label for key in written),
        read=_reader([key.field for key in written]),
    )


def _reader(names: list[str]) -> Callable[[Any], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _kinds(cls: type[Any]) -> Mapping[str, Any]:
    """The types of the fields; those that are written as text are looked up."""
    kinds = {field.name: field.type for field in fields(cls)}
    return get_type_hints(cls, include_extras=True) if any(isinstance(kind, str) for kind in kinds.values()) else kinds


def _key(field: Field, kind: Any, key: str, always: frozenset[str] | Literal["all"]) -> Key:
    return Key(
        field=field.name,
        key=key,
        label=f'"{key}":',
        kind=kind,
        raw=kind is object,
        default=_default_of(field.default),
        omitted=field.default is not NOTHING and always != "all" and field.name not in always,
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _default_of(default: Any) -> Any:
    return default.factory() if hasattr(default, "factory") else default


def members_of(form: Shape, value: Any) -> list[tuple[str, object]]:
    """The members of a value that has this shape, in their order: each a key as it stands in JSON text, and what the value holds."""
    members: list[tuple[str, object]] = []
    for key in form.written:
        item = getattr(value, key.field)
        if not (key.omitted and (item is key.default or item == key.default)):
            members.append((key.label, item))
    return members + extra_members(form, value) if form.extra and value.extra else members


def extra_members(form: Shape, value: Any) -> list[tuple[str, object]]:
    """Those of them that have no field: an extra key hides none."""
    return [(f"{encode_basestring(key)}:", item) for key, item in value.extra.items() if key not in form.names]
