"""The manifest as JSON: snake_case, every key of the first block always there, the last ones as they happen."""

from typing import Any

from orchestrator_py.core.codec.scheduler import scheduler_from_manifest, scheduler_to_manifest
from orchestrator_py.core.codec.strict import Converter, shape
from orchestrator_py.lean import fields
from orchestrator_py.model.assignment import SchedulerPlan
from orchestrator_py.model.guardrails import GuardrailCounts, GuardrailStatus
from orchestrator_py.model.manifest import ChildRun, CommandRecord, Manifest, ResumeEvent
from orchestrator_py.model.metrics import InstanceStat, MetricsEntry

_COME_LATER = frozenset({"scheduler", "guardrail_status", "extra"})


def add_manifest_shapes(converter: Converter) -> None:
    """The manifest and its parts, and the metrics entry made from it."""
    for part in (GuardrailCounts, GuardrailStatus, ChildRun, CommandRecord, InstanceStat):
        shape(converter, part, keys="snake", always="all")
    shape(converter, MetricsEntry, keys="snake", always="all", extra=True)
    shape(converter, ResumeEvent, keys="snake")
    converter.declare(SchedulerPlan, lambda: (_structure_scheduler, scheduler_to_manifest))
    shape(converter, Manifest, keys="snake", always=frozenset(field.name for field in fields(Manifest)) - _COME_LATER, extra=True)


def _structure_scheduler(data: object, _: Any) -> SchedulerPlan:
    return scheduler_from_manifest(data)
