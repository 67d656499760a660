"""The report of a run as text and as data for stdout."""

from orchestrator_py.app.pipeline_runner import PipelineReport
from orchestrator_py.core.tally import by_whom, marks, tally, why, word
from orchestrator_py.model.manifest import CommandRecord, Manifest
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import seconds_between


def run_data(report: PipelineReport) -> dict[str, object]:
    """The one JSON document of `run --format json`; paths are relative to the repository."""
    manifest = report.manifest
    return {
        "run_id": manifest.run_id,
        "status": manifest.status.value,
        "outcome": report.outcome.value,
        "artifact_root": manifest.artifact_root,
        "manifest": f"{manifest.artifact_root}/manifest.json",
        "log_path": manifest.log_path,
        "run_summary": manifest.run_summary_path,
    }


def run_lines(report: PipelineReport) -> list[str]:
    """The end of a run in a few lines: the failed ones again, what was waived or flaky, one sentence, where the report is."""
    manifest, reports = report.manifest, report.summary.subtasks
    return [
        *_failed_lines(report),
        *marks(reports),
        _sentence(report),
        f"report: {manifest.artifact_root}/manifest.json",
    ]


def _sentence(report: PipelineReport) -> str:
    manifest, reports = report.manifest, report.summary.subtasks
    if report.outcome is Outcome.SKIPPED:
        return f"{manifest.pipeline_id}: nothing ran, none of its stages is runnable"
    seconds = seconds_between(manifest.started_at, manifest.completed_at) or 0.0
    cause = report.summary.cause
    stopped = f" ({by_whom(cause)})" if report.cut_short and cause is not None else ""
    return f"{manifest.pipeline_id} {word(report.outcome)}{stopped}: {tally(reports)} in {seconds:.1f} s"


def _failed_lines(report: PipelineReport) -> list[str]:
    commands = {item.id: command for item, command in zip(report.summary.plan.items, report.manifest.commands, strict=True)}
    bad = [subtask for subtask in report.summary.subtasks if subtask.started and subtask.counted is not Outcome.SUCCEEDED]
    return [_failed_line(subtask, _where(report.manifest, commands[subtask.subtask_id])) for subtask in bad]


def _failed_line(report: SubtaskReport, where: str) -> str:
    reason = why(report)
    return f"{word(report.outcome)}: {report.subtask_id}{f' ({reason})' if reason else ''}{where}"


def _where(manifest: Manifest, command: CommandRecord) -> str:
    """Where to read on: the log of a command, the manifest of a child run."""
    child = next((child.manifest for child in manifest.child_runs if child.run_id == command.sub_run_id), None)
    if child is not None:
        return f", report {child}"
    return "" if command.log_path is None else f", log {command.log_path}"
