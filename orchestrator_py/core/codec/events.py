"""Events as JSON, in both directions: `type` first, then the base keys, then what the event tells.

What is never written is absent afterwards: a report's mode, results and error; an attempt's loss; a result's execution; a plan item's
policy; the outcome, the cause and the subtasks of a summary; what the manifest says.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from cattrs import Converter

from orchestrator_py.core.codec.strict import Problem, ShapeError, shape, show, step
from orchestrator_py.model.events import EVENT_TYPES, Event
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.summary import AttemptReport, SubtaskReport

Write = Callable[[Any], dict[str, object]]
Read = Callable[[object], Any]

_NOT_WRITTEN = frozenset({"mode", "build", "test", "review", "error"})
_DERIVED = frozenset({"counted", "flaky"})
_OF_THE_MANIFEST = frozenset({"manifest", "command"})


def add_event_shapes(converter: Converter) -> None:
    """Every event, and the reports that some carry. Asked for an `Event`, the converter picks the class by `type`."""
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    converter.register_structure_hook(timedelta, _read_seconds)
    shape(converter, StopCause, keys="camel", always="all")
    shape(converter, AttemptReport, keys="camel", renamed={"elapsed": "durationSeconds"}, hidden=frozenset({"loss"}), always="all")
    write_report, read_report = _members(converter, SubtaskReport, hidden=_NOT_WRITTEN)
    converter.register_unstructure_hook(SubtaskReport, partial(_write_report, write_report))
    converter.register_structure_hook(SubtaskReport, partial(_read_report, read_report))
    readers: dict[str, Read] = {}
    for kind, word in EVENT_TYPES.items():
        write_event, readers[word] = _members(converter, kind, hidden=_OF_THE_MANIFEST)
        converter.register_unstructure_hook(kind, partial(_write_event, word, write_event))
        converter.register_structure_hook(kind, partial(_read_event, {word: readers[word]}))
    converter.register_structure_hook(Event, partial(_read_event, readers))


def _members(converter: Converter, cls: type[object], *, hidden: frozenset[str] = frozenset()) -> tuple[Write, Read]:
    """How the fields alone are written and read."""
    shape(converter, cls, keys="camel", hidden=hidden, always="all")
    read = converter.get_structure_hook(cls)
    return converter.get_unstructure_hook(cls), lambda data: read(data, cls)


def _write_event(word: str, write: Write, event: Event) -> dict[str, object]:
    return {"type": word, **write(event)}


def _read_event(readers: Mapping[str, Read], data: object, _: object) -> Any:
    """An event of one of these types."""
    match data:
        case {"type": str(word), **members} if word in readers:
            return readers[word](members)
        case {"type": word}:
            problem = Problem("$.type", f"expected {' or '.join(map(repr, readers))}, got {show(word)}")
        case Mapping():
            problem = Problem("$", "the key 'type' is missing")
        case _:
            problem = Problem("$", f"expected an object, got {show(data)}")
    raise ShapeError([problem])


def _derived(report: SubtaskReport) -> dict[str, object]:
    """What follows from the fields, written for readers that do not know the rules."""
    return {"counted": report.counted.value, "flaky": report.flaky}


def _write_report(write: Write, report: SubtaskReport) -> dict[str, object]:
    return {**write(report), **_derived(report)}


def _read_report(read: Read, data: object, _: object) -> SubtaskReport:
    """A report whose derived words contradict its fields is refused."""
    if not isinstance(data, Mapping):
        raise ShapeError([Problem("$", f"expected an object, got {show(data)}")])
    report: SubtaskReport = read({key: value for key, value in data.items() if key not in _DERIVED})
    told = {key: (show(value), show(data.get(key, value))) for key, value in _derived(report).items()}
    problems = [Problem("$" + step(key), f"expected {due}, got {found}") for key, (due, found) in told.items() if due != found]
    if problems:
        raise ShapeError(problems)
    return report


def _read_seconds(data: object, _: object) -> timedelta:
    if isinstance(data, int | float) and not isinstance(data, bool) and data >= 0:
        try:
            return timedelta(seconds=data)
        except OverflowError:
            pass  # beyond what a time span holds: refused like any other
    raise ShapeError([Problem("$", f"expected a number of seconds, 0 or more, got {show(data)}")])
