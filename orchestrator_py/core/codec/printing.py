"""The text of a value's JSON form, without making JSON data of the value first."""

from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache, lru_cache
from json.encoder import encode_basestring
from typing import Any

from attrs import NOTHING

from orchestrator_py.core.codec.blocks import block_printer
from orchestrator_py.core.codec.contract import contract_converter, to_json
from orchestrator_py.core.codec.shapes import Shape, members_of
from orchestrator_py.core.codec.strict import written_shape
from orchestrator_py.core.json_text import ATOMS, Printer, compact_json, pretty_json, print_members, print_other, print_value, well_formed
from orchestrator_py.lean import define, field
from orchestrator_py.model.metrics import InstanceStat

_CONSTANT = frozenset({bool, float, int, str, tuple, type(None)})
"""Kinds of defaults of which each is one object, which a value that says nothing else holds."""
_RECURRING = frozenset({InstanceStat})
"""Of these a service prints the same few in every run: their lines are kept."""
_TOGETHER = 16  # items of a long list make one piece: each piece passes through several hands


def print_pretty(value: object) -> str:
    """As `pretty_json(to_json(value))`."""
    return pretty_json(value, _print_value)


def pretty_pieces(value: object, texts: "Texts | None" = None) -> Iterator[str]:
    """The text of print_pretty in pieces, long lists a few items at a time; `texts` keeps those of the items for the next time."""
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
        between = f",{inner}"
        for place in range(0, len(value), _TOGETHER):
            items = value[place : place + _TOGETHER]
            alike = items[0] is items[-1] and len({*map(id, items)}) == 1  # as the reviews of a long run often are
            texts = [print_item(items[0], inner)] * len(items) if alike else [print_item(item, inner) for item in items]
            yield f"{between if place else f'[{inner}'}{between.join(texts)}"
        yield f"{newline}]"
    else:
        yield _print_value(value, newline)


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
    """As `compact_json(to_json(value))`."""
    return compact_json(value, _print_value)


def _print_value(value: object, newline: str | None) -> str:
    return _PRINTERS[type(value)](value, newline)


def _print_list(items: Any, newline: str | None) -> str:
    if newline is None:
        return f"[{','.join([_PRINTERS[type(item)](item, None) for item in items])}]"
    return print_value(items, newline, _print_value) if items else "[]"


@cache
def _shape(cls: type[Any]) -> Shape | None:
    return written_shape(contract_converter(), cls)


class _Printers(dict[type, Printer]):
    """What prints the values of a class: its shape, if one was declared, else what the converter makes of them."""

    def __missing__(self, cls: type[Any]) -> Printer:
        self[cls] = found = self._find(cls)
        return found

    def _find(self, cls: type[Any]) -> Printer:
        if cls is bool:
            return lambda value, newline: "true" if value else "false"
        atom = ATOMS.get(cls)
        if atom is not None:
            return lambda value, newline: atom(value)
        if cls is dict:
            return lambda value, newline: print_value(value, newline, _print_value)
        if cls in (list, tuple):
            return _print_list
        form = _shape(cls)  # type: ignore[arg-type]  # a class is hashable
        if form is not None:
            return block_printer(form, self, _line_printer(form, kept=cls in _RECURRING), _print_value)
        if issubclass(cls, Enum):
            texts = {id(one): encode_basestring(one.value) for one in cls if type(one.value) is str}
            return lambda value, newline: texts.get(id(value)) or _print_value(value.value, newline)  # type: ignore[attr-defined]  # it is an enum
        return _print_converted


_PRINTERS = _Printers()


def _line_printer(form: Shape, *, kept: bool) -> Callable[[Any], str]:
    """All in one line, as the history has it. The defaults at the end are printed once for all: more than half of an entry are such."""
    defaults = [key.default if type(key.default) in _CONSTANT else NOTHING for key in form.written]
    labels, text_of, printers = form.labels, encode_basestring, _PRINTERS

    def print_said(held: tuple[object, ...]) -> str:
        said = [
            label + (text_of(one) if type(one) is str else printers[type(one)](one, None))
            for label, one in zip(labels, held)  # noqa: B905  # the defaults at the end are not among them, and strict takes time
        ]
        return ",".join(said)

    if kept:
        print_said = lru_cache(print_said)

    @cache
    def print_rest(said: int) -> str:
        return "".join(f",{key.label}{print_value(key.default, None, _print_value)}" for key in form.written[said:])

    def print_shaped(value: Any) -> str:
        if not form.whole or (form.extra and value.extra):
            return print_members(members_of(form, value), None, _print_value)
        held = form.read(value)
        said = len(held)
        while said > 1 and held[said - 1] is defaults[said - 1]:
            said -= 1
        return f"{{{print_said(held[:said])}{print_rest(said)}}}"

    return print_shaped


def _print_converted(value: object, newline: str | None) -> str:
    data = to_json(value)
    return print_other(value, newline, _print_value) if data is value else print_value(data, newline, _print_value)
