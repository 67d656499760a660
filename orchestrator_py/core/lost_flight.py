"""What goes on record of an embedded run whose process died: what was told of it while it went on, and no end, since nobody saw one."""

from collections.abc import Mapping

from orchestrator_py.core.metrics_entry import create_metrics_entry
from orchestrator_py.errors import DecodeError
from orchestrator_py.lean import evolve
from orchestrator_py.model.metrics import MetricsEntry
from orchestrator_py.model.timestamp import Timestamp

_ENDED = ("succeeded", "failed", "recovered")


def lost_entry(flight: Mapping[str, object], at: Timestamp) -> MetricsEntry:
    """Failed, without an end and a duration; so are the subtasks and instances that were at work. DecodeError if it is no run."""
    commands = [{**one, "status": _without_running(one.get("status"))} for one in _objects(flight.get("commands"))]
    entry = create_metrics_entry(
        {**flight, "status": "failed", "completed_at": None, "commands": commands, "scheduler": _scheduler(flight)}, at
    )
    if entry is None:
        raise DecodeError("it makes no entry")
    return evolve(
        entry,
        commands_passed=entry.commands_passed + _left_out(flight, "succeeded"),
        commands_failed=entry.commands_failed + _left_out(flight, "failed") + _left_out(flight, "running"),
    )


def _without_running(status: object) -> object:
    return "failed" if status == "running" else status


def _scheduler(flight: Mapping[str, object]) -> Mapping[str, object] | None:
    scheduler = flight.get("scheduler")
    if not isinstance(scheduler, dict):
        return None
    assignments = [
        {**one, "status": one.get("status") if one.get("status") in _ENDED else "failed"} for one in _objects(scheduler.get("assignments"))
    ]
    return {**scheduler, "assignments": assignments}


def _left_out(flight: Mapping[str, object], word: str) -> int:
    counts = flight.get("left_out")
    count = counts.get(word) if isinstance(counts, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def _objects(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
