"""Figures of metrics entries: JSON numbers, added up the way doubles are, and totals of them as data that can be saved."""

import math
from typing import TypeGuard, TypeVar

from attrs import AttrsInstance

from orchestrator_py.errors import DecodeError
from orchestrator_py.lean import asdict, fields

_MICRO = 1_000_000
_OVERFLOWED = {"inf": math.inf, "-inf": -math.inf}

Totals = TypeVar("Totals", bound=AttrsInstance)


def is_figure(value: object) -> TypeGuard[int | float]:
    """Whether the value is a JSON number; true and false are none."""
    return type(value) is int or type(value) is float


def figure(value: object) -> float:
    """The value if it is a number; anything else counts as nothing."""
    return value if is_figure(value) else 0.0


def printable(number: float) -> float | None:
    """The number, or null where a sum or a ratio has left the range of doubles."""
    return number if math.isfinite(number) else None


def rounded_to_micro(number: float) -> float | None:
    """Six decimals; halves go up, below zero too, and a number that has no half to round stays as it is."""
    scaled = number * _MICRO
    if not math.isfinite(scaled):
        return None
    whole = math.floor(scaled)
    return (whole + (scaled - whole >= 0.5)) / _MICRO


def totals_to_data(totals: AttrsInstance) -> dict[str, object]:
    """A class of counts (int) and sums (float) as a JSON object; a sum that has overflowed is written as text."""
    return {name: str(value) if isinstance(value, float) and math.isinf(value) else value for name, value in asdict(totals).items()}


def totals_from_data(kind: type[Totals], data: object) -> Totals:
    """The opposite of totals_to_data; DecodeError (a ValueError) for any other keys or values."""
    members = read_members(data, {field.name for field in fields(kind)})
    return kind(**{field.name: (read_count if field.type is int else _read_sum)(members[field.name]) for field in fields(kind)})


def read_members(data: object, keys: set[str]) -> dict[str, object]:
    """The data as an object with exactly these keys."""
    if not isinstance(data, dict) or data.keys() != keys:
        raise DecodeError(f"Rollup state: an object with the keys {', '.join(sorted(keys))} was expected; rebuild the rollups.")
    return data


def read_list(data: object) -> list[object]:
    """The data as a list."""
    if not isinstance(data, list):
        raise DecodeError(f"Rollup state: a list was expected, not {type(data).__name__}; rebuild the rollups.")
    return data


def read_count(value: object) -> int:
    """The value as a number of things."""
    if type(value) is not int or value < 0:
        raise DecodeError(f"Rollup state: a count was expected, not {value!r:.80}; rebuild the rollups.")
    return value


def _read_sum(value: object) -> float:
    if isinstance(value, str) and value in _OVERFLOWED:
        return _OVERFLOWED[value]
    if not is_figure(value):
        raise DecodeError(f"Rollup state: a sum was expected, not {value!r:.80}; rebuild the rollups.")
    return float(value)
