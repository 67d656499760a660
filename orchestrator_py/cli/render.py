"""Reports as text and as data for stdout."""

from orchestrator_py.app.pipeline_runner import PipelineReport
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.tally import marks, tally, word
from orchestrator_py.model.pipeline import CommandStage, Pipeline, Stage
from orchestrator_py.model.task import PlanResult
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
    """The end of a run in a few lines: the failed ones again, one sentence, where the report is."""
    manifest, reports = report.manifest, report.summary.subtasks
    seconds = seconds_between(manifest.started_at, manifest.completed_at) or 0.0
    failed = [f"{word(r.outcome)}: {r.subtask_id}" for r in reports if r.started and r.counted is not r.counted.SUCCEEDED]
    return [
        *failed,
        *marks(reports),
        f"{manifest.pipeline_id} {word(report.outcome)}: {tally(reports)} in {seconds:.1f} s",
        f"report: {manifest.artifact_root}/manifest.json",
    ]


def plan_data(pipeline: Pipeline, plan: PlanResult) -> dict[str, object]:
    """The one JSON document of `plan --format json`."""
    return {
        "pipeline": {"id": pipeline.id, "title": pipeline.title, "description": pipeline.description, "parallel": not pipeline.sequential},
        "stages": [_stage_data(index, stage) for index, stage in enumerate(pipeline.stages, start=1)],
        "plan": to_json(plan),
        "targetId": plan.target_id if isinstance(plan.target_id, str) else None,
    }


def _stage_data(index: int, stage: Stage) -> dict[str, object]:
    data: dict[str, object] = {"index": index, "id": stage.id, "title": stage.title, "kind": stage.kind}
    if isinstance(stage, CommandStage):
        return data | {"command": stage.command, "test": stage.test, "review": stage.review, "needs": list(stage.policy.needs)}
    return data | {"pipeline": stage.pipeline, "needs": list(stage.policy.needs)}


def plan_lines(pipeline: Pipeline, plan: PlanResult) -> list[str]:
    """The stages in the order of the file, what each needs, and how they are run."""
    manner = "one after the other" if pipeline.sequential else "at the same time, as far as needs allow"
    lines = [f"{pipeline.id}: {pipeline.title} ({len(pipeline.stages)} stages, {manner})"]
    width = max((len(stage.id) for stage in pipeline.stages), default=0)
    runnable = {item.id for item in plan.items if item.runnable is not False}
    for stage in pipeline.stages:
        needs = f"  needs {', '.join(stage.policy.needs)}" if stage.policy.needs else ""
        off = "" if f"{pipeline.id}:{stage.id}" in runnable else "  (not runnable)"
        what = stage.command if isinstance(stage, CommandStage) else f"pipeline {stage.pipeline}"
        lines.append(f"  {stage.id:<{width}}  {what}{needs}{off}")
    return lines
