"""From a pipeline to a plan: its items, which one is the target, and which are run in what order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from orchestrator_py.core.needs import find_circles, find_unknown
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import PlanError
from orchestrator_py.lean import evolve
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.pipeline import Pipeline, Stage
from orchestrator_py.model.task import PlanItem, PlanResult

_NOTHING_PLANNED = "Planner returned no executable subtasks."
_NOTHING_RUNNABLE = "Planner returned no runnable subtasks after applying selection and target hints."


# Making a plan -----------------------------------------------------------------------------------------------------


def create_plan(pipeline: Pipeline, *, target: str | None) -> PlanResult:
    """One item per stage, in the order of the file; the target is selected.

    `target` names an item by its whole id, or a stage by its id or an alias whatever the case, with anything and a colon in front of
    it or not; one that matches nothing falls back to the pipeline's default target, its first runnable stage, its first stage.
    """
    chosen = find_target(pipeline, target) or _default_target(pipeline)
    target_id = None if chosen is None else item_id(pipeline, chosen.id)
    items = (_create_item(pipeline, index, stage) for index, stage in enumerate(pipeline.stages))
    return PlanResult(
        items=tuple(evolve(item, selected=item.id == target_id) for item in items),
        notes=ABSENT if pipeline.description is None else pipeline.description,
        target_id=target_id,
    )


def select_target(explicit: str | None, fallback: str | None, environment_target: str | None) -> str | None:
    """The first of an option, a resumed run's target and the environment's that is more than blanks."""
    candidates = (candidate.strip() for candidate in (explicit, fallback, environment_target) if candidate is not None)
    return next(filter(None, candidates), None)


def item_id(pipeline: Pipeline, stage_id: str) -> str:
    """The id that a stage's item has in the plan: `<pipeline>:<stage>`."""
    return f"{pipeline.id}:{stage_id}"


def stages_by_item(pipeline: Pipeline) -> Mapping[str, Stage]:
    """The stage behind each item of the pipeline's plan."""
    return {item_id(pipeline, stage.id): stage for stage in pipeline.stages}


def find_target(pipeline: Pipeline, target: str | None) -> Stage | None:
    """The stage that `target` names, see `create_plan`; None if it matches nothing."""
    if not target:
        return None
    if exact := stages_by_item(pipeline).get(target):
        return exact
    return _find_named(pipeline, target) or _find_named(pipeline, target.rpartition(":")[2])


def _find_named(pipeline: Pipeline, name: str) -> Stage | None:
    word = name.lower()
    return next((stage for stage in pipeline.stages if word in (one.lower() for one in (stage.id, *stage.hints.aliases))), None)


def _default_target(pipeline: Pipeline) -> Stage | None:
    flagged = (stage for stage in pipeline.stages if stage.hints.default_target)
    runnable = (stage for stage in pipeline.stages if stage.hints.runnable)
    return next(chain(flagged, runnable, pipeline.stages), None)


def _create_item(pipeline: Pipeline, index: int, stage: Stage) -> PlanItem:
    return PlanItem(
        id=item_id(pipeline, stage.id),
        description=stage.title,
        requires_cloud=stage.hints.requires_cloud,
        requires_cloud_alias=stage.hints.requires_cloud,
        runnable=stage.hints.runnable,
        metadata=_metadata(pipeline, index, stage),
        policy=evolve(stage.policy, needs=tuple(item_id(pipeline, need) for need in stage.policy.needs)),
    )


def _metadata(pipeline: Pipeline, index: int, stage: Stage) -> dict[str, object]:
    """The keys in the order of the contract; a hint that says nothing has no key."""
    hints = stage.hints
    metadata: dict[str, object] = {"pipelineId": pipeline.id, "stageId": stage.id, "stageKind": stage.kind, "index": index}
    if hints.aliases:
        metadata["aliases"] = list(hints.aliases)
    if hints.default_target:
        metadata["defaultTarget"] = True
    if hints.execution_mode:
        metadata["executionMode"] = hints.execution_mode
    return metadata | {"requiresCloud": hints.requires_cloud}


# Choosing from a plan ----------------------------------------------------------------------------------------------


def order_group(plan: PlanResult) -> tuple[PlanItem, ...]:
    """The items that can run, each id once: the target first, else the selected one, then the plan's order.

    PlanError if the plan is empty or nothing in it can run.
    """
    runnable = _runnable(plan)
    targeted = (item for item in runnable if plan.target_id and item.id == plan.target_id)
    selected = (item for item in runnable if item.selected is True)
    first = next(chain(targeted, selected), None)
    ordered = runnable if first is None else (first, *runnable)
    once = {item.id: item for item in reversed(ordered)}  # the first of equal ids stays
    return ordered if len(once) == len(ordered) else tuple(once[name] for name in dict.fromkeys(item.id for item in ordered))


def select_single(plan: PlanResult) -> PlanItem:
    """The one item of a run without a group: the selected one, else the target, runnable or not; else the only runnable one.

    PlanError if the plan is empty, nothing in it can run, or several can and none is named.
    """
    selected = (item for item in plan.items if item.selected is True)
    targeted = (item for item in plan.items if plan.target_id and item.id == plan.target_id)
    if named := next(chain(selected, targeted), None):
        return named
    runnable = _runnable(plan)
    if len(runnable) == 1:
        return runnable[0]
    raise PlanError(
        f"Planner returned multiple runnable subtasks without a selection ({', '.join(item.id for item in runnable)}). "
        "Specify a target stage or update the planner configuration."
    )


def _runnable(plan: PlanResult) -> tuple[PlanItem, ...]:
    if not plan.items:
        raise PlanError(_NOTHING_PLANNED)
    runnable = tuple([item for item in plan.items if item.runnable is not False])
    if not runnable:
        raise PlanError(_NOTHING_RUNNABLE)
    return plan.items if len(runnable) == len(plan.items) else runnable  # the same tuple: a large plan is held once


# Checking a plan ---------------------------------------------------------------------------------------------------


def validate_needs(items: Sequence[PlanItem]) -> None:
    """PlanError naming every id that occurs twice, every need that names no item, and every circle of needs."""
    needs = {item.id: item.policy.needs for item in items}
    if len(needs) == len(items) and not any(needs.values()):
        return
    problems = [f"the id {name!r} occurs {times} times" for name, times in Counter(item.id for item in items).items() if times > 1]
    problems += (f"{name!r} needs {need!r}, which is not in the plan{suggest(need, needs)}" for name, need in find_unknown(needs))
    if any(needs.values()):
        problems += (f"{' needs '.join(map(repr, circle))}: a circle" for circle in find_circles(needs))
    if problems:
        raise PlanError(f"The plan cannot run: {'; '.join(problems)}. Correct the ids and needs of its items.")
