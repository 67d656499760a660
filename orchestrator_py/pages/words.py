"""Words, times and figures as people read them. Times are UTC."""

from datetime import UTC, datetime

from orchestrator_py.pages.html import Html, element, escape

_CLASSES = {
    "succeeded": "succeeded", "failed": "failed", "error": "failed", "rejected": "rejected", "timed_out": "timed_out", "crashed": "crashed",
    "cancelled": "cancelled", "lost": "lost", "running": "running", "queued": "waiting", "pending": "waiting", "skipped": "waiting",
    "nothing_ran": "nothing_ran", "assigned": "waiting", "recovered": "succeeded",
}  # fmt: skip
_SPOKEN = {"timed_out": "timed out", "nothing_ran": "nothing ran", "skipped": "not started", "pending": "waiting"}
_YEAR_ONE, _YEAR_TEN_THOUSAND = -62_135_596_800, 253_402_300_800
_LONGEST_SECONDS = 1e10


def class_of(word: str) -> str:
    """The class of the style sheet: a sign and a colour. Words that we do not know share one."""
    return _CLASSES.get(word, "unknown")


def spoken(word: str) -> str:
    """As a reader says it."""
    return _SPOKEN.get(word, word)


def word_mark(word: str, more: str = "") -> Html:
    """The word with its sign."""
    return element("b", f"{spoken(word)}{more}", class_=class_of(word))


def seconds(value: float | None) -> str:
    """`0.6 s`, `2 m 05 s`, `1 h 02 m`; a dash for none."""
    if value is None:
        return "–"
    if value < 59.95 or value > _LONGEST_SECONDS:
        return f"{value:.1f} s" if value < _LONGEST_SECONDS else f"{value:.3g} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole // 60 % 60:02d} m"


def figure(value: float | None, text: str) -> Html:
    """A figure as text that keeps its exact value for programs."""
    return escape(text) if value is None else element("data", text, value=repr(value))


def moment(value: float | None) -> str:
    """`2025-12-21 14:02:47` of seconds since 1970; a dash for none."""
    if value is None or not _YEAR_ONE <= value < _YEAR_TEN_THOUSAND:
        return "–"
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}"


def number_of(value: object) -> float | None:
    """A number of somebody's JSON, None for anything else."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def counted(number: int, thing: str) -> str:
    """`1 run`, `2,000 runs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
