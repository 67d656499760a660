"""What the learning figures of all entries come to: the rollup of safety, throughput and alerts."""

from collections.abc import Mapping

from orchestrator_py.core.figures import figure, is_figure, printable
from orchestrator_py.lean import define
from orchestrator_py.model.rollups import (
    Alerts,
    PatternHygiene,
    RegressionDetection,
    ReviewerFigures,
    Safety,
    TaskState,
    Throughput,
    ValidationCounts,
)
from orchestrator_py.model.timestamp import Timestamp


@define(kw_only=True)
class LearningTotals:
    """Counts are entries with that status; sums add the entries' own figures; latencies are milliseconds."""

    validated: int = 0
    validation_snapshot_failed: int = 0
    validation_stalled: int = 0
    validation_manual: int = 0
    snapshot_failed: int = 0
    snapshot_stalled: int = 0
    timed_reviews: int = 0
    review_latency_ms: float = 0.0
    review_rejections: float = 0.0
    regressions_detected: float = 0.0
    patterns_promoted: float = 0.0
    patterns_deprecated: float = 0.0
    throughput_candidates: float = 0.0
    alerts: float = 0.0

    def add(self, entry: Mapping[str, object]) -> None:
        self._count_statuses(entry.get("learning_validation_status"), entry.get("learning_snapshot_status"))
        latency = entry.get("learning_review_latency_ms")
        if is_figure(latency):
            self.timed_reviews += 1
            self.review_latency_ms += latency
        self.review_rejections += figure(entry.get("learning_review_rejections"))
        self.regressions_detected += figure(entry.get("learning_regressions_detected"))
        self.patterns_promoted += figure(entry.get("learning_pattern_promoted"))
        self.patterns_deprecated += figure(entry.get("learning_pattern_deprecated"))
        self.throughput_candidates += figure(entry.get("learning_throughput_candidates"))
        self.alerts += figure(entry.get("learning_alerts"))

    def _count_statuses(self, validation: object, snapshot: object) -> None:
        self.validated += validation == "validated"
        self.validation_snapshot_failed += validation == "snapshot_failed"
        self.validation_stalled += validation == "stalled_snapshot"
        self.validation_manual += validation == "needs_manual_scenario"
        self.snapshot_failed += snapshot == "snapshot_failed"
        self.snapshot_stalled += snapshot == "stalled_snapshot"

    def state(self, updated_at: Timestamp) -> TaskState:
        latency = printable(self.review_latency_ms / self.timed_reviews) if self.timed_reviews else None
        return TaskState(
            updated_at=updated_at,
            safety=Safety(
                validation=ValidationCounts(
                    passed=self.validated,
                    failed=self.validation_snapshot_failed,
                    stalled=self.validation_stalled,
                    manual=self.validation_manual,
                ),
                reviewer=ReviewerFigures(rejections=printable(self.review_rejections), average_latency_ms=latency),
                regression_detection=RegressionDetection(detected=printable(self.regressions_detected)),
                pattern_hygiene=PatternHygiene(promoted=printable(self.patterns_promoted), deprecated=printable(self.patterns_deprecated)),
            ),
            throughput=Throughput(candidates=printable(self.throughput_candidates)),
            alerts=Alerts(
                total=printable(self.alerts),
                snapshot_failed=self.snapshot_failed,
                stalled_snapshot=self.snapshot_stalled,
                needs_manual_scenario=self.validation_manual,
            ),
        )
