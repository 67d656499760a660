"""The manifest as it stands at one moment of a run: a pure function of what the aggregator knows."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from orchestrator_py.core.command_summary import command_summary, shown_exit_code
from orchestrator_py.core.guardrails import guardrail_status, with_guardrail_line
from orchestrator_py.core.names import slugify
from orchestrator_py.core.outcome import build_outcome, review_outcome, run_status, satisfies_needs, test_outcome
from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.assignment import SchedulerPlan
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, RunStatus
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class Progress:
    """What is known of a run in flight. `places` gives each subtask's index among the manifest's commands."""

    places: Mapping[SubtaskId, int]
    hints: Mapping[SubtaskId, str]
    taken_at: Mapping[SubtaskId, Timestamp]
    reports: Mapping[SubtaskId, SubtaskReport]
    children: Sequence[ChildRun]
    scheduler: SchedulerPlan | None
    heartbeat_at: Timestamp | None = None


def stage_file_stem(command: CommandRecord) -> str:
    """`01-build`: what a stage's log and error file are called before their ending."""
    return f"{command.index:02d}-{slugify(command.id)}"


def manifest_in_progress(born: Manifest, progress: Progress, at: Timestamp) -> Manifest:
    """The manifest of a run that has not ended."""
    return evolve(
        born,
        status=RunStatus.IN_PROGRESS,
        updated_at=at,
        heartbeat_at=progress.heartbeat_at,
        commands=_commands(born, progress),
        child_runs=tuple(progress.children),
        scheduler=progress.scheduler,
    )


def manifest_at_end(born: Manifest, progress: Progress, outcome: Outcome, cause: StopCause | None, at: Timestamp) -> Manifest:
    """The terminal manifest, its guardrail line included; `metrics_recorded` is set by whoever knows that it is true."""
    commands = _commands(born, progress)
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


def deciding_execution(report: SubtaskReport) -> Execution | None:
    """The command's end that decided a subtask: of the first of build, test and review that did not succeed, else of the build."""
    build, test, review = report.build, report.test, report.review
    if build is None or build_outcome(build) is not Outcome.SUCCEEDED:
        return None if build is None else build.execution
    if test is not None and test_outcome(test) is not Outcome.SUCCEEDED:
        return test.execution
    if review is not None and review_outcome(review) is not Outcome.SUCCEEDED:
        return review.execution
    return build.execution


# Commands ----------------------------------------------------------------------------------------------------------


def _commands(born: Manifest, progress: Progress) -> tuple[CommandRecord, ...]:
    commands = list(born.commands)
    for subtask_id, taken_at in progress.taken_at.items():
        place = progress.places[subtask_id]
        report = progress.reports.get(subtask_id)
        running = evolve(
            commands[place],
            status=CommandStatus.RUNNING,
            started_at=taken_at,
            log_path=_stage_file(born, commands[place], "commands", "ndjson"),
        )
        hint = progress.hints.get(subtask_id)
        error_file = _stage_file(born, running, "errors", "json")
        commands[place] = running if report is None else _ended(running, report, hint, error_file)
    return tuple(commands)


def _stage_file(born: Manifest, command: CommandRecord, folder: str, ending: str) -> str | None:
    """Where a stage's log or error detail is; a sub-pipeline has none of its own, its run has them."""
    return None if command.command is None else f"{born.artifact_root}/{folder}/{stage_file_stem(command)}.{ending}"


def _ended(running: CommandRecord, report: SubtaskReport, hint: str | None, error_file: str | None) -> CommandRecord:
    execution = deciding_execution(report)
    failed = report.counted is not Outcome.SUCCEEDED
    return evolve(
        running,
        status=_command_status(report),
        started_at=report.started_at,
        completed_at=report.completed_at,
        exit_code=None if execution is None else shown_exit_code(execution),
        summary=_summary(report, execution, hint),
        error_file=error_file if failed and execution is not None else None,
        sub_run_id=None if execution is None else execution.child_run_id,
    )


def _command_status(report: SubtaskReport) -> CommandStatus:
    if report.waived:
        return CommandStatus.SKIPPED
    return CommandStatus.SUCCEEDED if report.outcome is Outcome.SUCCEEDED else CommandStatus.FAILED


def _summary(report: SubtaskReport, execution: Execution | None, hint: str | None) -> str | None:
    """What ended the stage, in one line: our stop, a review's no, or the command's own words."""
    if report.outcome is Outcome.REJECTED and report.review is not None:
        feedback = report.review.decision.feedback
        return f"Rejected by review: {feedback}" if feedback else "Rejected by review."
    if report.cause is not None and report.cause.outcome is report.outcome:
        word = "Timed out" if report.outcome is Outcome.TIMED_OUT else "Cancelled"
        return f"{word} ({report.cause})."
    if execution is not None and execution.child_outcome is None:
        return command_summary(execution, hint=hint)
    return hint if report.build is None else hint or report.build.notes


# The run as a whole ------------------------------------------------------------------------------------------------


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
    """The exact word that `status` has no room for: `stage:<id>:failed`, `cancelled:signal: SIGINT`, `waived:a,b; flaky:c`."""
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
        if report is not None and report.counted is outcome:
            command = born.commands[place]
            return f"{'subpipeline' if command.kind == 'subpipeline' else 'stage'}:{command.id}:{outcome.value}"
    return f"pipeline-{outcome.value}"


def _marks(born: Manifest, progress: Progress) -> str | None:
    waived = _names(born, progress, (s for s, report in progress.reports.items() if report.waived))
    flaky = _names(born, progress, (s for s, report in progress.reports.items() if report.flaky))
    marks = [f"waived:{waived}"] * bool(waived) + [f"flaky:{flaky}"] * bool(flaky)
    return "; ".join(marks) or None


def _names(born: Manifest, progress: Progress, subtasks: Iterable[SubtaskId]) -> str:
    return ",".join(born.commands[place].id for place in sorted(progress.places[subtask] for subtask in subtasks))


def has_gating_failure(report: SubtaskReport) -> bool:
    """Whether an instance that ran this subtask did not do what it was there for."""
    return not satisfies_needs(report)
