"""JSON as JavaScript writes and reads it: the same numbers, the same escapes, so that every consumer sees the bytes it knows."""

import math
import re
from collections.abc import Callable, Mapping
from json import JSONDecoder
from json.encoder import encode_basestring

TYPE_CHECKING = False  # type checkers read the name; who only reads JSON is spared the import
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

Printer = Callable[[object, "str | None"], str]
"""Prints what is no plain JSON data; the second argument is the line break that stands around it, None for one line."""

_LARGEST_EXACT_INTEGER = 2**53
_ALWAYS_EXACT_DIGITS = 15
_DEEPEST_NESTING = 256
_NESTING_TOKEN = r'(?s:"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}])'
_SURROGATES = "[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]"


def compact_json(data: object, other: Printer | None = None) -> str:
    """One line without blanks, as JSON.stringify(data). ValueError for NaN and infinities, TypeError for what JSON cannot hold.

    What is not of the very types that `json` makes is printed by `other`, if it is given.
    """
    return _print(data, None, other or print_other)


def pretty_json(data: object, other: Printer | None = None) -> str:
    """Two blanks per level and no final newline, as JSON.stringify(data, null, 2). Takes and raises what compact_json does."""
    return _print(data, "\n", other or print_other)


def encode_json(text: str) -> bytes:
    """The text as UTF-8."""
    return text.encode()


def parse_json(text: str | bytes) -> object:
    """The data that JSON.parse gives; ValueError for anything else, for bad UTF-8, for a number that no double holds.

    Integers beyond 2**53 become the nearest double. Nesting beyond 256 levels is refused, so that the answer does not
    depend on how deep the caller stands in the stack.
    """
    characters = text.decode() if isinstance(text, bytes) else text
    refuse_deep_nesting(characters, _DEEPEST_NESTING)
    try:
        data: object = _DECODER.decode(characters)
    except RecursionError:
        raise ValueError("JSON is nested too deeply to be read; flatten it.") from None
    return data


# Printing ----------------------------------------------------------------------------------------------------------


def _print(data: object, newline: str | None, other: Printer) -> str:
    try:
        text = print_value(data, newline, other)
    except RecursionError:
        raise ValueError("Data is nested too deeply, or holds itself, and cannot be printed as JSON; flatten it.") from None
    return well_formed(text)


def well_formed(text: str) -> str:
    """The text with each pair of surrogates as one character, and each lone half escaped, since it has no UTF-8."""
    return text if text.isascii() else re.sub(_SURROGATES, _with_utf8, text)


def print_value(value: object, newline: str | None, other: Printer) -> str:
    """The text of one value; `newline` is the line break with the indentation that stands around it, None for one line."""
    kind = type(value)
    atom = ATOMS.get(kind)
    if atom is not None:
        return atom(value)
    if kind is dict:
        return _object(value, newline, other)  # type: ignore[arg-type]  # it is a dict
    if kind is list or kind is tuple:
        return _array(value, newline, other)  # type: ignore[arg-type]  # it is one of them
    return other(value, newline)


def print_other(value: object, newline: str | None, other: Printer | None = None) -> str:
    """The text of a value whose class lies below one of JSON's; TypeError for anything else."""
    inner = other or print_other
    if isinstance(value, dict):
        return _object(value, newline, inner)
    if isinstance(value, list | tuple):
        return _array(value, newline, inner)
    for kind, print_atom in ATOMS.items():
        if isinstance(value, kind):
            return print_atom(value)
    raise TypeError(f"JSON cannot hold a value of type {type(value).__name__}; turn it into text, numbers, lists or mappings first.")


def _object(members: dict[str, object], newline: str | None, other: Printer) -> str:
    text = encode_basestring
    if newline is not None:
        return print_members([(f"{text(key)}:", value) for key, value in members.items()], newline, other)
    pairs = [  # as print_members does, in one go: every line of a log is such an object
        f"{text(key)}:{text(one) if type(one) is str else 'null' if one is None else print_value(one, None, other)}"
        for key, one in members.items()
    ]
    return f"{{{','.join(pairs)}}}"


def print_members(members: "Iterable[tuple[str, object]]", newline: str | None, other: Printer) -> str:
    """The text of an object, each of its members a key as it stands in JSON, with its colon, and a value."""
    text = encode_basestring  # most values are texts or null: they are spared a call
    inner, blank = (None, "") if newline is None else (newline + "  ", " ")
    pairs = [
        f"{key}{blank}{text(one) if type(one) is str else 'null' if one is None else print_value(one, inner, other)}"
        for key, one in members
    ]
    if newline is None or not pairs:
        return "{" + ",".join(pairs) + "}"
    return f"{{{inner}{f',{inner}'.join(pairs)}{newline}}}"


def _array(items: list[object] | tuple[object, ...], newline: str | None, other: Printer) -> str:
    if not items:
        return "[]"
    if newline is None:
        return "[" + ",".join([print_value(item, None, other) for item in items]) + "]"
    inner = newline + "  "
    return "[" + inner + ("," + inner).join([print_value(item, inner, other) for item in items]) + newline + "]"


def _whole_number(number: int) -> str:
    """Beyond 2**53 it is the nearest double."""
    return int.__repr__(number) if -_LARGEST_EXACT_INTEGER <= number <= _LARGEST_EXACT_INTEGER else _number(_double(number))


def _number(number: float) -> str:
    """Number.prototype.toString: Python prints the same shortest digits, only the place where exponents begin differs."""
    if not math.isfinite(number):
        raise ValueError(f"JSON cannot hold the number {number}; leave it out or write null.")
    text = float.__repr__(number)
    if "e" in text:
        return _with_exponent(text)
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def _with_exponent(text: str) -> str:
    mantissa, _, power = text.partition("e")
    exponent = int(power)
    if not -7 < exponent < 21:
        return f"{mantissa}e{exponent:+d}"
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.removeprefix("-").replace(".", "")
    return sign + (digits.ljust(exponent + 1, "0") if exponent > 0 else f"0.{'0' * (-exponent - 1)}{digits}")


def _with_utf8(surrogates: re.Match[str]) -> str:
    units = surrogates[0]
    return units.encode("utf-16", "surrogatepass").decode("utf-16") if len(units) == 2 else f"\\u{ord(units):04x}"


ATOMS: "Mapping[type, Callable[[Any], str]]" = {
    str: encode_basestring,
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: _whole_number,
    float: _number,
}


# Reading -----------------------------------------------------------------------------------------------------------


def _integer(digits: str) -> int | float:
    if len(digits) <= _ALWAYS_EXACT_DIGITS:
        return int(digits)
    number = _double(digits)
    return int(number) if abs(number) <= _LARGEST_EXACT_INTEGER else number


def _double(number: str | int) -> float:
    try:
        double = float(number)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double):
        raise ValueError("JSON holds a number beyond the range of a double; write a smaller one.")
    return double


def _refuse_constant(name: str) -> object:
    raise ValueError(f"JSON has no {name}; write null or a number.")


def refuse_deep_nesting(text: str, deepest: int) -> None:
    """ValueError if the JSON text has more levels. A string without an end reaches to the end of the text."""
    if text.count("[") + text.count("{") <= deepest:
        return
    depth = 0
    for token in re.finditer(_NESTING_TOKEN, text):
        match token[0][0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
        if depth > deepest:
            raise ValueError(f"JSON is nested deeper than {deepest} levels; flatten it.")


_DECODER = JSONDecoder(parse_int=_integer, parse_float=_double, parse_constant=_refuse_constant)
