"""Events as JSON, one way: `type` first, then the base keys, then what the event tells."""

from collections.abc import Callable
from typing import Any

from attrs import fields
from cattrs import Converter

from orchestrator_py.core.codec.strict import shape
from orchestrator_py.model.events import EVENT_TYPES, Event
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.summary import AttemptReport, SubtaskReport


def add_event_shapes(converter: Converter) -> None:
    """Every event, and the reports that some carry."""
    shape(converter, StopCause, keys="camel")
    converter.register_unstructure_hook(AttemptReport, _attempt)
    converter.register_unstructure_hook(SubtaskReport, _report)
    for kind, word in EVENT_TYPES.items():
        converter.register_unstructure_hook(kind, _event_hook(converter, kind, word))


def _event_hook(converter: Converter, kind: type[Event], word: str) -> Callable[[Any], dict[str, object]]:
    names = [field.name for field in fields(kind)]

    def unstructure(event: Event) -> dict[str, object]:
        return {"type": word, **{_key(name): converter.unstructure(getattr(event, name)) for name in names}}

    return unstructure


def _key(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _attempt(attempt: AttemptReport) -> dict[str, object]:
    return {
        "number": attempt.number,
        "outcome": attempt.outcome.value,
        "startedAt": attempt.started_at,
        "completedAt": attempt.completed_at,
        "durationSeconds": attempt.elapsed.total_seconds(),
    }


def _report(report: SubtaskReport) -> dict[str, object]:
    return {
        "subtaskId": report.subtask_id,
        "outcome": report.outcome.value,
        "counted": report.counted.value,
        "cause": None if report.cause is None else str(report.cause),
        "skipReason": None if report.skip_reason is None else report.skip_reason.value,
        "startedAt": report.started_at,
        "completedAt": report.completed_at,
        "waived": report.waived,
        "flaky": report.flaky,
        "attempts": [_attempt(attempt) for attempt in report.attempts],
    }
