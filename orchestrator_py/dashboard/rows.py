"""What is told of runs, as data for JSON. Texts are taken from the record as they stand; nothing here says more than the record does.

Never told: resume tokens, commands, environment, absolute paths.
"""

from collections import Counter
from collections.abc import Mapping

from orchestrator_py.model.timestamp import seconds_between
from orchestrator_py.reading.files import Data
from orchestrator_py.reading.flights import Flight
from orchestrator_py.reading.run import LOST, QUEUED, RUNNING, Run, text_of, word_of_entry
from orchestrator_py.reading.stage_events import Told, exact_word

_GOING_ON = (QUEUED, RUNNING)
_OF_HISTORY = {"succeeded", "failed", "cancelled", LOST}


def run_row(run: Run) -> Data:
    """One run in a list, of the command line or in flight. `elapsed_seconds` of one that goes on is for `with_elapsed`."""
    words = Counter[str]()
    for word, count in run.counts.items():
        words[_counted_as(run, word)] += count
    return {
        "task": run.task,
        "run_id": run.run_id,
        "source": "flight" if isinstance(run, Flight) else "manifest",
        "status": run.word,
        "terminal": run.has_ended,
        "detail": text_or_none(run.manifest, "status_detail"),
        "pipeline": text_or_none(run.manifest, "pipeline_id"),
        "title": text_or_none(run.manifest, "pipeline_title"),
        "started_at": text_or_none(run.manifest, "started_at"),
        "completed_at": text_or_none(run.manifest, "completed_at"),
        "elapsed_seconds": run.elapsed("") if run.has_ended else None,
        "parent_run_id": text_or_none(run.manifest, "parent_run_id"),
        "stages": dict(sorted(words.items())),
    }


def history_row(task: str, entry: Data) -> Data:
    """A run of which the history alone tells: it ran inside another program, or its folder has been pruned."""
    passed, failed = (count if isinstance(count := entry.get(key), int) else 0 for key in ("commands_passed", "commands_failed"))
    counts = {"failed": max(0, failed), "succeeded": max(0, passed)}
    return {
        "task": task,
        "run_id": text_of(entry, "run_id"),
        "source": "history",
        "status": word if (word := word_of_entry(entry)) in _OF_HISTORY else "unknown",
        "terminal": True,
        "detail": None,
        "pipeline": text_or_none(entry, "pipeline_id"),
        "title": None,
        "started_at": text_or_none(entry, "started_at"),
        "completed_at": text_or_none(entry, "completed_at"),
        "elapsed_seconds": number_or_none(entry.get("duration_seconds")),
        "parent_run_id": None,
        "stages": {word: count for word, count in counts.items() if count},
    }


def with_elapsed(row: Data, now: str) -> Data:
    """The row with the seconds up to now, if the run goes on."""
    return {**row, "elapsed_seconds": seconds_between(row["started_at"], now)} if row["status"] in _GOING_ON else row


def run_detail(run: Run, told: Told, now: str) -> Data:
    """One run, of the command line or in flight, with its stages, instances and child runs."""
    return {
        **with_elapsed(run_row(run), now),
        "summary": text_or_none(run.manifest, "summary"),
        "updated_at": text_or_none(run.manifest, "updated_at"),
        "last_seen_at": run.last_seen or None,
        "subtasks": [_subtask(run, number, stage, told, now) for number, stage in enumerate(run.objects("commands"), start=1)],
        "assignments": [_assignment(run, one) for one in _assignments(run)],
        "child_runs": [_child(child) for child in run.objects("child_runs")],
    }


def history_detail(task: str, entry: Data, subtasks: list[Data]) -> Data:
    """The same of a run of which the history alone tells: its instances are known, its subtasks as its summary tells them."""
    return {
        **history_row(task, entry),
        "summary": None,
        "updated_at": text_or_none(entry, "recorded_at"),
        "last_seen_at": None,
        "subtasks": [_summarised(entry, number, one) for number, one in enumerate(subtasks, start=1)],
        "assignments": [_counted_instance(one) for one in _objects(entry.get("instance_stats"))],
        "child_runs": [],
    }


def text_or_none(data: Data, key: str) -> str | None:
    return text_of(data, key) or None


def number_or_none(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _subtask(run: Run, number: int, stage: Data, told: Told, now: str) -> Data:
    facts = told.get(text_of(stage, "id"), {})
    return {
        "number": number,
        "id": text_of(stage, "id"),
        "title": text_or_none(stage, "title"),
        "kind": text_or_none(stage, "kind"),
        "status": _shown(run, run.stage_word(stage, facts), facts),
        "waived": text_of(stage, "status") == "skipped",
        "flaky": facts.get("flaky") is True,
        "attempt": _count(facts.get("attempt")),
        "instance_id": text_or_none(facts, "instance"),
        "worker": text_or_none(facts, "worker"),
        "reason": text_or_none(facts, "reason"),
        "started_at": text_or_none(stage, "started_at"),
        "completed_at": text_or_none(stage, "completed_at"),
        "elapsed_seconds": run.stage_elapsed(stage, now),
        "exit_code": _count(stage.get("exit_code")),
        "summary": text_or_none(stage, "summary"),
        "sub_run_id": text_or_none(stage, "sub_run_id"),
    }


def _summarised(entry: Data, number: int, told: Data) -> Data:
    """Without times. A failure in a run that succeeded was waived."""
    failed = told["status"] == "failed"
    return {
        "number": number,
        "id": told["id"],
        "title": told["title"],
        "kind": "subtask",
        "status": "not_started" if told["status"] == "pending" else told["status"],
        "waived": failed and text_of(entry, "status") == "succeeded",
        "flaky": False,
        "reason": told["reason"],
        **dict.fromkeys(("attempt", "instance_id", "worker", "started_at", "completed_at", "elapsed_seconds", "exit_code")),
        **dict.fromkeys(("summary", "sub_run_id")),
    }


def _shown(run: Run, word: str, facts: Mapping[str, object]) -> str:
    """The exact outcome once it has ended; a waived failure is what it was; `waiting` turns into `not_started` with the end of the run."""
    if word == "pending":
        return "not_started" if run.has_ended else "waiting"
    return exact_word(word, facts)


def _counted_as(run: Run, word: str) -> str:
    """In the counts of a list a waived failure is a word of its own."""
    return "waived" if word == "skipped" else _shown(run, word, {})


def _assignments(run: Run) -> list[Data]:
    scheduler = run.manifest.get("scheduler")
    return _objects(scheduler.get("assignments")) if isinstance(scheduler, dict) else []


def _assignment(run: Run, assignment: Data) -> Data:
    attempts = _objects(assignment.get("attempts"))
    newest = attempts[-1] if attempts else {}
    status = text_of(assignment, "status") or "unknown"
    return {
        "instance_id": text_of(assignment, "instance_id"),
        "capability": text_or_none(assignment, "capability"),
        "status": LOST if run.word == LOST and status in ("assigned", "running", "pending") else status,
        "assigned_at": text_or_none(assignment, "assigned_at"),
        "started_at": text_or_none(newest, "started_at"),
        "completed_at": text_or_none(assignment, "completed_at"),
        "attempts": len(attempts),
        "recoveries": sum(len(_objects(attempt.get("recovery_checkpoints"))) for attempt in attempts),
    }


def _counted_instance(stats: Data) -> Data:
    return {
        "instance_id": text_of(stats, "instance_id"),
        "capability": text_or_none(stats, "capability"),
        "status": text_of(stats, "status") or "unknown",
        "assigned_at": None,
        "started_at": None,
        "completed_at": None,
        "attempts": _count(stats.get("attempts")) or 0,
        "recoveries": _count(stats.get("recovery_events")) or 0,
    }


def _child(child: Data) -> Data:
    return {
        "run_id": text_of(child, "run_id"),
        "pipeline": text_or_none(child, "pipeline_id"),
        "status": text_of(child, "status") or "unknown",
    }


def _objects(value: object) -> list[Data]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
