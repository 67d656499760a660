"""A run's manifest as an entry of the metrics history. Manifests are read as JSON data: those of other writers count too."""

from collections.abc import Iterable, Mapping
from typing import overload

from orchestrator_py.core.codec.printing import print_compact
from orchestrator_py.core.figures import is_figure
from orchestrator_py.core.guardrails import guardrail_name
from orchestrator_py.core.json_text import encode_json
from orchestrator_py.core.outcome import run_status
from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import evolve, maker
from orchestrator_py.model.assignment import MULTI_INSTANCE, Assignment
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.metrics import InstanceStat, MetricsEntry
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import RunSummary, SubtaskReport
from orchestrator_py.model.timestamp import Timestamp, seconds_between

_make_entry, _make_stat = maker(MetricsEntry), maker(InstanceStat)
_TERMINAL = ("succeeded", "failed", "cancelled")


def create_metrics_entry(manifest_data: Mapping[str, object], recorded_at: Timestamp) -> MetricsEntry | None:
    """The run's entry; None if the run has not ended or is recorded already.

    Raises DecodeError if the manifest lacks a text that every entry needs. Anything else that is absent, or not of the
    contract's type, gets the contract's default.
    """
    if manifest_data.get("status") not in _TERMINAL or manifest_data.get("metrics_recorded") is True:
        return None
    entry = _run_figures(manifest_data, recorded_at)
    if (tfgrpo := manifest_data.get("tfgrpo")) is not None:
        entry = _with_training(entry, tfgrpo)
    return entry if (learning := manifest_data.get("learning")) is None else _with_learning(entry, learning)


def create_embedded_entry(opening: OpenRun, summary: RunSummary, instances: Iterable[Assignment], recorded_at: Timestamp) -> MetricsEntry:
    """The entry of a run that has no manifest: its subtasks count as commands. `instances` as they have ended."""
    words = [command_word(report) for report in summary.subtasks]
    return _make_entry(
        run_id=opening.run_id,
        task_id=opening.task.id,
        pipeline_id=opening.pipeline_id,
        status=run_status(summary.outcome or Outcome.ERROR).value,
        started_at=opening.started_at,
        completed_at=recorded_at,
        duration_seconds=seconds_between(opening.started_at, recorded_at),
        commands_passed=words.count("succeeded"),
        commands_failed=words.count("failed"),
        guardrails_present=False,
        recorded_at=recorded_at,
        artifact_path=opening.artifact_root,
        scheduler_mode=None if opening.scheduler is None else MULTI_INSTANCE,
        instance_stats=tuple(map(_stat_of, instances)),
    )


def command_word(report: SubtaskReport) -> str:
    """As the manifest has it: a subtask that never started stays pending, a waived failure is skipped."""
    if not report.started:
        return "pending"
    if report.counted is not Outcome.SUCCEEDED:
        return "failed"
    return "skipped" if report.waived else "succeeded"


def _stat_of(assignment: Assignment) -> InstanceStat:
    return _make_stat(
        instance_id=assignment.instance_id,
        capability=assignment.capability,
        status=assignment.status.value,
        attempts=len(assignment.attempts),
        recovery_events=sum([len(attempt.recovery_checkpoints) for attempt in assignment.attempts]),
    )


def metrics_line(entry: MetricsEntry) -> bytes:
    """The entry as it stands in the history, without the newline."""
    return encode_json(print_compact(entry))


def _run_figures(manifest: Mapping[str, object], recorded_at: Timestamp) -> MetricsEntry:
    statuses = [_text(_at(command, "status"), "") for command in _items(manifest, "commands")]
    started_at, completed_at = _needed(manifest, "started_at"), _text(manifest.get("completed_at"))
    return MetricsEntry(
        run_id=RunId(_needed(manifest, "run_id")),
        task_id=TaskId(_needed(manifest, "task_id")),
        pipeline_id=_needed(manifest, "pipeline_id"),
        status=_needed(manifest, "status"),
        started_at=Timestamp(started_at),
        completed_at=None if completed_at is None else Timestamp(completed_at),
        duration_seconds=seconds_between(started_at, completed_at),
        commands_passed=statuses.count("succeeded"),
        commands_failed=statuses.count("failed"),
        guardrails_present=_has_guardrails(manifest),
        recorded_at=recorded_at,
        artifact_path=_needed(manifest, "artifact_root"),
        child_runs=len(_items(manifest, "child_runs")),
        control_plane_status=_text(_at(manifest, "control_plane", "validation", "status"), "unknown"),
        scheduler_mode=_text(_at(manifest, "scheduler", "mode")),
        instance_stats=tuple(map(_instance_stat, _items(manifest, "scheduler", "assignments"))),
        privacy_mode=_text(_at(manifest, "privacy", "mode")),
        privacy_events=_items(manifest, "privacy", "decisions"),
        handle_count=len(_items(manifest, "handles")),
    )


def _has_guardrails(manifest: Mapping[str, object]) -> bool:
    """As the run itself has counted them, else as its commands tell."""
    counted = _at(manifest.get("guardrail_status"), "present")
    if isinstance(counted, bool):
        return counted
    return any(
        _at(command, "status") == "succeeded" and guardrail_name(_text(_at(command, "id"), ""), _text(_at(command, "command"))) is not None
        for command in _items(manifest, "commands")
    )


def _instance_stat(assignment: object) -> InstanceStat:
    attempts = _items(assignment, "attempts")
    return InstanceStat(
        instance_id=_text(_at(assignment, "instance_id"), ""),
        capability=_text(_at(assignment, "capability"), ""),
        status=_text(_at(assignment, "status"), ""),
        attempts=len(attempts),
        recovery_events=sum(len(_items(attempt, "recovery_checkpoints")) for attempt in attempts),
    )


def _with_training(entry: MetricsEntry, tfgrpo: object) -> MetricsEntry:
    tools = _at(tfgrpo, "tool_metrics")
    return evolve(
        entry,
        tfgrpo_epoch=_number(_at(tfgrpo, "epoch")),
        tfgrpo_group_id=_text(_at(tfgrpo, "group_id")),
        tfgrpo_group_size=_number(_at(tfgrpo, "group_size")),
        tool_calls=_number(_at(tools, "tool_calls"), 0),
        token_total=_number(_at(tools, "token_total"), 0),
        cost_usd=_number(_at(tools, "cost_usd"), 0),
        latency_ms=_number(_at(tools, "latency_ms"), 0),
        tool_stats=_items(tools, "per_tool"),
    )


def _with_learning(entry: MetricsEntry, learning: object) -> MetricsEntry:
    candidates_without_throughput = 1 if _text(_at(learning, "crystalizer", "candidate_path")) else 0
    return evolve(
        entry,
        learning_validation_status=_text(_at(learning, "validation", "status")),
        learning_snapshot_status=_text(_at(learning, "snapshot", "status")),
        learning_scenario_status=_text(_at(learning, "scenario", "status")),
        learning_crystalizer_status=_text(_at(learning, "crystalizer", "status")),
        learning_alerts=len(_items(learning, "alerts")),
        learning_group_id=_text(_at(learning, "validation", "grouping", "id")),
        learning_review_rejections=_number(_at(learning, "review", "rejections"), 0),
        learning_review_latency_ms=_number(_at(learning, "review", "latency_ms")),
        learning_regressions_detected=_number(_at(learning, "regressions", "detected"), 0),
        learning_pattern_promoted=_number(_at(learning, "pattern_hygiene", "promoted"), 0),
        learning_pattern_deprecated=_number(_at(learning, "pattern_hygiene", "deprecated"), 0),
        learning_throughput_candidates=_number(_at(learning, "throughput", "candidates"), candidates_without_throughput),
    )


# Reading data that may have any shape ------------------------------------------------------------------------------


def _at(data: object, *path: str) -> object:
    """What stands at the path; None as soon as it leads nowhere."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _items(data: object, *path: str) -> tuple[object, ...]:
    items = _at(data, *path)
    return tuple(items) if isinstance(items, list | tuple) else ()


@overload
def _text(value: object) -> str | None: ...
@overload
def _text(value: object, default: str) -> str: ...
def _text(value: object, default: str | None = None) -> str | None:
    return value if isinstance(value, str) else default


@overload
def _number(value: object) -> float | None: ...
@overload
def _number(value: object, default: float) -> float: ...
def _number(value: object, default: float | None = None) -> float | None:
    return value if is_figure(value) else default


def _needed(manifest: Mapping[str, object], key: str) -> str:
    value = manifest.get(key)
    if not isinstance(value, str):
        raise DecodeError(f"Manifest: {key} is {value!r:.80} where a text is needed; mend the manifest or leave the run out.")
    return value
