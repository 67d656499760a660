"""Sizes at a scale."""


def scaled(size: int, scale: float, *, least: int = 1) -> int:
    """Never less than makes sense."""
    return max(least, round(size * scale))
