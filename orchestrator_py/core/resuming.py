"""Taking a run up again: what did not succeed is run once more under the same id, what succeeded is kept as it is."""

from collections.abc import Mapping, Sequence

from orchestrator_py.core import fixed_texts
from orchestrator_py.core.command_records import pending_command, was_not_selected
from orchestrator_py.core.plan import item_id
from orchestrator_py.core.selection import not_selected
from orchestrator_py.errors import ConfigurationError, InputError
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import evolve
from orchestrator_py.model.manifest import CommandRecord, CommandStatus, Manifest, ResumeEvent, RunStatus
from orchestrator_py.model.outcome import Outcome, SkipReason
from orchestrator_py.model.pipeline import Pipeline
from orchestrator_py.model.policy import VerdictRules
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import Mode
from orchestrator_py.model.timestamp import Timestamp


def refuse_to_resume(manifest: Manifest, pipeline: Pipeline, rules: VerdictRules, *, token: str | None) -> None:
    """InputError if the run has nothing to resume, the token is another run's, or the pipeline is not the one that was run.

    A run that has succeeded since a failure was waived has something to resume under rules that waive none.
    """
    if token is not None and token != manifest.resume_token:
        raise InputError("Resume token mismatch.")
    if manifest.status is RunStatus.SUCCEEDED and not (rules.strict and any(map(_was_waived, manifest.commands))):
        raise InputError(f"Run {manifest.run_id} has succeeded already; there is nothing to resume.")
    then = [(command.id, command.kind) for command in manifest.commands]
    now = [(stage.id, stage.kind) for stage in pipeline.stages]
    if then != now:
        raise ConfigurationError(
            f"Pipeline '{pipeline.id}' has other stages ({_names(now)}) than when run {manifest.run_id} was started ({_names(then)}); "
            "put them back, or start a new run."
        )


def reborn(manifest: Manifest, pipeline: Pipeline, rules: VerdictRules, *, at: Timestamp) -> Manifest:
    """The manifest that the resumed run begins with: it keeps its start, its token, and the stages that are not run again."""
    accepted = ResumeEvent(actor="cli", reason="resume", outcome="accepted", timestamp=at)
    return evolve(
        manifest,
        status=RunStatus.IN_PROGRESS,
        status_detail="resuming",
        completed_at=None,
        updated_at=at,
        summary=None,
        metrics_recorded=False,
        resume_events=(*manifest.resume_events, accepted),
        commands=tuple(
            command if _is_kept(command, rules) or was_not_selected(command) else pending_command(command.index, stage)
            for command, stage in zip(manifest.commands, pipeline.stages, strict=True)
        ),
        run_summary_path=None,
        scheduler=None,
        guardrail_status=None,
    )


def kept_reports(manifest: Manifest, pipeline: Pipeline, rules: VerdictRules, modes: Mapping[str, Mode]) -> tuple[SubtaskReport, ...]:
    """What the record says of the stages that are not run again: those that succeeded, and those that were not selected then.

    A waived failure is kept too, unless the rules waive none: then it has another try. `modes`: where the plan's items run.
    """
    left_out = (not_selected(SubtaskId(item_id(pipeline, command.id))) for command in manifest.commands if was_not_selected(command))
    kept = (_kept_report(manifest, pipeline, command, modes) for command in manifest.commands if _is_kept(command, rules))
    return (*kept, *left_out)


def _is_kept(command: CommandRecord, rules: VerdictRules) -> bool:
    return command.status is CommandStatus.SUCCEEDED or (_was_waived(command) and not rules.strict)


def _was_waived(command: CommandRecord) -> bool:
    return command.status is CommandStatus.SKIPPED


def _kept_report(manifest: Manifest, pipeline: Pipeline, command: CommandRecord, modes: Mapping[str, Mode]) -> SubtaskReport:
    succeeded = command.status is CommandStatus.SUCCEEDED
    subtask_id, run_id = item_id(pipeline, command.id), manifest.run_id
    mode = modes.get(subtask_id, Mode.MCP)
    notes = f"{command.title}: {command.summary or ''}".rstrip()
    build = BuildResult(subtask_id=subtask_id, success=succeeded, mode=mode, run_id=run_id, notes=notes)
    report = TestReport(name="exit code", status="passed", details=notes)
    test = TestResult(subtask_id=subtask_id, success=True, reports=(report,), run_id=run_id)
    review = ReviewResult(summary=f"{command.title}: built and tested.", decision=ReviewDecision(approved=True))
    return SubtaskReport(
        subtask_id=SubtaskId(subtask_id),
        outcome=Outcome.SUCCEEDED if succeeded else Outcome.FAILED,
        skip_reason=SkipReason.REUSED,
        mode=mode,
        started_at=command.started_at or manifest.started_at,
        completed_at=command.completed_at,
        waived=not succeeded,
        build=build,
        test=test if succeeded else fixed_texts.test_skipped_after(build, run_id),
        review=review if succeeded else fixed_texts.review_skipped_after_build(),
    )


def _names(stages: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in stages) or "none"
