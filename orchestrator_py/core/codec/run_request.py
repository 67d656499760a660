"""The run request as JSON, in the second version of its schema."""

from orchestrator_py.model.pipeline import CommandStage, Stage
from orchestrator_py.model.run_request import GroupSettings, RunRequest, RunSchedule
from orchestrator_py.model.task import TaskContext


def run_request_to_data(request: RunRequest) -> dict[str, object]:
    """The whole request; keys that say nothing are absent."""
    pipeline, capabilities = request.pipeline, list(request.pipeline.capabilities)
    return {
        "schema": "codex.control-plane.run-request",
        "version": "2.0.0",
        "requestId": request.request_id,
        "task": _task(request.task, capabilities),
        "pipeline": {
            "id": pipeline.id,
            "version": "1.0.0",
            "title": pipeline.title,
            "capabilities": capabilities,
            "stages": [_stage(stage) for stage in pipeline.stages],
        },
        "schedule": _schedule(request.schedule),
        "streaming": {"handles": True, "resumeSupported": True, "observers": {"maxSubscribers": 8, "defaultBackpressureMs": 250}},
        "constraints": {"privacyLevel": "standard", "policyVersion": "2025-10-01"},
        "metrics": {"emitIntervalSeconds": 30, "requiredDimensions": ["instanceId", "phase", "status"]},
        "requestedAt": request.requested_at,
        "requestedBy": {"actorId": "codex-cli", "channel": "cli", "name": "Codex CLI"},
        "metadata": _metadata(request),
    }


def _task(task: TaskContext, capabilities: list[str]) -> dict[str, object]:
    slug = task.metadata.get("slug")
    return {
        "id": task.id,
        **({"slug": str(slug)} if slug else {}),
        "title": task.title,
        **({} if task.description is None else {"description": task.description}),
        **({"metadata": dict(task.metadata)} if task.metadata else {}),
        "tags": capabilities,
    }


def _stage(stage: Stage) -> dict[str, object]:
    session = stage.session_id if isinstance(stage, CommandStage) else None
    return {
        "id": stage.id,
        "kind": stage.kind,
        "title": stage.title,
        "optional": stage.policy.allow_failure,
        **({"capabilities": [f"session:{session}"]} if session else {}),
    }


def _schedule(schedule: RunSchedule) -> dict[str, object]:
    recovery = schedule.recovery
    return {
        "strategy": "auto",
        "minInstances": schedule.min_instances,
        "maxInstances": schedule.max_instances,
        "fanOut": [
            {"capability": entry.capability, "weight": entry.weight, "maxConcurrency": entry.max_concurrency} for entry in schedule.fan_out
        ],
        "recovery": {
            "heartbeatIntervalSeconds": recovery.heartbeat_interval_seconds,
            "missingHeartbeatTimeoutSeconds": recovery.missing_heartbeat_timeout_seconds,
            "maxRetries": recovery.max_retries,
        },
    }


def _metadata(request: RunRequest) -> dict[str, object]:
    return {
        "artifactRoot": request.artifact_root,
        "runsRoot": request.runs_root,
        "outRoot": request.out_root,
        "pipelineId": request.pipeline.id,
        "taskSlug": request.task.metadata.get("slug"),
        **({} if request.group is None else {"tfgrpo": _group(request.group)}),
    }


def _group(group: GroupSettings) -> dict[str, object]:
    return {
        "sampleSize": group.sample_size,
        "epochs": group.epochs,
        "temperature": {"train": group.train_temperature, "eval": group.eval_temperature},
        **({} if group.group_size is None else {"groupSize": group.group_size}),
    }
