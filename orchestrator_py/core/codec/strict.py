"""One strict cattrs converter: nothing is coerced, every problem is named with its place in the document.

The shape of a class is declared beside the typed functions that use it, with `shape(...)`; values know no key names.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import cattrs
from attrs import NOTHING

from orchestrator_py.core.codec.problems import Problem, ShapeError, show, step
from orchestrator_py.core.codec.shapes import Shape, create_shape
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import DecodeError
from orchestrator_py.model.absent import ABSENT, Absent

T = TypeVar("T")
Read = Callable[[object, Any], Any]
Write = Callable[[Any], Any]
Hooks = Callable[[], tuple[Read, Write]]
"""How the values of a class are read and written, worked out when it is asked."""

_PLAIN = frozenset({str, bool, int, float, type(None)})
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", tuple: "a list", dict: "an object"}


class Converter(cattrs.Converter):
    """Knows declared classes, those that are made from them, and enums. What it needs for a class it works out when the class comes up."""

    def __init__(self) -> None:
        super().__init__(unstruct_collection_overrides={tuple: list})
        self._declared: dict[type, Hooks] = {}
        self._hooks = cache(self._find_hooks)

    def declare(self, cls: type, hooks: Hooks) -> None:
        """How the values of a class are read and written, before there is any."""
        self._declared[cls] = hooks

    def wrap(self, cls: type, around: Callable[[Read, Write], tuple[Read, Write]]) -> None:
        """Something more to do than what has been declared."""
        hooks = self._declared[cls]
        self._declared[cls] = lambda: around(*hooks())

    def structure(self, obj: Any, cl: Any) -> Any:
        """As cattrs does it."""
        return self.get_structure_hook(cl)(obj, cl)

    def unstructure(self, obj: Any, unstructure_as: Any = None) -> Any:
        """As cattrs does it."""
        return self.get_unstructure_hook(type(obj) if unstructure_as is None else unstructure_as)(obj)

    def get_structure_hook(self, type: Any, cache_result: bool = True) -> Any:
        """Cattrs is asked about what is not known: it would search long for a class."""
        hooks = self._hooks(type)
        return super().get_structure_hook(type, cache_result) if hooks is None else hooks[0]

    def get_unstructure_hook(self, type: Any, cache_result: bool = True) -> Any:
        """Cattrs is asked about what is not known."""
        hooks = self._hooks(type)
        return super().get_unstructure_hook(type, cache_result) if hooks is None else hooks[1]

    def _find_hooks(self, kind: Any) -> tuple[Read, Write] | None:
        if not isinstance(kind, type):
            return None
        if issubclass(kind, Enum):
            return _structure_enum, attrgetter("value")
        return next((self._declared[base]() for base in kind.__mro__ if base in self._declared), None)


def shape(
    converter: Converter,
    cls: type[Any],
    *,
    keys: Literal["snake", "camel"],
    renamed: Mapping[str, str] | None = None,
    hidden: frozenset[str] = frozenset(),
    unwritten: frozenset[str] = frozenset(),
    always: frozenset[str] | Literal["all"] = frozenset(),
    extra: bool = False,
    ignored: frozenset[str] = frozenset(),
) -> None:
    """Declare how an attrs class stands in JSON.

    Keys come in the order of the fields. A field with a default is an optional key that is left out while it holds the default,
    unless it is in `always`. `hidden` fields never appear, `unwritten` ones are read only. `extra`: unknown keys are kept in the field
    `extra` and written last; otherwise they are refused. `ignored` keys are accepted and dropped; the field `ignored` holds the names
    of those that were there.
    """
    form = cache(partial(create_shape, cls, keys, renamed or {}, hidden, unwritten, always, extra, ignored))
    converter.declare(
        cls,
        lambda: (partial(_structure_object, converter, form()), partial(_unstructure_object, partial(_unstructure, converter), form())),
    )


def shape_of(converter: Converter, cls: type[Any]) -> Shape:
    """What was declared for a class."""
    hook = converter.get_structure_hook(cls)
    assert isinstance(hook, partial), f"no shape is declared for {cls.__name__}"
    form = hook.args[1]
    assert isinstance(form, Shape)
    return form


def _structure_object(converter: Converter, form: Shape, data: object, cls: type[T]) -> T:
    if not isinstance(data, Mapping):
        raise _mismatch(dict, data)
    problems: list[Problem] = []
    values: dict[str, object] = {}
    for key in form.keys:
        if key.key in data:
            _structure_at(converter, step(key.key), data[key.key], key.kind, partial(values.__setitem__, key.field), problems)
        elif key.default is NOTHING:
            problems.append(Problem("$", f"the key {key.key!r} is missing"))
    rest = {key: value for key, value in data.items() if key not in form.names}
    if form.ignored:
        values["ignored"] = tuple(key for key in rest if key in form.ignored)
    if not form.extra:
        known = [key.key for key in form.keys]
        problems += (Problem("$" + step(key), f"unknown key{suggest(key, known)}") for key in rest if key not in form.ignored)
    elif rest:
        values["extra"] = rest
    if problems:
        raise ShapeError(problems)
    return cls(**values)


def _structure_at(converter: Converter, where: str, data: object, kind: Any, keep: Callable[[Any], None], problems: list[Problem]) -> None:
    try:
        keep(converter.structure(data, kind))
    except ShapeError as error:
        problems.extend(problem.below(where) for problem in error.problems)
    except ValueError as error:  # a constructor that refuses
        problems.append(Problem("$" + where, str(error)))


def written_shape(converter: Converter, cls: type[Any]) -> Shape | None:
    """What was declared for the values of a class as they are written; None if they are written in another way."""
    hook = converter.get_unstructure_hook(cls)
    return hook.args[1] if isinstance(hook, partial) and hook.func is _unstructure_object else None


def _unstructure_object(unstructure: Callable[[object], object], form: Shape, value: Any) -> dict[str, object]:
    data: dict[str, object] = {}
    for key in form.written:
        item = getattr(value, key.field)
        if key.omitted and (item is key.default or item == key.default):
            continue
        data[key.key] = item if key.raw or type(item) in _PLAIN else unstructure(item)
    extra = value.extra.items() if form.extra else ()
    return data | {key: item for key, item in extra if key not in form.names} if extra else data  # an extra key hides no field


def _unstructure(converter: Converter, item: object) -> object:
    """As the converter does it; tuples, the most frequent, without asking it about each plain item."""
    if type(item) is tuple:
        return [part if type(part) in _PLAIN else _unstructure(converter, part) for part in item]
    return converter.unstructure(item)


@cache
def shared_converter() -> Converter:
    """The one with which codecs declare their classes, each of which stands in JSON in one way."""
    return create_converter()


def create_converter() -> Converter:
    """A converter whose primitives check instead of coercing; mappings and `object` hold JSON data as it is."""
    converter = Converter()
    for primitive in (str, bool, int, float):
        converter.register_structure_hook(primitive, partial(_structure_primitive, primitive))
    converter.register_structure_hook_func(lambda kind: kind is object, lambda data, _: data)
    converter.register_structure_hook_func(_is_tuple, partial(_structure_tuple, converter))
    converter.register_structure_hook_func(_is_mapping, partial(_structure_mapping, converter))
    converter.register_structure_hook_func(_is_union, partial(_structure_union, converter))
    return converter


def _structure_primitive(primitive: type[object], data: object, _: object) -> object:
    if type(data) is primitive or (primitive is float and type(data) is int):
        return data
    raise _mismatch(primitive, data)


def _structure_enum(data: object, cls: type[Enum]) -> Enum:
    for member in cls:
        if member.value == data and type(data) is type(member.value):
            return member
    words = ", ".join(repr(member.value) for member in cls)
    raise ShapeError([Problem("$", f"expected one of {words}, got {show(data)}")])


def _structure_tuple(converter: Converter, data: object, cls: Any) -> tuple[object, ...]:
    if not isinstance(data, list | tuple):
        raise _mismatch(tuple, data)
    items: list[object] = []
    problems: list[Problem] = []
    for index, item in enumerate(data):
        _structure_at(converter, f"[{index}]", item, get_args(cls)[0], items.append, problems)
    if problems:
        raise ShapeError(problems)
    return tuple(items)


def _structure_mapping(converter: Converter, data: object, cls: Any) -> Mapping[str, object]:
    if not isinstance(data, Mapping):
        raise _mismatch(dict, data)
    key_kind, item_kind = get_args(cls)
    items: dict[str, object] = {}
    problems: list[Problem] = []
    for key, item in data.items():
        _structure_at(converter, step(key), key, key_kind, lambda _: None, problems)
        _structure_at(converter, step(key), item, item_kind, partial(items.__setitem__, key), problems)
    if problems:
        raise ShapeError(problems)
    return items


def _structure_union(converter: Converter, data: object, cls: Any) -> object:
    """`X | None | Absent`: null only where None is named; the other kinds are tried in order, the first problem is told."""
    if data is ABSENT and Absent in get_args(cls):
        return data
    if data is None and type(None) in get_args(cls):
        return None
    first: ShapeError | None = None
    for kind in get_args(cls):
        if kind in (type(None), Absent):
            continue
        try:
            return converter.structure(data, kind)
        except ShapeError as error:
            first = first or error
    raise first or _mismatch(dict, data)


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,)


def _is_mapping(kind: object) -> bool:
    return getattr(get_origin(kind), "__name__", "") == "Mapping"


def _is_union(kind: object) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _mismatch(wanted: type[object], data: object) -> ShapeError:
    return ShapeError([Problem("$", f"expected {_WORDS[wanted]}, got {show(data)}")])


def decode_at(converter: Converter, cls: type[T], data: object, place: str, problems: list[Problem]) -> T | None:
    """Like `decode` for a part of a document that stands at `place`: adds to `problems` instead of raising, and answers None."""
    found: list[T] = []
    _structure_at(converter, place.removeprefix("$"), data, cls, found.append, problems)
    return found[0] if found else None


def decode(converter: Converter, cls: type[T], data: object) -> T:
    """The value that JSON data stands for; DecodeError names every problem with its place."""
    try:
        value: T = converter.structure(data, cls)
    except ShapeError as error:
        raise DecodeError(str(error)) from None
    except ValueError as error:  # a constructor that refuses
        raise DecodeError(f"$: {error}") from None
    except RecursionError:
        raise DecodeError("$: nested too deeply") from None
    return value
