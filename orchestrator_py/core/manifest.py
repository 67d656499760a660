"""The manifest as it stands at one moment of a run: a pure function of what the aggregator knows."""

from collections.abc import Iterable

from attrs import evolve

from orchestrator_py.core.command_records import Progress, command_records
from orchestrator_py.core.guardrails import guardrail_status, with_guardrail_line
from orchestrator_py.core.outcome import run_status
from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.manifest import CommandRecord, CommandStatus, Manifest, RunStatus
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause
from orchestrator_py.model.timestamp import Timestamp


def manifest_in_progress(born: Manifest, progress: Progress, at: Timestamp) -> Manifest:
    """The manifest of a run that has not ended."""
    return evolve(
        born,
        status=RunStatus.IN_PROGRESS,
        updated_at=at,
        heartbeat_at=progress.heartbeat_at,
        commands=command_records(born, progress),
        child_runs=tuple(progress.children),
        scheduler=progress.scheduler,
    )


def manifest_at_end(born: Manifest, progress: Progress, outcome: Outcome, cause: StopCause | None, at: Timestamp) -> Manifest:
    """The terminal manifest, its guardrail line included; `metrics_recorded` is set by whoever knows that it is true."""
    commands = command_records(born, progress)
    status = guardrail_status(
        ((command.command, command.status.value) for command in commands),
        guardrails_required=born.guardrails_required,
        computed_at=at,
    )
    lines = _failure_lines(commands)
    return evolve(
        born,
        status=run_status(outcome),
        status_detail=_status_detail(born, progress, outcome, cause),
        completed_at=at,
        updated_at=at,
        heartbeat_at=progress.heartbeat_at,
        summary=with_guardrail_line("\n".join(lines) or None, status),
        commands=commands,
        child_runs=tuple(progress.children),
        run_summary_path=f"{born.artifact_root}/run-summary.json",
        scheduler=progress.scheduler,
        guardrail_status=status,
    )


def _failure_lines(commands: Iterable[CommandRecord]) -> list[str]:
    failed = (command for command in commands if command.status is CommandStatus.FAILED)
    return [_failure_line(command) for command in failed]


def _failure_line(command: CommandRecord) -> str:
    if command.kind == "subpipeline":
        return f"Sub-pipeline '{command.id}' failed."
    if command.exit_code not in (0, None):
        return f"Stage '{command.title}' failed with exit code {command.exit_code}."
    return f"Stage '{command.title}' failed: {command.summary}"


def _status_detail(born: Manifest, progress: Progress, outcome: Outcome, cause: StopCause | None) -> str | None:
    """The exact word that `status` has no room for: `stage:<id>:failed`, `cancelled:signal: SIGINT`, `waived:a,b; not-selected:c`."""
    match outcome:
        case Outcome.SUCCEEDED:
            return _marks(born, progress)
        case Outcome.SKIPPED:
            return "nothing-ran"
        case Outcome.CANCELLED:
            return f"cancelled:{cause}" if cause else "cancelled"
        case _:
            return _first_with(born, progress, outcome)


def _first_with(born: Manifest, progress: Progress, outcome: Outcome) -> str:
    for subtask_id, place in progress.places.items():
        report = progress.reports.get(subtask_id)
        if report is not None and report.counted is outcome and report.skip_reason is not SkipReason.DEADLINE:
            command = born.commands[place]
            return f"{'subpipeline' if command.kind == 'subpipeline' else 'stage'}:{command.id}:{outcome.value}"
    return f"pipeline-{outcome.value}"


def _marks(born: Manifest, progress: Progress) -> str | None:
    waived = _names(born, progress, (s for s, report in progress.reports.items() if report.waived))
    flaky = _names(born, progress, (s for s, report in progress.reports.items() if report.flaky))
    left_out = _names(born, progress, (s for s, report in progress.reports.items() if report.skip_reason is SkipReason.NOT_SELECTED))
    marks = [f"{mark}:{names}" for mark, names in (("waived", waived), ("flaky", flaky), ("not-selected", left_out)) if names]
    return "; ".join(marks) or None


def _names(born: Manifest, progress: Progress, subtasks: Iterable[SubtaskId]) -> str:
    return ",".join(born.commands[place].id for place in sorted(progress.places[subtask] for subtask in subtasks))
