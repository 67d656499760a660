"""A plan as text and as data for stdout."""

from collections.abc import Iterator, Mapping

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.configuration import select_pipeline
from orchestrator_py.core.needs import count_levels
from orchestrator_py.model.pipeline import CommandStage, Configuration, Pipeline, Stage
from orchestrator_py.model.task import PlanResult


def plan_data(pipeline: Pipeline, plan: PlanResult) -> dict[str, object]:
    """The one JSON document of `plan --format json`; `edges` lead from what is needed to who needs it, `step` is when a stage can start."""
    steps = _steps(pipeline)
    return {
        "pipeline": {"id": pipeline.id, "title": pipeline.title, "description": pipeline.description, "parallel": not pipeline.sequential},
        "stages": [_stage_data(index, steps[stage.id], stage) for index, stage in enumerate(pipeline.stages, start=1)],
        "plan": to_json(plan),
        "targetId": plan.target_id if isinstance(plan.target_id, str) else None,
        "edges": [{"from": need, "to": stage.id} for stage in pipeline.stages for need in stage.policy.needs],
    }


def plan_lines(configuration: Configuration, pipeline: Pipeline, plan: PlanResult) -> list[str]:
    """The stages by the step in which each can start; those of a sub-pipeline stand below it."""
    manner = "one after the other" if pipeline.sequential else "at the same time, as far as needs allow"
    count = "1 stage" if len(pipeline.stages) == 1 else f"{len(pipeline.stages)} stages, {manner}"
    runnable = {item.id for item in plan.items if item.runnable is not False}
    remarks: dict[str, list[str]] = {}
    for stage in pipeline.stages:
        item = f"{pipeline.id}:{stage.id}"
        remarks[stage.id] = [*["target"] * (item == plan.target_id), *["not runnable"] * (item not in runnable)]
    return [f"{pipeline.id}: {pipeline.title} ({count})", *_graph(configuration, pipeline, remarks, "  ")]


def _graph(configuration: Configuration, pipeline: Pipeline, remarks: Mapping[str, list[str]], margin: str) -> Iterator[str]:
    steps = _steps(pipeline)
    stages = sorted(pipeline.stages, key=lambda stage: steps[stage.id])  # a stable sort: within a step in the order of the file
    width = max((len(stage.id) for stage in stages), default=0)
    digits = len(str(max(steps.values(), default=1)))
    last = 0
    for stage in stages:
        number, last = "" if steps[stage.id] == last else str(steps[stage.id]), steps[stage.id]
        needs = [f"needs {', '.join(stage.policy.needs)}"] if stage.policy.needs else []
        uses = [f"uses {', '.join(stage.policy.resources)}"] if stage.policy.resources else []
        said = "; ".join([*needs, *uses, *remarks.get(stage.id, [])])
        yield f"{margin}{number:>{digits}}  {stage.id:<{width}}  {_what(stage)}" + f"  ({said})" * bool(said)
        if not isinstance(stage, CommandStage):
            child = select_pipeline(configuration, stage.pipeline)
            yield from _graph(configuration, child, {}, margin + " " * (digits + 4))


def _steps(pipeline: Pipeline) -> dict[str, int]:
    """From 1: stages of one step can run at the same time."""
    if pipeline.sequential:
        return {stage.id: index for index, stage in enumerate(pipeline.stages, start=1)}
    levels = count_levels({stage.id: stage.policy.needs for stage in pipeline.stages})
    return {id: level + 1 for id, level in levels.items()}


def _what(stage: Stage) -> str:
    """What a stage runs, in one line."""
    if not isinstance(stage, CommandStage):
        return f"pipeline {stage.pipeline}"
    first, *more = stage.command.strip().splitlines()
    return f"{first} …" if more else first


def _stage_data(index: int, step: int, stage: Stage) -> dict[str, object]:
    data: dict[str, object] = {"index": index, "step": step, "id": stage.id, "title": stage.title, "kind": stage.kind}
    needs = {"needs": list(stage.policy.needs), "resources": list(stage.policy.resources)}
    if isinstance(stage, CommandStage):
        return data | {"command": stage.command, "test": stage.test, "review": stage.review} | needs
    return data | {"pipeline": stage.pipeline} | needs
