"""What all runs of a task come to: how many succeeded, which fields their entries lacked, how long they took."""

from collections.abc import Mapping

from orchestrator_py.core.figures import is_figure, printable
from orchestrator_py.lean import define
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.rollups import Baseline, Completeness, MissingCounts, MttrDelta, PostRollout
from orchestrator_py.model.timestamp import Timestamp

_LEAST_COMPLETION_RATE = 0.95
_MISSING_RATIO_LIMIT = 0.05
_LARGEST_SHARE_OF_BASELINE = 0.6
_CHECKED_FIELDS = ("instance_stats", "privacy_events", "control_plane_status")


@define(kw_only=True)
class RunTotals:
    """Counts over all entries; durations are seconds, summed in the order of the entries."""

    runs: int = 0
    succeeded: int = 0
    without_instance_stats: int = 0
    without_privacy_events: int = 0
    without_control_plane_status: int = 0
    timed: int = 0
    duration_seconds: float = 0.0

    def add(self, entry: Mapping[str, object]) -> None:
        self.runs += 1
        self.succeeded += entry.get("status") == "succeeded"
        self.without_instance_stats += _lacks_items(entry.get("instance_stats"))
        self.without_privacy_events += _lacks_items(entry.get("privacy_events"))
        self.without_control_plane_status += entry.get("control_plane_status") in (None, False, 0, "", "unknown")
        duration = entry.get("duration_seconds")
        if is_figure(duration):
            self.timed += 1
            self.duration_seconds += duration

    def post_rollout(self, updated_at: Timestamp) -> PostRollout:
        rate = self.succeeded / self.runs
        return PostRollout(
            total_runs=self.runs,
            succeeded_runs=self.succeeded,
            completion_rate=rate,
            meets_threshold=rate >= _LEAST_COMPLETION_RATE,
            updated_at=updated_at,
        )

    def completeness(self, updated_at: Timestamp) -> Completeness:
        missing = self.without_instance_stats + self.without_privacy_events + self.without_control_plane_status
        ratio = missing / (len(_CHECKED_FIELDS) * self.runs)
        return Completeness(
            checked_fields=_CHECKED_FIELDS,
            missing_counts=MissingCounts(
                instance_stats=self.without_instance_stats,
                privacy_events=self.without_privacy_events,
                control_plane_status=self.without_control_plane_status,
            ),
            missing_field_ratio=ratio,
            meets_threshold=ratio < _MISSING_RATIO_LIMIT,
            updated_at=updated_at,
        )

    def mttr_delta(self, baseline: Baseline, updated_at: Timestamp) -> MttrDelta | None:
        """The mean duration against the baseline's, or against itself if that is no number; None if no entry has a duration."""
        if not self.timed:
            return None
        current = self.duration_seconds / self.timed
        before = baseline.duration_seconds if is_figure(baseline.duration_seconds) else current
        return MttrDelta(
            baseline_mttr_seconds=printable(before),
            current_mttr_seconds=printable(current),
            reduction_percent=printable((before - current) / before) if before > 0 else 0,
            meets_threshold=before <= 0 or current <= before * _LARGEST_SHARE_OF_BASELINE,
            updated_at=updated_at,
        )


def create_baseline(entry: Mapping[str, object]) -> Baseline:
    """The first entry as the mark that later ones are measured against; what the entry lacks is absent."""
    return Baseline(
        run_id=entry.get("run_id", ABSENT),
        recorded_at=entry.get("recorded_at", ABSENT),
        status=entry.get("status", ABSENT),
        duration_seconds=entry.get("duration_seconds", ABSENT),
        completion_rate=int(entry.get("status") == "succeeded"),
    )


def _lacks_items(value: object) -> bool:
    return not (isinstance(value, list) and value)
