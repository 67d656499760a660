"""Shares as people read them, in text and on pages alike."""

import math

_NOISE = 1e-9  # 0.283 * 1000 is a little less than 283
_LARGEST = 1e15


def percent(fraction: float) -> str:
    """One decimal, rounded down, as on the dashboard: 100.0 % are all of them, and a threshold that looks reached is."""
    tenths = 1000 * fraction
    if abs(tenths) < _LARGEST:
        tenths = math.floor(tenths + _NOISE)
    return f"{tenths / 10:.1f} %"
