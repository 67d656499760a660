"""Whether a run's guardrail commands ran and how they ended."""

from orchestrator_py.lean import frozen
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class GuardrailCounts:
    """Guardrail commands of one run; `other` are those that have not ended."""

    total: int
    succeeded: int
    failed: int
    skipped: int
    other: int


@frozen(kw_only=True)
class GuardrailStatus:
    """Keys in the contract's order. `recommendation` and `summary` are the contract's fixed texts."""

    present: bool
    recommendation: str | None
    summary: str
    computed_at: Timestamp
    counts: GuardrailCounts
