"""The contract's JSON form of every value that leaves or enters: `to_json` and `from_json`."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache, lru_cache
from math import isfinite
from operator import attrgetter
from typing import Any, TypeVar

from attrs import NOTHING

from orchestrator_py.core.codec.events import add_event_shapes
from orchestrator_py.core.codec.manifest import add_manifest_shapes
from orchestrator_py.core.codec.rollups import add_rollup_shapes
from orchestrator_py.core.codec.strict import Converter, Shape, decode, members_of, shared_converter, written_shape
from orchestrator_py.core.codec.summary import add_summary_shapes
from orchestrator_py.core.codec.task import add_task_shapes
from orchestrator_py.core.json_text import (
    Printer,
    compact_json,
    pretty_json,
    print_members,
    print_other,
    print_value,
    refuse_deep_nesting,
    well_formed,
)
from orchestrator_py.lean import define, field
from orchestrator_py.model.absent import Absent
from orchestrator_py.model.metrics import InstanceStat
from orchestrator_py.model.result import BuildArtifact, BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.task import PlanItem, PlanResult

T = TypeVar("T")

_ALWAYS_PRINTABLE = frozenset({str, bool, type(None), Absent})
_CONTAINERS = frozenset({tuple, dict})
_NO_EXTRA: dict[str, object] = {}
_READ: Mapping[type, Callable[[Any], tuple[object, ...]]] = {
    BuildResult: attrgetter("subtask_id", "success", "artifacts", "notes"),  # mode and run id are overwritten
    BuildArtifact: attrgetter("path", "description"),
    TestResult: attrgetter("subtask_id", "success", "reports"),
    TestReport: attrgetter("name", "status", "details"),
    ReviewResult: attrgetter("summary", "decision"),
    ReviewDecision: attrgetter("approved", "feedback"),
    PlanResult: attrgetter("items", "notes", "target_id"),
    PlanItem: attrgetter("id", "description", "requires_cloud", "requires_cloud_alias", "runnable", "metadata", "selected"),
}
_CONSTANT = frozenset({bool, float, int, str, tuple, type(None)})
"""Kinds of defaults of which each is one object, which a value that says nothing else holds."""
_RECURRING = frozenset({InstanceStat})
"""Of these a service prints the same few in every run: their lines are kept."""
_SHALLOW = 16  # levels, far from what the stack holds
_DEEPEST = 128  # levels: half of what is read again, since summaries, events and pages stand around it, and printing takes stack
_EXACT = 2**53  # the last integer that every double reader keeps


@cache
def contract_converter() -> Converter:
    """The one converter, made when it is first needed."""
    converter = shared_converter()
    add_task_shapes(converter)
    add_summary_shapes(converter)
    add_manifest_shapes(converter)
    add_rollup_shapes(converter)
    add_event_shapes(converter)
    return converter


def to_json(value: object) -> object:
    """The value as JSON data (dict, list, str, int, float, bool, None), keys named and ordered as consumers know them."""
    data: object = contract_converter().unstructure(value)
    return data


def print_pretty(value: object) -> str:
    """As `pretty_json(to_json(value))`, without making JSON data of the value first."""
    return pretty_json(value, _print_value)


def pretty_pieces(value: object, texts: "Texts | None" = None) -> Iterator[str]:
    """The text of print_pretty in pieces, long lists item by item; `texts` keeps those of the items for the next time."""
    return map(well_formed, _pieces(value, "\n", 2, _print_value if texts is None else texts.printer()))


def _pieces(value: object, newline: str, levels: int, print_item: Printer) -> Iterator[str]:
    """Objects are taken apart down to so many levels, a list wherever it stands among their members; what is in it is printed whole."""
    form = _shape(type(value)) if levels else None  # type: ignore[arg-type]  # a class is hashable
    inner = f"{newline}  "
    if form is not None:
        for place, (label, member) in enumerate(members_of(form, value)):
            yield f"{',' if place else '{'}{inner}{label} "
            yield from _pieces(member, inner, levels - 1, print_item)
        yield f"{newline}}}"
    elif type(value) is tuple and value:
        for place, item in enumerate(value):
            yield f"{',' if place else '['}{inner}{print_value(item, inner, print_item)}"
        yield f"{newline}]"
    else:
        yield print_value(value, newline, _print_value)


@define(eq=False)
class Texts:
    """Of one document that is printed again and again: what stood in it the last time is not printed anew. For frozen values only."""

    _kept: "dict[tuple[int, str | None], tuple[object, str]]" = field(factory=dict, init=False)

    def printer(self) -> Printer:
        """For one time: what is not printed by it is forgotten."""
        before, self._kept = self._kept, {}

        def print_once(value: object, newline: str | None) -> str:
            place = id(value), newline  # it is no other's: the value is kept with its text
            self._kept[place] = kept = before.get(place) or (value, _print_value(value, newline))
            return kept[1]

        return print_once


def print_compact(value: object) -> str:
    """As `compact_json(to_json(value))`, without making JSON data of the value first."""
    return compact_json(value, _print_value)


def _print_value(value: object, newline: str | None) -> str:
    return _printer(type(value))(value, newline)  # type: ignore[arg-type]  # a class is hashable


@cache
def _shape(cls: type[Any]) -> Shape | None:
    return written_shape(contract_converter(), cls)


@cache
def _printer(cls: type[Any]) -> Printer:
    """What prints the values of a class: its shape, if one was declared, else what the converter makes of them."""
    form = _shape(cls)  # type: ignore[arg-type]  # a class is hashable
    if form is not None:
        return _shaped_printer(form, kept=cls in _RECURRING)
    if issubclass(cls, Enum):
        return lambda value, newline: print_value(value.value, newline, _print_value)  # type: ignore[attr-defined]  # it is an enum
    return _print_converted


def _shaped_printer(form: Shape, *, kept: bool) -> Printer:
    """In one line, as the history has it, the defaults at the end are printed once for all: more than half of an entry are such."""
    defaults = [key.default if type(key.default) in _CONSTANT else NOTHING for key in form.written]

    def print_line(held: tuple[object, ...]) -> str:
        return print_members(zip(form.labels, held, strict=False), None, _print_value)

    print_said = lru_cache(print_line) if kept else print_line

    @cache
    def print_rest(said: int) -> str:
        return "".join(f",{key.label}{print_value(key.default, None, _print_value)}" for key in form.written[said:])

    def print_shaped(value: Any, newline: str | None) -> str:
        if newline is not None or not form.whole or (form.extra and value.extra):
            return print_members(members_of(form, value), newline, _print_value)
        held = form.read(value)
        said = len(held)
        while said > 1 and held[said - 1] is defaults[said - 1]:
            said -= 1
        return f"{print_said(held[:said])[:-1]}{print_rest(said)}}}"

    return print_shaped


def _print_converted(value: object, newline: str | None) -> str:
    data = to_json(value)
    return print_other(value, newline, _print_value) if data is value else print_value(data, newline, _print_value)


def from_json(cls: type[T], data: object) -> T:
    """The value that JSON data stands for. Nothing is coerced: DecodeError names each wrong place (`$.build.success`)."""
    return decode(contract_converter(), cls, data)


def find_unprintable(value: object) -> str | None:
    """Why the value cannot be written as JSON, and read again; None if it can."""
    if _is_simple(value):
        return None
    try:
        data = to_json(value)
        if not _is_plain(data, _SHALLOW):
            refuse_deep_nesting(compact_json(data), _DEEPEST)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        return str(error) or type(error).__name__
    return None


def _is_simple(value: object) -> bool:
    """Whether an answer holds nothing but texts and flags, as most do: seen without making JSON data of it."""
    kind = type(value)
    if kind is tuple:
        return all(map(_is_simple, value))  # type: ignore[call-overload]  # it is a tuple
    read = _READ.get(kind)
    if read is None:
        return kind in _ALWAYS_PRINTABLE
    extra = getattr(value, "extra", _NO_EXTRA)
    if type(extra) is not dict or extra:
        return False
    for item in read(value):  # a loop, and no call for what is printable at a glance: this is asked of every answer
        inner = type(item)
        if not (inner in _ALWAYS_PRINTABLE or (inner in _CONTAINERS and not item) or _is_simple(item)):
            return False
    return True


def _is_plain(data: object, depth: int) -> bool:
    """Whether it can surely be printed, seen without printing it: what is unusual, or deeper than `depth`, is left to the printer."""
    match data:
        case dict() if depth:
            for key, item in data.items():  # a plain loop: this is asked of every answer
                if type(key) is not str or not (type(item) in _ALWAYS_PRINTABLE or _is_plain(item, depth - 1)):
                    return False
            return True
        case list() if depth:
            return not data or all(_is_plain(item, depth - 1) for item in data)
        case int():
            return -_EXACT <= data <= _EXACT
        case float():
            return isfinite(data)
    return type(data) in _ALWAYS_PRINTABLE
