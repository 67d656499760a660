"""The manifest of a command-line run: one document that tells where the run stands, rewritten whole at every change."""

from collections.abc import Mapping
from enum import Enum

from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.assignment import SchedulerPlan
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.guardrails import GuardrailStatus
from orchestrator_py.model.timestamp import Timestamp


class RunStatus(Enum):
    """Where a run stands; the last three are terminal and final."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing may change any more."""
        return self not in (RunStatus.QUEUED, RunStatus.IN_PROGRESS)


class CommandStatus(Enum):
    """Where one stage stands. `SKIPPED` is the contract's word for a waived failure."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class CommandRecord:
    """One stage of the pipeline; `command` is None for a sub-pipeline. Paths are relative to the repository."""

    index: int
    id: str
    title: str
    command: str | None
    kind: str
    status: CommandStatus = CommandStatus.PENDING
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    exit_code: int | None = None
    summary: str | None = None
    log_path: str | None = None
    error_file: str | None = None
    sub_run_id: RunId | None = None


@frozen(kw_only=True)
class ChildRun:
    """The run of a sub-pipeline; `manifest` is the path of its manifest, relative to the repository."""

    run_id: RunId
    pipeline_id: str
    status: RunStatus
    manifest: str


@frozen(kw_only=True)
class ResumeEvent:
    """Somebody asked to resume the run; `outcome` is `accepted` or `blocked`."""

    actor: str
    reason: str
    outcome: str
    detail: str | None = None
    timestamp: Timestamp


@frozen(kw_only=True)
class Manifest:
    """Keys in the contract's order; the first block is born with the run, the last four come as they happen."""

    version: int = 1
    task_id: TaskId
    task_slug: str | None
    run_id: RunId
    parent_run_id: RunId | None = None
    pipeline_id: str
    pipeline_title: str
    runner: str = "codex-cli"
    approval_policy: str | None = None
    status: RunStatus = RunStatus.QUEUED
    status_detail: str | None = None
    started_at: Timestamp
    completed_at: Timestamp | None = None
    updated_at: Timestamp
    heartbeat_at: Timestamp | None = None
    heartbeat_interval_seconds: float = 5
    heartbeat_stale_after_seconds: float = 30
    artifact_root: str
    compat_path: str
    log_path: str
    summary: str | None = None
    metrics_recorded: bool = False
    resume_token: str
    resume_events: tuple[ResumeEvent, ...] = ()
    approvals: tuple[object, ...] = ()
    commands: tuple[CommandRecord, ...] = ()
    child_runs: tuple[ChildRun, ...] = ()
    run_summary_path: str | None = None
    plan_target_id: str | None = None
    instructions_hash: str | None = None
    instructions_sources: tuple[object, ...] = ()
    prompt_packs: tuple[object, ...] = ()
    guardrails_required: bool | None = True
    runtime_mode_requested: str = "cli"
    runtime_mode: str = "cli"
    runtime_provider: str = "CliRuntimeProvider"
    runtime_fallback: object = None
    learning: Mapping[str, object] = field(factory=lambda: dict(_LEARNING_AT_BIRTH))
    tfgrpo: object = None
    scheduler: SchedulerPlan | None = None
    guardrail_status: GuardrailStatus | None = None
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)


_LEARNING_AT_BIRTH: Mapping[str, object] = {
    "validation": {"mode": "per-task", "grouping": None, "status": "pending"},
    "alerts": [],
    "approvals": [],
}
