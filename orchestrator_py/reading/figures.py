"""Figures over a few numbers. The `statistics` module would double the time of the whole command."""

import math
from collections.abc import Sequence


def median(numbers: Sequence[float]) -> float | None:
    """The middle one, or the mean of the two in the middle; None without numbers."""
    if not numbers:
        return None
    ordered, half = sorted(numbers), len(numbers) // 2
    low, high = ordered[(len(ordered) - 1) // 2], ordered[half]
    middle = (low + high) / 2
    return middle if math.isfinite(middle) else low / 2 + high / 2  # halved first, the smallest numbers would be nought


def percentile(numbers: Sequence[float], percent: float) -> float | None:
    """The smallest of the numbers that so many percent do not exceed (nearest rank); None without numbers."""
    if not numbers:
        return None
    return sorted(numbers)[max(1, math.ceil(len(numbers) * percent / 100)) - 1]


def change(now: float | None, before: object) -> float | None:
    """By which fraction it has grown; None if there is nothing to compare with, or if no double holds the percentage."""
    if now is None or isinstance(before, bool) or not isinstance(before, int | float) or before <= 0:
        return None
    grown = now / before - 1
    return grown if math.isfinite(100 * grown) else None
