"""JSON Schema (2020-12) of the shapes that a strict converter reads: what it accepts, said for editors and other programs."""

from collections.abc import Mapping
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from attrs import NOTHING, has

from orchestrator_py.core.codec.limits import SCHEMAS
from orchestrator_py.core.codec.strict import Converter, shape_of

Schema = dict[str, object]

_PRIMITIVES: Mapping[object, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def object_schema(converter: Converter, cls: type[Any], parts: Mapping[str, Schema], definitions: dict[str, Schema]) -> Schema:
    """The schema of a class. `parts` are those of keys that the converter hands on as they are; nested classes go to `definitions`."""
    form = shape_of(converter, cls)
    keys = {key.key: parts.get(key.key) or kind_schema(converter, key.kind, definitions) for key in form.keys}
    ignored = {key: {"description": "Accepted, and without effect."} for key in sorted(form.ignored)}
    required = [key.key for key in form.keys if key.default is NOTHING]
    return {
        "type": "object",
        "description": (cls.__doc__ or "").partition("\n")[0],
        "properties": keys | ignored,
        **({"required": required} if required else {}),
        "additionalProperties": form.extra,
    }


def kind_schema(converter: Converter, kind: Any, definitions: dict[str, Schema]) -> Schema:
    """The schema of the type of one field."""
    if kind in SCHEMAS:
        return dict(SCHEMAS[kind])
    if kind in _PRIMITIVES:
        return {"type": _PRIMITIVES[kind]}
    if has(kind):
        return _defined(converter, kind, definitions)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    match get_origin(kind), get_args(kind):
        case (origin, members) if origin in (Union, UnionType):
            # `| None` says that the key may be absent; a null in its place is accepted too.
            return {"anyOf": [kind_schema(converter, member, definitions) for member in members]}
        case (origin, (item, _)) if origin is tuple:
            return {"type": "array", "items": kind_schema(converter, item, definitions)}
        case (_, (name, item)):
            return {
                "type": "object",
                "propertyNames": kind_schema(converter, name, definitions),
                "additionalProperties": kind_schema(converter, item, definitions),
            }
    return {}


def _defined(converter: Converter, cls: type[Any], definitions: dict[str, Schema]) -> Schema:
    name = cls.__name__.removesuffix("Document")
    if name not in definitions:
        definitions[name] = {}  # holds the place of a class that refers to itself
        definitions[name] = object_schema(converter, cls, {}, definitions)
    return {"$ref": f"#/$defs/{name}"}
