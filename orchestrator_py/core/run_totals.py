"""What all runs of a task come to: how many succeeded, which fields their entries lacked, how long they took."""

from collections.abc import Mapping

from attrs import define

from orchestrator_py.core.figures import is_figure, printable

_LEAST_COMPLETION_RATE = 0.95
_MISSING_RATIO_LIMIT = 0.05
_LARGEST_SHARE_OF_BASELINE = 0.6
BASELINE_KEYS = frozenset({"run_id", "recorded_at", "status", "duration_seconds", "completion_rate"})
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

    def post_rollout(self) -> dict[str, object]:
        rate = self.succeeded / self.runs
        return {
            "total_runs": self.runs,
            "succeeded_runs": self.succeeded,
            "completion_rate": rate,
            "meets_threshold": rate >= _LEAST_COMPLETION_RATE,
        }

    def completeness(self) -> dict[str, object]:
        counts = (self.without_instance_stats, self.without_privacy_events, self.without_control_plane_status)
        ratio = sum(counts) / (len(_CHECKED_FIELDS) * self.runs)
        return {
            "checked_fields": list(_CHECKED_FIELDS),
            "missing_counts": dict(zip(_CHECKED_FIELDS, counts, strict=True)),
            "missing_field_ratio": ratio,
            "meets_threshold": ratio < _MISSING_RATIO_LIMIT,
        }

    def mttr_delta(self, baseline_seconds: object) -> dict[str, object] | None:
        """The mean duration against the baseline's; None if no entry has a duration. `reduction_percent` is a fraction."""
        if not self.timed:
            return None
        current = self.duration_seconds / self.timed
        baseline = baseline_seconds if is_figure(baseline_seconds) else current
        return {
            "baseline_mttr_seconds": printable(baseline),
            "current_mttr_seconds": printable(current),
            "reduction_percent": printable((baseline - current) / baseline) if baseline > 0 else 0,
            "meets_threshold": baseline <= 0 or current <= baseline * _LARGEST_SHARE_OF_BASELINE,
        }


def create_baseline(entry: Mapping[str, object]) -> dict[str, object]:
    """The first entry as the mark that later ones are measured against; what the entry lacks is left out."""
    kept = {key: entry[key] for key in ("run_id", "recorded_at", "status", "duration_seconds") if key in entry}
    return {**kept, "completion_rate": int(entry.get("status") == "succeeded")}


def _lacks_items(value: object) -> bool:
    return not (isinstance(value, list) and value)
