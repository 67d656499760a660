"""Figures over a few numbers. The `statistics` module would double the time of the whole command."""

import math
from collections.abc import Sequence


def median(numbers: Sequence[float]) -> float | None:
    """The middle one, or the mean of the two in the middle; None without numbers."""
    if not numbers:
        return None
    ordered, half = sorted(numbers), len(numbers) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(numbers: Sequence[float], percent: float) -> float | None:
    """The smallest of the numbers that so many percent do not exceed (nearest rank); None without numbers."""
    if not numbers:
        return None
    return sorted(numbers)[max(1, math.ceil(len(numbers) * percent / 100)) - 1]


def change(now: float | None, before: object) -> float | None:
    """By which fraction it has grown; None if there is nothing to compare with."""
    if now is None or isinstance(before, bool) or not isinstance(before, int | float) or before <= 0:
        return None
    return now / before - 1
