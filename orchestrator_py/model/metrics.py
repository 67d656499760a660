"""The metrics entry: what one finished run leaves in the history, one line of JSON."""

from collections.abc import Mapping

from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class InstanceStat:
    """One instance of the scheduler: how many attempts it made, how many recovery checkpoints they left."""

    instance_id: str
    capability: str
    status: str
    attempts: int
    recovery_events: int


@frozen(kw_only=True)
class MetricsEntry:
    """Keys in the contract's order; the defaults are what the contract documents for a run without these features.

    `privacy_events` and `tool_stats` hold the manifest's own records unchanged. Older writers leave out the keys that have a
    default here, newer ones add some of their own: those are in `extra`.
    """

    run_id: RunId
    task_id: TaskId
    pipeline_id: str
    status: str
    started_at: Timestamp
    completed_at: Timestamp | None
    duration_seconds: float | None
    commands_passed: int
    commands_failed: int
    guardrails_present: bool
    recorded_at: Timestamp
    artifact_path: str
    child_runs: int = 0
    control_plane_status: str = "unknown"
    scheduler_mode: str | None = None
    instance_stats: tuple[InstanceStat, ...] = ()
    privacy_mode: str | None = None
    privacy_events: tuple[object, ...] = ()
    handle_count: int = 0
    tfgrpo_epoch: float | None = None
    tfgrpo_group_id: str | None = None
    tfgrpo_group_size: float | None = None
    tool_calls: float = 0
    token_total: float = 0
    cost_usd: float = 0
    latency_ms: float = 0
    tool_stats: tuple[object, ...] = ()
    learning_validation_status: str | None = None
    learning_snapshot_status: str | None = None
    learning_scenario_status: str | None = None
    learning_crystalizer_status: str | None = None
    learning_alerts: int = 0
    learning_group_id: str | None = None
    learning_review_rejections: float = 0
    learning_review_latency_ms: float | None = None
    learning_regressions_detected: float = 0
    learning_pattern_promoted: float = 0
    learning_pattern_deprecated: float = 0
    learning_throughput_candidates: float = 0
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)
