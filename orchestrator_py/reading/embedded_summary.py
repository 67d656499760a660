"""What the summary of an embedded run tells of its subtasks: which succeeded. Times and exact words are not in it."""

import os

from orchestrator_py.core import places
from orchestrator_py.reading.files import Data, UnreadableError, read_document
from orchestrator_py.reading.run import text_of

MOST_SUBTASKS = 200
"""Those that did not succeed come before others."""


def summarised_subtasks(runs_root: str, task: str, run_id: str) -> list[Data]:
    """`id`, `title`, `status` (succeeded, failed, pending) and `reason` of each; none if there is no summary that can be read."""
    try:
        summary = read_document(os.path.join(runs_root, task, run_id, places.MANIFEST)) or {}
    except UnreadableError:
        return []
    if text_of(summary, "runId") != run_id:
        return []
    entries = {text_of(entry, "subtaskId"): entry for entry in _entries(summary)}
    told = [_told(item, entries.get(text_of(item, "id"))) for item in _objects(_object(summary, "plan").get("items"))]
    order = sorted(range(len(told)), key=lambda place: (told[place]["status"] != "failed", place))
    return [told[place] for place in sorted(order[:MOST_SUBTASKS])]


def _entries(summary: Data) -> list[Data]:
    """Of a group; a run of one subtask has its results at the top."""
    if "group" in summary:
        return _objects(_object(summary, "group").get("entries"))
    build, decision = _object(summary, "build"), _object(_object(summary, "review"), "decision")
    return [
        {
            "subtaskId": build.get("subtaskId"),
            "buildSuccess": build.get("success"),
            "testSuccess": _object(summary, "test").get("success"),
            "reviewApproved": decision.get("approved"),
        }
    ]


def _told(item: Data, entry: Data | None) -> Data:
    named: Data = {"id": text_of(item, "id"), "title": text_of(item, "description") or None}
    if entry is None:
        return {**named, "status": "pending", "reason": None}
    wrong = next((reason for key, reason in _REASONS.items() if entry.get(key) is not True), None)
    return {**named, "status": "succeeded" if wrong is None else "failed", "reason": wrong}


_REASONS = {
    "buildSuccess": "its build did not succeed",
    "testSuccess": "its test did not succeed",
    "reviewApproved": "its review did not approve",
}


def _object(data: Data, key: str) -> Data:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Data]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
