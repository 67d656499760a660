"""The manifest as it stands at one moment of a run: a pure function of what the aggregator knows."""

from collections.abc import Iterable, Iterator, Sequence

from orchestrator_py.core.command_records import Stages, command_records
from orchestrator_py.core.guardrails import guardrail_name, guardrail_status, with_guardrail_line
from orchestrator_py.core.outcome import run_status
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import evolve, frozen
from orchestrator_py.model.approval import Approval
from orchestrator_py.model.assignment import SchedulerPlan
from orchestrator_py.model.guardrails import GuardrailStatus
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, RunStatus
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class Progress:
    """What is known of a run in flight; `guardrails` are the ids of the stages that the pipeline marks as such."""

    stages: Stages
    children: Sequence[ChildRun]
    scheduler: SchedulerPlan | None
    heartbeat_at: Timestamp | None = None
    guardrails: frozenset[str] = frozenset()


def manifest_in_progress(born: Manifest, progress: Progress, at: Timestamp) -> Manifest:
    """The manifest of a run that has not ended.

    A guardrail that only the pipeline knows as such is counted from the start: whoever seals the run, should its process die, knows no
    pipeline.
    """
    commands = command_records(born, progress.stages)
    return evolve(
        born,
        status=RunStatus.IN_PROGRESS,
        updated_at=at,
        heartbeat_at=progress.heartbeat_at,
        approvals=_approvals(born, progress),
        commands=commands,
        child_runs=tuple(progress.children),
        scheduler=progress.scheduler,
        guardrail_status=_guardrails(born, progress, commands, at) if progress.guardrails else None,
    )


def manifest_at_end(born: Manifest, progress: Progress, outcome: Outcome, cause: StopCause | None, at: Timestamp) -> Manifest:
    """The terminal manifest, its guardrail line included; `metrics_recorded` is set by whoever knows that it is true."""
    commands = command_records(born, progress.stages)
    status = _guardrails(born, progress, commands, at)
    lines = _failure_lines(commands)
    return evolve(
        born,
        status=run_status(outcome),
        status_detail=_status_detail(born, progress, outcome, cause),
        completed_at=at,
        updated_at=at,
        heartbeat_at=progress.heartbeat_at,
        summary=with_guardrail_line("\n".join(lines) or None, status),
        approvals=_approvals(born, progress),
        commands=commands,
        child_runs=tuple(progress.children),
        run_summary_path=f"{born.artifact_root}/run-summary.json",
        scheduler=progress.scheduler,
        guardrail_status=status,
    )


def _guardrails(born: Manifest, progress: Progress, commands: Iterable[CommandRecord], at: Timestamp) -> GuardrailStatus:
    marked = progress.guardrails
    named = ((guardrail_name(stage.id, stage.command, marked=stage.id in marked), stage.status.value) for stage in commands)
    return guardrail_status(named, born.guardrails_required, at)


def _approvals(born: Manifest, progress: Progress) -> tuple[object, ...]:
    """Those of an earlier try of the run first, then what the commands of each stage have left, in the order of the stages."""
    reports = (progress.stages.reports.get(subtask_id) for subtask_id in progress.stages.places)
    given = [approval for report in reports if report for approval in _given(report)]
    return (*born.approvals, *({"actor": one.actor, "timestamp": one.timestamp, "reason": one.reason} for one in given))


def _given(report: SubtaskReport) -> Iterator[Approval]:
    """In all attempts; the results are those of the last one."""
    for attempt in report.attempts[:-1]:
        yield from attempt.approvals
    for part in (report.build, report.test, report.review):
        if part is not None and part.execution is not None:
            yield from part.execution.approvals


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
    for subtask_id, place in progress.stages.places.items():
        report = progress.stages.reports.get(subtask_id)
        if report is not None and report.counted is outcome and report.skip_reason is not SkipReason.DEADLINE:
            command = born.commands[place]
            return f"{'subpipeline' if command.kind == 'subpipeline' else 'stage'}:{command.id}:{outcome.value}"
    return f"pipeline-{outcome.value}"


def _marks(born: Manifest, progress: Progress) -> str | None:
    waived = _names(born, progress, (s for s, report in progress.stages.reports.items() if report.waived))
    flaky = _names(born, progress, (s for s, report in progress.stages.reports.items() if report.flaky))
    left_out = _names(born, progress, (s for s, report in progress.stages.reports.items() if report.skip_reason is SkipReason.NOT_SELECTED))
    marks = [f"{mark}:{names}" for mark, names in (("waived", waived), ("flaky", flaky), ("not-selected", left_out)) if names]
    return "; ".join(marks) or None


def _names(born: Manifest, progress: Progress, subtasks: Iterable[SubtaskId]) -> str:
    return ",".join(born.commands[place].id for place in sorted(progress.stages.places[subtask] for subtask in subtasks))
