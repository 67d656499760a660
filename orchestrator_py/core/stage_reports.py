"""Every stage of a pipeline run with how it ended, in the order of the file; one that was not part of the plan was skipped."""

from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.manifest import CommandRecord, Manifest
from orchestrator_py.model.outcome import Outcome, SkipReason
from orchestrator_py.model.summary import RunSummary, SubtaskReport


def stage_reports(manifest: Manifest, summary: RunSummary) -> tuple[tuple[CommandRecord, SubtaskReport], ...]:
    """The manifest's record of each stage, and the report of the subtask that it was."""
    reports = {report.subtask_id: report for report in summary.subtasks}
    stages = zip(summary.plan.items, manifest.commands, strict=True)
    return tuple((command, reports.get(SubtaskId(item.id)) or _unplanned(SubtaskId(item.id))) for item, command in stages)


def _unplanned(subtask_id: SubtaskId) -> SubtaskReport:
    return SubtaskReport(subtask_id=subtask_id, outcome=Outcome.SKIPPED, skip_reason=SkipReason.NOT_SELECTED)
