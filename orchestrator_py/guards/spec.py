"""Does changed code have a changed specification, and was every specification reviewed lately? Decided from facts alone."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from orchestrator_py.guards.finding import Finding
from orchestrator_py.guards.paths import within
from orchestrator_py.model.guard_settings import GuardSettings

_LINE = re.compile(r"^[ \t]*last_review[ \t]*:(.*)$", re.MULTILINE)
_DATE = re.compile(r"""(["']?)([0-9]{4}-[0-9]{2}-[0-9]{2})\1[ \t]*(?:#.*)?""")
_AHEAD = timedelta(hours=14)  # where a day begins first
_NAMED = 3


def check_changes(changed: Iterable[str], settings: GuardSettings) -> list[Finding]:
    """A change of code needs one of a specification."""
    names = sorted(changed)
    code = [name for name in names if within(name, settings.code_paths) and not within(name, settings.spec_folders)]
    if not code or any(within(name, settings.spec_folders) for name in names):
        return []
    more = f" and {len(code) - _NAMED} more" if len(code) > _NAMED else ""
    return [
        Finding(
            file=code[0],
            rule="spec-missing",
            message=f"code has changed ({', '.join(code[:_NAMED])}{more}) and no specification has",
            remedy=f"Change what describes it below {' or '.join(settings.spec_folders) or 'specFolders, which is empty'}",
        )
    ]


def check_reviews(specs: Mapping[str, str | None], now: datetime, settings: GuardSettings) -> list[Finding]:
    """Each specification by its text, None if it cannot be read. `now` is UTC."""
    found = (_check_review(file, text, now, settings.max_age_days) for file, text in sorted(specs.items()))
    return [finding for finding in found if finding]


def _check_review(file: str, text: str | None, now: datetime, max_age: int | None) -> Finding | None:
    if text is None:
        return Finding(file=file, rule="spec-unreadable", message="cannot be read as UTF-8", remedy="Save it as UTF-8, readable")
    said = _LINE.search(text)
    if said is None:
        remedy = f"Add the line `last_review: {now.date()}` when it was read and is right"
        return Finding(file=file, rule="review-date-missing", message="has no last_review", remedy=remedy)
    line = text.count("\n", 0, said.start()) + 1
    written = said[1].strip()
    reviewed = _date(written)
    if reviewed is None:
        remedy = "Write a date of the calendar as YYYY-MM-DD"
        return Finding(file=file, line=line, rule="review-date-invalid", message=f"last_review is no date: {written[:40]!r}", remedy=remedy)
    if reviewed > (now + _AHEAD).date():
        remedy = "Write the day on which it was reviewed"
        return Finding(file=file, line=line, rule="review-date-future", message=f"last_review {reviewed} is in the future", remedy=remedy)
    age = (now.date() - reviewed).days
    if max_age is not None and age > max_age:
        message = f"was last reviewed {age} days ago, on {reviewed}; {max_age} are allowed"
        return Finding(
            file=file, line=line, rule="review-date-old", message=message, remedy="Read it again and set last_review to that day"
        )
    return None


def _date(written: str) -> date | None:
    """None if the calendar does not have it."""
    form = _DATE.fullmatch(written)
    try:
        return form and date.fromisoformat(form[2])
    except ValueError:
        return None
