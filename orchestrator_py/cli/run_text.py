"""The report of a run as text and as data for stdout."""

from orchestrator_py.app.pipeline_runner import PipelineReport
from orchestrator_py.cli.paint import Ink, Line, Span, ink_of
from orchestrator_py.cli.progress_board import duration
from orchestrator_py.core.stage_reports import stage_reports
from orchestrator_py.core.tally import by_whom, counts, marks, tally, why, word
from orchestrator_py.model.manifest import CommandRecord, Manifest
from orchestrator_py.model.outcome import Outcome, SkipReason
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import seconds_between


def run_data(report: PipelineReport, exit_code: int) -> dict[str, object]:
    """The one JSON document of `run --format json`: paths are relative to the repository; `failed`, `waived`, `flaky` name stages."""
    manifest, cause = report.manifest, report.summary.cause
    ended = [(command.id, subtask) for command, subtask in stage_reports(manifest, report.summary) if subtask.started]
    return {
        "run_id": manifest.run_id,
        "status": manifest.status.value,
        "outcome": report.outcome.value,
        "artifact_root": manifest.artifact_root,
        "manifest": f"{manifest.artifact_root}/manifest.json",
        "log_path": manifest.log_path,
        "run_summary": manifest.run_summary_path,
        "exit_code": exit_code,
        "cause": None if cause is None else {"kind": cause.kind.value, "detail": cause.detail},
        "counts": counts(report.summary.subtasks),
        "failed": [stage_id for stage_id, subtask in ended if subtask.counted is not Outcome.SUCCEEDED],
        "waived": [stage_id for stage_id, subtask in ended if subtask.waived],
        "flaky": [stage_id for stage_id, subtask in ended if subtask.flaky],
    }


def run_lines(report: PipelineReport) -> list[Line]:
    """The end of a run in a few lines: the failed ones again, what was waived or flaky, one sentence, where the report is."""
    manifest, reports = report.manifest, report.summary.subtasks
    return [
        *_failed_lines(report),
        *(_mark(mark) for mark in marks(reports)),
        _sentence(report),
        f"report: {manifest.artifact_root}/manifest.json",
    ]


def _sentence(report: PipelineReport) -> Line:
    manifest, reports = report.manifest, report.summary.subtasks
    if report.outcome is Outcome.SKIPPED:
        left_out = any(one.skip_reason is SkipReason.NOT_SELECTED for one in reports)
        return f"{manifest.pipeline_id}: nothing ran, none of its stages is {'selected' if left_out else 'runnable'}"
    seconds = seconds_between(manifest.started_at, manifest.completed_at) or 0.0
    cause = report.summary.cause
    stopped = f" ({by_whom(cause)})" if report.cut_short and cause is not None else ""
    verdict = Span(word(report.outcome), ink_of(report.outcome))
    return (f"{manifest.pipeline_id} ", verdict, f"{stopped}: {tally(reports)} in {duration(seconds, exact=True)}")


def _mark(mark: str) -> Line:
    kind, colon, rest = mark.partition(":")
    return (Span(kind, Ink.DOUBTFUL), colon + rest)


def _failed_lines(report: PipelineReport) -> list[Line]:
    commands = {item.id: command for item, command in zip(report.summary.plan.items, report.manifest.commands, strict=True)}
    bad = [subtask for subtask in report.summary.subtasks if subtask.started and subtask.counted is not Outcome.SUCCEEDED]
    return [_failed_line(subtask, _where(report.manifest, commands[subtask.subtask_id])) for subtask in bad]


def _failed_line(report: SubtaskReport, where: str) -> Line:
    reason = why(report)
    return (Span(word(report.counted), ink_of(report.counted)), f": {report.subtask_id}{f' ({reason})' if reason else ''}{where}")


def _where(manifest: Manifest, command: CommandRecord) -> str:
    """Where to read on: the log of a command, the manifest of a child run."""
    child = next((child.manifest for child in manifest.child_runs if child.run_id == command.sub_run_id), None)
    if child is not None:
        return f", report {child}"
    return "" if command.log_path is None else f", log {command.log_path}"
