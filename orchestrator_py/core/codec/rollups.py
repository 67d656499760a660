"""The rollup documents as JSON, in both directions: snake_case keys in the order of the fields."""

from orchestrator_py.core.codec.strict import Converter, shape
from orchestrator_py.model.rollups import (
    Alerts,
    Baseline,
    Completeness,
    EpochRollup,
    MissingCounts,
    MttrDelta,
    PatternHygiene,
    PerEpoch,
    PostRollout,
    RegressionDetection,
    ReviewerFigures,
    Safety,
    TaskState,
    Throughput,
    ToolRollup,
    ValidationCounts,
)

_DOCUMENTS = (PostRollout, Completeness, PerEpoch, MttrDelta, TaskState)
_PARTS = (
    MissingCounts,
    ToolRollup,
    EpochRollup,
    ValidationCounts,
    ReviewerFigures,
    RegressionDetection,
    PatternHygiene,
    Safety,
    Throughput,
    Alerts,
)


def add_rollup_shapes(converter: Converter) -> None:
    """The six documents and their parts. A baseline may come from anywhere: any object is one."""
    shape(converter, Baseline, keys="snake", extra=True)
    for part in (*_PARTS, *_DOCUMENTS):
        shape(converter, part, keys="snake")
