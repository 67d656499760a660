"""Whether an answer can be written as JSON and read again. It is asked of every answer, so that most are seen at a glance."""

from collections.abc import Callable, Mapping
from math import isfinite
from operator import attrgetter
from typing import Any

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.json_text import compact_json, refuse_deep_nesting
from orchestrator_py.model.absent import ABSENT, Absent
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.result import BuildArtifact, BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.task import PlanItem, PlanResult

_ALWAYS_PRINTABLE = frozenset({str, bool, type(None), Absent})
_CONTAINERS = frozenset({tuple, dict})
_READ: Mapping[type, Callable[[Any], tuple[object, ...]]] = {
    BuildResult: attrgetter("subtask_id", "success", "artifacts", "notes"),  # mode and run id are overwritten
    BuildArtifact: attrgetter("path", "description"),
    TestResult: attrgetter("subtask_id", "success", "reports"),
    TestReport: attrgetter("name", "status", "details"),
    ReviewResult: attrgetter("summary", "decision"),
    ReviewDecision: attrgetter("approved", "feedback"),
    PlanResult: attrgetter("items", "notes", "target_id"),
    PlanItem: attrgetter("id", "description", "requires_cloud", "requires_cloud_alias", "runnable", "metadata", "selected"),
}
_SHALLOW = 16  # levels, far from what the stack holds
_DEEPEST = 128  # levels: half of what is read again, since summaries, events and pages stand around it, and printing takes stack
_EXACT = 2**53  # the last integer that every double reader keeps


def find_unprintable(value: object) -> str | None:
    """Why the value cannot be written as JSON, and read again; None if it can."""
    look = _BARE.get(type(value))
    try:
        if (look is not None and look(value)) or _is_simple(value):
            return None
        data = to_json(value)
        if not _is_plain(data, _SHALLOW):
            refuse_deep_nesting(compact_json(data), _DEEPEST)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        return str(error) or type(error).__name__
    return None


def _is_bare_build(it: Any) -> bool:
    return type(it.subtask_id) is str and type(it.success) is bool and it.notes is None and it.artifacts == () and _is_empty(it.extra)


def _is_bare_test(it: Any) -> bool:
    return type(it.subtask_id) is str and type(it.success) is bool and it.reports == () and _is_empty(it.extra)


def _is_bare_review(it: Any) -> bool:
    return type(it.summary) is str and type(it.decision) is ReviewDecision and _is_bare_decision(it.decision) and _is_empty(it.extra)


def _is_bare_decision(it: Any) -> bool:
    return type(it.approved) is bool and it.feedback is None


def _is_bare_plan(it: Any) -> bool:
    return it.notes is ABSENT and it.target_id is ABSENT and _is_empty(it.extra) and all(map(_is_bare_item, it.items))


def _is_bare_item(it: Any) -> bool:
    return (
        type(it) is PlanItem
        and type(it.id) is str
        and it.description is it.metadata is it.runnable is it.selected is it.requires_cloud is it.requires_cloud_alias is ABSENT
        and _is_empty(it.extra)
    )


def _is_empty(extra: object) -> bool:
    return extra is NO_EXTRA or (type(extra) is dict and not extra)


_BARE: Mapping[type, Callable[[Any], bool]] = {
    PlanResult: _is_bare_plan,
    BuildResult: _is_bare_build,
    TestResult: _is_bare_test,
    ReviewResult: _is_bare_review,
}
"""Whether an answer says no more than it must: seen at a glance."""


def _is_simple(value: object) -> bool:
    """Whether an answer holds nothing but texts and flags, as most do: seen without making JSON data of it."""
    kind = type(value)
    if kind is tuple:
        return all(map(_is_simple, value))  # type: ignore[call-overload]  # it is a tuple
    read = _READ.get(kind)
    if read is None:
        return kind in _ALWAYS_PRINTABLE
    if not _is_empty(getattr(value, "extra", NO_EXTRA)):
        return False
    for item in read(value):  # a loop, and no call for what is printable at a glance: this is asked of every answer
        inner = type(item)
        if not (inner in _ALWAYS_PRINTABLE or (inner in _CONTAINERS and not item) or _is_simple(item)):
            return False
    return True


def _is_plain(data: object, depth: int) -> bool:
    """Whether it can surely be printed, seen without printing it: what is unusual, or deeper than `depth`, is left to the printer."""
    match data:
        case dict() if depth:
            for key, item in data.items():  # a plain loop: this is asked of every answer
                if type(key) is not str or not (type(item) in _ALWAYS_PRINTABLE or _is_plain(item, depth - 1)):
                    return False
            return True
        case list() if depth:
            return not data or all(_is_plain(item, depth - 1) for item in data)
        case int():
            return -_EXACT <= data <= _EXACT
        case float():
            return isfinite(data)
    return type(data) in _ALWAYS_PRINTABLE
