"""Paths relative to the repository, with `/` between their parts."""

from collections.abc import Iterable

from orchestrator_py.model.guard_settings import ROOT


def within(path: str, places: Iterable[str]) -> bool:
    """Whether it is one of the places, or lies below one."""
    return any(place in (path, ROOT) or path.startswith(f"{place}/") for place in places)
