"""Events as JSON, in both directions: `type` first, then the base keys, then what the event tells.

What is never written is absent afterwards: a report's mode, results and error; an attempt's loss and approvals; a result's execution; a
plan item's policy; the outcome, the cause and the subtasks of a summary; what the manifest says.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from orchestrator_py.core.codec.problems import Problem, ShapeError, show, step
from orchestrator_py.core.codec.strict import Converter, Read, Write, shape
from orchestrator_py.model.events import EVENT_TYPES, Event
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.summary import AttemptReport, SubtaskReport

_NOT_WRITTEN = frozenset({"mode", "build", "test", "review", "error"})
_DERIVED = frozenset({"counted", "flaky"})
_OF_THE_MANIFEST = frozenset({"manifest", "command"})


def add_event_shapes(converter: Converter) -> None:
    """Every event, and the reports that some carry. Asked for an `Event`, the converter picks the class by `type`."""
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    converter.register_structure_hook(timedelta, _read_seconds)
    shape(converter, StopCause, keys="camel", always="all")
    shape(
        converter,
        AttemptReport,
        keys="camel",
        renamed={"elapsed": "durationSeconds"},
        hidden=frozenset({"loss", "approvals"}),
        always="all",
    )
    shape(converter, SubtaskReport, keys="camel", hidden=_NOT_WRITTEN, always="all")
    converter.wrap(SubtaskReport, lambda read, write: (partial(_read_report, read), partial(_write_report, write)))
    for kind, word in EVENT_TYPES.items():
        shape(converter, kind, keys="camel", hidden=_OF_THE_MANIFEST, always="all")
        converter.wrap(kind, partial(_with_type, kind, word))
    shape(converter, Event, keys="camel", always="all")
    readers = {word: partial(converter.structure, cl=kind) for kind, word in EVENT_TYPES.items()}
    converter.wrap(Event, lambda _, write: (partial(_read_event, readers), write))


def _with_type(kind: type[Event], word: str, read: Read, write: Write) -> tuple[Read, Write]:
    """The members of an event, and `type` in front of them."""
    readers = {word: lambda data: read({key: value for key, value in data.items() if key != "type"}, kind)}
    return partial(_read_event, readers), lambda event: {"type": word, **write(event)}


def _read_event(readers: Mapping[str, Callable[[Any], Any]], data: object, _: object) -> Any:
    """An event of one of these types."""
    match data:
        case {"type": str(word)} if word in readers:
            return readers[word](data)
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
    report: SubtaskReport = read({key: value for key, value in data.items() if key not in _DERIVED}, SubtaskReport)
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
