"""Prints a value as a block, each member on its line. A long summary is little else, so a shape that comes often gets code of its own."""

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

from orchestrator_py.core.codec.shapes import Key, Shape, members_of
from orchestrator_py.core.json_text import Printer, print_members

OFTEN = 150
"""So many blocks of a shape are printed before its code is made, which takes as long as to print some two hundred."""


def block_printer(form: Shape, printers: dict[type, Printer], print_line: Callable[[Any], str], print_other: Printer) -> Printer:
    """As `print_members(members_of(form, value), …)`; without line breaks `print_line` prints.

    `printers` have what prints a member of a type, and are given the code as soon as there is one; `print_other` prints any member.
    """
    left = iter(range(OFTEN))
    can_be_compiled = bool(form.written) and not form.written[0].omitted  # the first member has no comma, so it must always be there

    def print_slowly(value: object, newline: str | None) -> str:
        return print_members(members_of(form, value), newline, print_other)

    def print_shaped(value: object, newline: str | None) -> str:
        if newline is None:
            return print_line(value)
        if can_be_compiled and next(left, None) is None and printers[type(value)] is print_shaped:
            printers[type(value)] = _compile(form, printers, print_line=print_line, print_slowly=print_slowly)
        return print_slowly(value, newline)

    return print_shaped


def _compile(form: Shape, printers: dict[type, Printer], **known: Any) -> Printer:
    keys = list(enumerate(form.written))
    known |= {"printers": printers, "encode": encode_basestring}
    known |= {"member": lambda label, one, inner: f",{inner}{label} {printers[type(one)](one, inner)}"}
    known |= {f"default{place}": key.default for place, key in keys}
    known |= {f"label{place}": key.label for place, key in keys}
    lines = [
        "def print_block(value, newline):",
        "if newline is None: return print_line(value)",
        *(["if value.extra: return print_slowly(value, newline)"] if form.extra else []),
        "inner = newline + '  '",
        *[_statement(place, key) for place, key in keys],
        f"return f'{{{{{''.join([_piece(place, key) for place, key in keys])}{{newline}}}}}}'",
    ]
    exec(compile("\n ".join(lines), f"<block of {form.labels[0]}>", "exec"), known)  # of names of fields: nothing came from outside
    made: Printer = known["print_block"]
    return made


def _statement(place: int, key: Key) -> str:
    """Works out the text of a member: most are words or flags, which are spared a call, or left out."""
    text = "encode(one) if type(one) is str else 'true' if one is True else printers[type(one)](one, inner)"
    if key.omitted:
        text = f"'' if one is default{place} or one == default{place} else member(label{place}, one, inner)"
    return f"one = value.{key.field}; text{place} = {text}"


def _piece(place: int, key: Key) -> str:
    """Where it stands in the block."""
    return f"{{text{place}}}" if key.omitted else f"{',' if place else ''}{{inner}}{key.label} {{text{place}}}"
