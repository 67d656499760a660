"""What is known of a change and of the run that has checked it, brought together."""

from collections.abc import Iterator

from orchestrator_py.cli.reading_place import now
from orchestrator_py.cli.status_text import spoken, stage_line
from orchestrator_py.core.guardrails import guardrail_name, guardrail_status
from orchestrator_py.guards.budget_guard import Measurement
from orchestrator_py.guards.checklist import read_checklist
from orchestrator_py.guards.comparison import Comparison
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.hand_off import Evidence, StageEvidence
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.reading.run import Run, text_of


def collect(
    run: Run, root: str, manifest: str, measurement: Measurement | None, report: Report | None, *, title: str | None, notes: str | None
) -> Evidence:
    """Of a run that goes on, as its manifest has it at this moment; `manifest` is the path that the reviewer is told."""
    summary, recommendation = _guardrails(run)
    comparison = measurement.comparison if measurement else None
    at = now()
    return Evidence(
        title=title or run.text("pipeline_title") or run.run_id,
        task=run.task,
        run_id=run.run_id,
        pipeline=run.text("pipeline_id"),
        status=_status(run),
        manifest=manifest,
        scope=f"Since {comparison.label}" if comparison else "No git work tree, so nothing has changed",
        show=_show(comparison) if comparison else None,
        changes=measurement.changes if measurement else (),
        budget=report,
        guardrails=summary,
        recommendation=recommendation,
        stages=[StageEvidence(id=text_of(stage, "id"), told=stage_line(run, stage, at)) for stage in run.objects("commands")],
        approvals=list(_approvals(run)),
        checklist=read_checklist(root, run.task),
        notes=notes if notes and notes.strip() else None,
    )


def _status(run: Run) -> str:
    return spoken(run.word) if run.has_ended else f"which goes on (as of {run.text('updated_at')})"


def _guardrails(run: Run) -> tuple[str, str | None]:
    """As the manifest says; while the run goes on it says nothing, and it is counted here."""
    status = run.manifest.get("guardrail_status")
    if isinstance(status, dict):
        return text_of(status, "summary"), text_of(status, "recommendation") or None
    stages = (
        (guardrail_name(text_of(stage, "id"), text_of(stage, "command") or None), run.stage_word(stage))
        for stage in run.objects("commands")
    )
    required = run.manifest.get("guardrails_required")
    counted = guardrail_status(stages, required if isinstance(required, bool) else None, Timestamp(now()))
    return counted.summary, counted.recommendation


def _approvals(run: Run) -> Iterator[str]:
    for approval in run.objects("approvals"):
        yield f"{text_of(approval, 'actor')}: {text_of(approval, 'reason') or 'no reason is given'} ({text_of(approval, 'timestamp')})"


def _show(comparison: Comparison) -> str:
    return " ".join(["git diff", comparison.start[:12], *([comparison.end[:12]] if comparison.end else [])])
