"""Somebody has let pass what a guard has found."""

from orchestrator_py.lean import frozen
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class Approval:
    """`actor` is the guard that was overruled; keys are the contract's."""

    actor: str
    timestamp: Timestamp
    reason: str
