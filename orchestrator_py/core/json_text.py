"""JSON as JavaScript writes and reads it: the same numbers, the same escapes, so that every consumer sees the bytes it knows."""

import math
import re
from collections.abc import Callable, Mapping
from json import JSONDecoder
from json.encoder import encode_basestring

TYPE_CHECKING = False  # type checkers read the name; who only reads JSON is spared the import
if TYPE_CHECKING:
    from typing import Any

Turn = Callable[[object], object]

_LARGEST_EXACT_INTEGER = 2**53
_ALWAYS_EXACT_DIGITS = 15
_DEEPEST_NESTING = 256
_NESTING_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def compact_json(data: object) -> str:
    """One line without blanks, as JSON.stringify(data). ValueError for NaN and infinities, TypeError for what JSON cannot hold."""
    return _print(data, None, _refuse)


def pretty_json(data: object, turn: Turn | None = None) -> str:
    """Two blanks per level and no final newline, as JSON.stringify(data, null, 2). Raises like compact_json.

    What JSON cannot hold is turned by `turn` into what it can, each value when its turn comes: never all of a large one at once.
    """
    return _print(data, "\n", turn or _refuse)


def encode_json(text: str) -> bytes:
    """The text as UTF-8."""
    return text.encode()


def parse_json(text: str | bytes) -> object:
    """The data that JSON.parse gives; ValueError for anything else, for bad UTF-8, for a number that no double holds.

    Integers beyond 2**53 become the nearest double. Nesting beyond 256 levels is refused, so that the answer does not
    depend on how deep the caller stands in the stack.
    """
    characters = text.decode() if isinstance(text, bytes) else text
    if characters.count("[") + characters.count("{") > _DEEPEST_NESTING:
        _refuse_deep_nesting(characters)
    try:
        data: object = _DECODER.decode(characters)
    except RecursionError:
        raise ValueError("JSON is nested too deeply to be read; flatten it.") from None
    return data


# Printing ----------------------------------------------------------------------------------------------------------


def _print(data: object, newline: str | None, turn: Turn) -> str:
    try:
        text = _value(data, newline, turn)
    except RecursionError:
        raise ValueError("Data is nested too deeply, or holds itself, and cannot be printed as JSON; flatten it.") from None
    return text if text.isascii() else _SURROGATES.sub(_well_formed, text)


def _refuse(value: object) -> object:
    raise TypeError(f"JSON cannot hold a value of type {type(value).__name__}; turn it into text, numbers, lists or mappings first.")


def _value(value: object, newline: str | None, turn: Turn) -> str:
    """The text of one value; `newline` is the line break with the indentation that stands around it, None for one line."""
    atom = _ATOMS.get(type(value))
    if atom is not None:
        return atom(value)
    if isinstance(value, dict):
        return _object(value, newline, turn)
    if isinstance(value, list | tuple):
        return _array(value, newline, turn)
    for kind, print_atom in _ATOMS.items():  # a class of one's own below str, int or float
        if isinstance(value, kind):
            return print_atom(value)
    return _value(turn(value), newline, turn)


def _object(members: dict[str, object], newline: str | None, turn: Turn) -> str:
    if not members:
        return "{}"
    text = encode_basestring  # most values are texts: they are spared a call
    if newline is None:
        pairs = [f"{text(key)}:{text(value) if type(value) is str else _value(value, None, turn)}" for key, value in members.items()]
        return "{" + ",".join(pairs) + "}"
    inner = newline + "  "
    pairs = [f"{text(key)}: {text(value) if type(value) is str else _value(value, inner, turn)}" for key, value in members.items()]
    return "{" + inner + ("," + inner).join(pairs) + newline + "}"


def _array(items: list[object] | tuple[object, ...], newline: str | None, turn: Turn) -> str:
    if not items:
        return "[]"
    if newline is None:
        return "[" + ",".join([_value(item, None, turn) for item in items]) + "]"
    inner = newline + "  "
    return "[" + inner + ("," + inner).join([_value(item, inner, turn) for item in items]) + newline + "]"


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


def _well_formed(surrogates: re.Match[str]) -> str:
    """A pair is one character; a lone half has no UTF-8 and is escaped."""
    units = surrogates[0]
    return units.encode("utf-16", "surrogatepass").decode("utf-16") if len(units) == 2 else f"\\u{ord(units):04x}"


_ATOMS: "Mapping[type, Callable[[Any], str]]" = {
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


def _refuse_deep_nesting(text: str) -> None:
    """Counts the open brackets outside of strings; a string without an end reaches to the end of the text."""
    depth = 0
    for token in _NESTING_TOKEN.finditer(text):
        match token[0][0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
        if depth > _DEEPEST_NESTING:
            raise ValueError(f"JSON is nested deeper than {_DEEPEST_NESTING} levels; flatten it.")


_DECODER = JSONDecoder(parse_int=_integer, parse_float=_double, parse_constant=_refuse_constant)
