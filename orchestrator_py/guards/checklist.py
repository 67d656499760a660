"""What a task has written down of itself: the points of its checklist, and what its requirements say in short."""

import os
import re
from collections.abc import Iterable, Iterator

from orchestrator_py.lean import frozen

_LISTS = ("tasks/tasks-{}.md", "tasks/{}.md", ".agent/task/{}.md")
_REQUIREMENTS = ("docs/PRD-{}.md", "tasks/{}-prd.md")
_POINT = re.compile(r"^\s*[-*] \[([ xX])\] .*", re.MULTILINE)
_SUMMARY = re.compile(r"^#+ +Summary\b.*\n", re.MULTILINE | re.IGNORECASE)
_LONGEST = 2000
_MOST_POINTS = 100
_MOST_BYTES = 1024 * 1024


@frozen(kw_only=True)
class Checklist:
    """`path` is None if the task has none; `looked_at` is where it could be. Paths are relative to the repository."""

    path: str | None = None
    items: tuple[str, ...] = ()
    done: int = 0
    summary_path: str = ""
    summary: str = ""
    looked_at: tuple[str, ...] = ()


def read_checklist(root: str, task: str) -> Checklist:
    """The first list that is there; what cannot be read is not there."""
    looked_at = tuple(place.format(task) for place in _LISTS)
    found = _first(root, looked_at)
    if found is None:
        return Checklist(looked_at=looked_at)
    points = list(_POINT.finditer(found[1]))[:_MOST_POINTS]
    summary = _first(root, (place.format(name) for name in _names(task) for place in _REQUIREMENTS))
    return Checklist(
        path=found[0],
        items=tuple(point[0].strip() for point in points),
        done=sum(point[1] != " " for point in points),
        summary_path=summary[0] if summary else "",
        summary=_in_short(summary[1]) if summary else "",
        looked_at=looked_at,
    )


def _names(task: str) -> Iterator[str]:
    """`0909-reporting` is `reporting` too."""
    yield task
    number, dash, rest = task.partition("-")
    if dash and number.isdigit() and rest:
        yield rest


def _first(root: str, places: Iterable[str]) -> tuple[str, str] | None:
    for place in places:
        try:
            with open(os.path.join(root, place), "rb") as file:
                return place, file.read(_MOST_BYTES).decode(errors="replace")
        except OSError:
            continue
    return None


def _in_short(text: str) -> str:
    """The section that is called so, else the first paragraph that is no heading."""
    section = _SUMMARY.search(text)
    rest = text[section.end() :] if section else text
    if section:
        return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0].strip()[:_LONGEST]
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", rest))
    return next((part for part in paragraphs if part and not part.startswith(("#", "---", "<!--"))), "")[:_LONGEST]
