"""The rollup documents: what the whole metrics history of a task comes to. Fields are named and ordered as the contract's keys.

A sum or a mean is None where it has left the range of doubles. Figures have the unit of their name; costs have six decimals.
"""

from collections.abc import Iterator, Mapping

from orchestrator_py.lean import field, frozen
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class Baseline:
    """The first entry of the history, as the mark that later ones are measured against. It is written once.

    Each field holds what the entry held, of whatever type, and is ABSENT where the entry had no such key. `completion_rate` is 1 if the
    run succeeded, else 0. Keys that another writer added are in `extra`.
    """

    run_id: object = ABSENT
    recorded_at: object = ABSENT
    status: object = ABSENT
    duration_seconds: object = ABSENT
    completion_rate: object = ABSENT
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)


@frozen(kw_only=True)
class PostRollout:
    """How many runs succeeded; the rate is a fraction, and the threshold is 0.95."""

    total_runs: int
    succeeded_runs: int
    completion_rate: float
    meets_threshold: bool
    updated_at: Timestamp


@frozen(kw_only=True)
class MissingCounts:
    """In how many entries each of the checked fields was missing."""

    instance_stats: int
    privacy_events: int
    control_plane_status: int


@frozen(kw_only=True)
class Completeness:
    """How much the entries tell; the ratio is a fraction of all checked fields of all entries, and has to stay below 0.05."""

    checked_fields: tuple[str, ...]
    missing_counts: MissingCounts
    missing_field_ratio: float
    meets_threshold: bool
    updated_at: Timestamp


@frozen(kw_only=True)
class MttrDelta:
    """The mean duration of the runs against the baseline's. `reduction_percent` is a fraction; the threshold is 60 % of the baseline."""

    baseline_mttr_seconds: float | None
    current_mttr_seconds: float | None
    reduction_percent: float | None
    meets_threshold: bool
    updated_at: Timestamp


@frozen(kw_only=True)
class ToolRollup:
    """One tool in one epoch; `runs` counts the entries' statistics of it, not runs."""

    tool: str
    runs: int
    tokens: float | None
    cost_usd: float | None
    latency_ms: float | None


@frozen(kw_only=True)
class EpochRollup:
    """One training epoch; `group_size_avg` is None if no entry names a size. Tools come in the order in which they first occurred."""

    epoch: float
    runs: int
    tool_calls: float | None
    token_total: float | None
    cost_usd: float | None
    latency_ms: float | None
    group_size_avg: float | None
    tools: tuple[ToolRollup, ...]


@frozen(kw_only=True)
class PerEpoch:
    """The epochs in ascending order, at least one."""

    epochs: tuple[EpochRollup, ...]
    updated_at: Timestamp


@frozen(kw_only=True)
class ValidationCounts:
    """How many entries' validation passed, failed for want of a snapshot, stalled at it, or needs a scenario made by hand."""

    passed: int
    failed: int
    stalled: int
    manual: int


@frozen(kw_only=True)
class ReviewerFigures:
    """What the reviewer did; the latency is a mean over the entries that have one, None without any."""

    rejections: float | None
    average_latency_ms: float | None


@frozen(kw_only=True)
class RegressionDetection:
    """How many regressions were found."""

    detected: float | None


@frozen(kw_only=True)
class PatternHygiene:
    """How many patterns were taken up, and how many given up."""

    promoted: float | None
    deprecated: float | None


@frozen(kw_only=True)
class Safety:
    """What guards the learning."""

    validation: ValidationCounts
    reviewer: ReviewerFigures
    regression_detection: RegressionDetection
    pattern_hygiene: PatternHygiene


@frozen(kw_only=True)
class Throughput:
    """How many candidates were found."""

    candidates: float | None


@frozen(kw_only=True)
class Alerts:
    """`total` is the sum of the entries' alerts; the others count entries with that status."""

    total: float | None
    snapshot_failed: int
    stalled_snapshot: int
    needs_manual_scenario: int


@frozen(kw_only=True)
class TaskState:
    """What the learning figures of all entries come to."""

    updated_at: Timestamp
    safety: Safety
    throughput: Throughput
    alerts: Alerts


RollupDocument = Baseline | PostRollout | Completeness | PerEpoch | MttrDelta | TaskState


@frozen(kw_only=True)
class Rollups:
    """The documents to be written, the baseline before what is measured against it; None where nothing is to be written."""

    baseline: Baseline | None = None
    post_rollout: PostRollout | None = None
    completeness: Completeness | None = None
    per_epoch: PerEpoch | None = None
    mttr_delta: MttrDelta | None = None
    state: TaskState | None = None

    def __iter__(self) -> Iterator[RollupDocument]:
        """Those that are to be written, in order."""
        every = (self.baseline, self.post_rollout, self.completeness, self.per_epoch, self.mttr_delta, self.state)
        return (document for document in every if document is not None)
