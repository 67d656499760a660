"""Task and plan as JSON: camelCase keys, unknown keys kept, policies left inside."""

from orchestrator_py.core.codec.strict import Converter, shape
from orchestrator_py.model.task import PlanItem, PlanResult, TaskContext

_POLICY = frozenset({"policy"})


def add_task_shapes(converter: Converter) -> None:
    """TaskContext, PlanItem and PlanResult."""
    shape(converter, TaskContext, keys="camel", extra=True)
    shape(
        converter,
        PlanItem,
        keys="camel",
        renamed={"requires_cloud": "requires_cloud", "requires_cloud_alias": "requiresCloud"},
        hidden=_POLICY,
        extra=True,
    )
    shape(converter, PlanResult, keys="camel", extra=True)
