"""The first message of a run: what is planned, in which order, on which instances, and the manifest that it is born with."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from orchestrator_py.core.assignments import NamedSlot, assign_instances, create_scheduler_plan, name_slots, schedule_with_lanes, with_lanes
from orchestrator_py.core.command_records import not_selected_command, pending_command
from orchestrator_py.core.fixed_texts import planner_error_plan
from orchestrator_py.core.mode import pipeline_mode
from orchestrator_py.core.names import slugify
from orchestrator_py.core.plan import item_id, order_group, select_single, stages_by_item
from orchestrator_py.core.resuming import kept_reports, reborn
from orchestrator_py.core.run_request import create_run_request, create_schedule
from orchestrator_py.core.selection import not_selected
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import frozen, maker
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.assignment import SchedulerPlan
from orchestrator_py.model.manifest import Manifest
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.pipeline import CommandStage, Pipeline
from orchestrator_py.model.policy import LENIENT, VerdictRules
from orchestrator_py.model.run_request import RunSchedule
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp

_make_opening = maker(OpenRun)


class RunPaths(NamedTuple):
    """Where a run's files are, as its documents name them: relative to the root, or absolute if elsewhere."""

    artifact_root: str
    runs_root: str = ""
    out_root: str = ""
    compat_path: str = ""
    log_path: str = ""


@frozen(kw_only=True)
class PipelineOptions:
    """What a command-line run adds to its pipeline. `jobs` is how many stages may run at once, `resume_token` 64 hex digits.

    `earlier` is the manifest of the run that is taken up again, None for a new one; `left_out` are the ids of the stages of a new one that
    were not selected. `rules` say what the verdict is made of.
    """

    pipeline: Pipeline
    jobs: int
    environment: Mapping[str, str]
    resume_token: str
    parent_run_id: RunId | None = None
    earlier: Manifest | None = None
    left_out: tuple[str, ...] = ()
    rules: VerdictRules = LENIENT


def open_embedded(
    *,
    run_id: RunId,
    task: TaskContext,
    plan: PlanResult,
    grouped: bool,
    limit: int,
    pipeline_id: str,
    paths: RunPaths,
    started_at: Timestamp,
    keep_summary: bool,
    repeated: bool = False,
    rules: VerdictRules = LENIENT,
) -> OpenRun:
    """A run inside the caller's program. PlanError if nothing, or without a group more than one thing, could be chosen."""
    order = order_group(plan) if grouped else (select_single(plan),)
    return _make_opening(
        run_id=run_id,
        task=task,
        plan=plan,
        order=order,
        grouped=grouped,
        pipeline_id=pipeline_id,
        scheduler=assign_instances(*_slots_of_lanes(min(len(order), limit)), task.id, started_at),
        artifact_root=paths.artifact_root,
        started_at=started_at,
        keep_summary=keep_summary,
        repeated=repeated,
        rules=rules,
    )


@cache
def _slots_of_lanes(lanes: int) -> tuple[RunSchedule, tuple[NamedSlot, ...]]:
    """The schedule of an embedded run: nothing but the number of its lanes makes a difference."""
    schedule = schedule_with_lanes(create_schedule(Pipeline(id="", title="", stages=())), lanes)
    return schedule, name_slots(schedule)


def open_after_planner_error(
    *,
    run_id: RunId,
    task: TaskContext,
    message: str,
    pipeline_id: str,
    paths: RunPaths,
    started_at: Timestamp,
    keep_summary: bool,
    repeated: bool = False,
) -> OpenRun:
    """A run whose planner raised: nothing will start, and the record says why."""
    return OpenRun(
        run_id=run_id,
        task=task,
        plan=planner_error_plan(message),
        order=(),
        grouped=False,
        pipeline_id=pipeline_id,
        scheduler=None,
        artifact_root=paths.artifact_root,
        started_at=started_at,
        keep_summary=keep_summary,
        repeated=repeated,
        planner_error=message,
    )


def open_pipeline(
    *, run_id: RunId, task: TaskContext, plan: PlanResult, options: PipelineOptions, paths: RunPaths, started_at: Timestamp
) -> OpenRun:
    """A command-line run: every runnable stage is planned, selected or not. ConfigurationError if the scheduler's bounds are impossible."""
    pipeline = options.pipeline
    order = order_group(plan) if any(item.runnable is not False for item in plan.items) else ()
    planned = {item.id for item in order}
    settled = tuple(report for report in _settled(options, task, plan) if report.subtask_id in planned)
    lanes = lanes_of(pipeline, max(1, len(order) - len(settled)), options.jobs)
    return OpenRun(
        run_id=run_id,
        task=task,
        plan=plan,
        order=order,
        grouped=True,
        pipeline_id=pipeline.id,
        scheduler=_schedule_instances(pipeline, run_id, task, options.environment, paths, started_at, lanes=lanes),
        artifact_root=paths.artifact_root,
        started_at=started_at,
        manifest=_manifest(run_id, task, plan, options, paths, started_at),
        hints=_hints(pipeline),
        guardrails=frozenset(stage.id for stage in pipeline.stages if isinstance(stage, CommandStage) and stage.guardrail),
        settled=settled,
        repeated=options.earlier is not None,
        rules=options.rules,
    )


def _settled(options: PipelineOptions, task: TaskContext, plan: PlanResult) -> tuple[SubtaskReport, ...]:
    """What is accounted for before anything starts."""
    if options.earlier is not None:
        return kept_reports(options.earlier, options.pipeline, options.rules, {item.id: pipeline_mode(task, item) for item in plan.items})
    return tuple(not_selected(SubtaskId(item_id(options.pipeline, stage_id))) for stage_id in options.left_out)


def lanes_of(pipeline: Pipeline, stages: int, jobs: int) -> int | None:
    """How many worker slots a run needs; None for a pipeline that is an order: then the contract's number of instances holds."""
    return None if pipeline.sequential else min(stages, jobs)


def _schedule_instances(
    pipeline: Pipeline,
    run_id: RunId,
    task: TaskContext,
    environment: Mapping[str, str],
    paths: RunPaths,
    at: Timestamp,
    *,
    lanes: int | None,
) -> SchedulerPlan:
    request = create_run_request(
        pipeline,
        run_id=run_id,
        task=task,
        environment=environment,
        requested_at=at,
        artifact_root=paths.artifact_root,
        runs_root=paths.runs_root,
        out_root=paths.out_root,
    )
    wide = request if lanes is None else with_lanes(request, lanes)
    return create_scheduler_plan(wide, requested_at=at, instance_prefix=task.id)


def _manifest(
    run_id: RunId, task: TaskContext, plan: PlanResult, options: PipelineOptions, paths: RunPaths, started_at: Timestamp
) -> Manifest:
    pipeline = options.pipeline
    if options.earlier is not None:
        return reborn(options.earlier, pipeline, options.rules, at=started_at)
    commands = (
        (not_selected_command if stage.id in options.left_out else pending_command)(index, stage)
        for index, stage in enumerate(pipeline.stages, start=1)
    )
    return Manifest(
        task_id=task.id,
        task_slug=slugify(task.id),
        run_id=run_id,
        parent_run_id=options.parent_run_id,
        pipeline_id=pipeline.id,
        pipeline_title=pipeline.title,
        started_at=started_at,
        updated_at=started_at,
        artifact_root=paths.artifact_root,
        compat_path=paths.compat_path,
        log_path=paths.log_path,
        resume_token=options.resume_token,
        commands=tuple(commands),
        plan_target_id=None if plan.target_id is ABSENT else plan.target_id,
        guardrails_required=pipeline.guardrails_required,
    )


def _hints(pipeline: Pipeline) -> dict[SubtaskId, str]:
    stages = stages_by_item(pipeline)
    return {SubtaskId(item): stage.summary_hint for item, stage in stages.items() if isinstance(stage, CommandStage) and stage.summary_hint}
