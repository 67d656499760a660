"""The stages in the manifest, one record each: what each is called, where it stands, how it ended."""

from collections.abc import Mapping

from orchestrator_py.core import fixed_texts
from orchestrator_py.core.command_summary import command_summary, shown_exit_code
from orchestrator_py.core.names import slugify
from orchestrator_py.core.outcome import build_outcome, review_outcome, test_outcome
from orchestrator_py.ids import InstanceId, SubtaskId
from orchestrator_py.lean import evolve, field, frozen
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.manifest import CommandRecord, CommandStatus, Manifest
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Stage
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class Stages:
    """What is known of the stages of a run in flight. `places` gives each subtask's index among the manifest's commands; `ended` keeps the
    records that cannot change any more, as they are made."""

    places: Mapping[SubtaskId, int]
    hints: Mapping[SubtaskId, str]
    taken_at: Mapping[SubtaskId, Timestamp]
    taken_by: Mapping[SubtaskId, InstanceId]
    workers: Mapping[SubtaskId, str]
    reports: Mapping[SubtaskId, SubtaskReport]
    ended: dict[SubtaskId, CommandRecord] = field(factory=dict)


def pending_command(index: int, stage: Stage) -> CommandRecord:
    """The record of a stage that has not started; `index` is its place in the pipeline, from 1."""
    command = stage.command if isinstance(stage, CommandStage) else None
    return CommandRecord(index=index, id=stage.id, title=stage.title, command=command, kind=stage.kind)


def not_selected_command(index: int, stage: Stage) -> CommandRecord:
    """The record of a stage that was not selected: it stays pending, and says why. Whoever resumes the run leaves it out again."""
    return evolve(pending_command(index, stage), summary=fixed_texts.NOT_SELECTED)


def was_not_selected(command: CommandRecord) -> bool:
    """Whether it is such a record."""
    return command.status is CommandStatus.PENDING and command.summary == fixed_texts.NOT_SELECTED


def stage_file_stem(command: CommandRecord) -> str:
    """`01-build`: what a stage's log and error file are called before their ending."""
    return f"{command.index:02d}-{slugify(command.id)}"


def command_records(born: Manifest, stages: Stages) -> tuple[CommandRecord, ...]:
    """Every stage as it stands: what was taken up runs or has ended, the others are as they were born."""
    commands = list(born.commands)
    for subtask_id in stages.taken_at:
        commands[stages.places[subtask_id]] = command_record(born, stages, subtask_id)
    return tuple(commands)


def command_record(born: Manifest, stages: Stages, subtask_id: SubtaskId) -> CommandRecord:
    """One stage as it stands."""
    ended = stages.ended.get(subtask_id)
    if ended is not None:
        return ended
    command, taken_at = born.commands[stages.places[subtask_id]], stages.taken_at.get(subtask_id)
    if taken_at is None:
        return command
    report = stages.reports.get(subtask_id)
    if report is not None:
        ended = stages.ended[subtask_id] = _ended(born, command, report, stages.hints.get(subtask_id))
        return ended
    worker = stages.workers.get(subtask_id)
    return evolve(
        command,
        status=CommandStatus.RUNNING,
        started_at=taken_at,
        log_path=_log_path(born, command),
        summary=command.summary if worker is None else f"Running on worker {worker} as {stages.taken_by[subtask_id]}.",
    )


def _log_path(born: Manifest, command: CommandRecord) -> str | None:
    return _stage_file(born, command, "commands", "ndjson")


def _stage_file(born: Manifest, command: CommandRecord, folder: str, ending: str) -> str | None:
    """Where a stage's log or error detail is; a sub-pipeline has none of its own, its run has them."""
    return None if command.command is None else f"{born.artifact_root}/{folder}/{stage_file_stem(command)}.{ending}"


def _ended(born: Manifest, command: CommandRecord, report: SubtaskReport, hint: str | None) -> CommandRecord:
    execution = deciding_execution(report)
    failed = report.counted is not Outcome.SUCCEEDED
    return evolve(
        command,
        status=_command_status(report),
        started_at=report.started_at,
        completed_at=report.completed_at,
        exit_code=None if execution is None else shown_exit_code(execution),
        summary=_summary(report, execution, hint),
        log_path=_log_path(born, command),
        error_file=_stage_file(born, command, "errors", "json") if failed and execution is not None else None,
        sub_run_id=None if execution is None else execution.child_run_id,
    )


def _command_status(report: SubtaskReport) -> CommandStatus:
    if report.counted is not Outcome.SUCCEEDED:
        return CommandStatus.FAILED
    return CommandStatus.SKIPPED if report.waived else CommandStatus.SUCCEEDED


def _summary(report: SubtaskReport, execution: Execution | None, hint: str | None) -> str | None:
    """What ended the stage, in one line: the rules of the run, our stop, a review's no, or the command's own words."""
    if report.flaky and report.counted is not Outcome.SUCCEEDED:
        return fixed_texts.flaky_text(len(report.attempts))
    if report.outcome is Outcome.REJECTED and report.review is not None:
        feedback = report.review.decision.feedback
        return f"Rejected by review: {feedback}" if feedback else "Rejected by review."
    if report.cause is not None and report.cause.outcome is report.outcome:
        word = "Timed out" if report.outcome is Outcome.TIMED_OUT else "Cancelled"
        return f"{word} ({report.cause})."
    if execution is not None and execution.child_outcome is None:
        return command_summary(execution, hint=hint)
    return hint if report.build is None else hint or report.build.notes


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
