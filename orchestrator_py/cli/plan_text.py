"""A plan as text and as data for stdout."""

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.model.pipeline import CommandStage, Pipeline, Stage
from orchestrator_py.model.task import PlanResult


def plan_data(pipeline: Pipeline, plan: PlanResult) -> dict[str, object]:
    """The one JSON document of `plan --format json`."""
    return {
        "pipeline": {"id": pipeline.id, "title": pipeline.title, "description": pipeline.description, "parallel": not pipeline.sequential},
        "stages": [_stage_data(index, stage) for index, stage in enumerate(pipeline.stages, start=1)],
        "plan": to_json(plan),
        "targetId": plan.target_id if isinstance(plan.target_id, str) else None,
    }


def plan_lines(pipeline: Pipeline, plan: PlanResult) -> list[str]:
    """The stages in the order of the file, what each runs and needs."""
    manner = "one after the other" if pipeline.sequential else "at the same time, as far as needs allow"
    count = "1 stage" if len(pipeline.stages) == 1 else f"{len(pipeline.stages)} stages, {manner}"
    width = max((len(stage.id) for stage in pipeline.stages), default=0)
    runnable = {item.id for item in plan.items if item.runnable is not False}
    target = plan.target_id
    lines = [f"{pipeline.id}: {pipeline.title} ({count})"]
    for stage in pipeline.stages:
        item = f"{pipeline.id}:{stage.id}"
        needs = [f"needs {', '.join(stage.policy.needs)}"] if stage.policy.needs else []
        remarks = [*needs, *["target"] * (item == target), *["not runnable"] * (item not in runnable)]
        lines.append(f"  {stage.id:<{width}}  {_what(stage)}" + f"  ({'; '.join(remarks)})" * bool(remarks))
    return lines


def _what(stage: Stage) -> str:
    """What a stage runs, in one line."""
    if not isinstance(stage, CommandStage):
        return f"pipeline {stage.pipeline}"
    first, *more = stage.command.strip().splitlines()
    return f"{first} …" if more else first


def _stage_data(index: int, stage: Stage) -> dict[str, object]:
    data: dict[str, object] = {"index": index, "id": stage.id, "title": stage.title, "kind": stage.kind}
    if isinstance(stage, CommandStage):
        return data | {"command": stage.command, "test": stage.test, "review": stage.review, "needs": list(stage.policy.needs)}
    return data | {"pipeline": stage.pipeline, "needs": list(stage.policy.needs)}
