"""Exit codes: derived from the verdict that is on record, never a count and never a child's own code."""

from orchestrator_py.errors import DefectError, InputError, OrchestratorError, PlanError, RunHeldError, StoreError
from orchestrator_py.model.outcome import Outcome

USAGE = 2
NOTHING_RAN = 5
DEFECT = 70
NOT_RECORDED = 74
HELD = 75

_CODES = {
    Outcome.SUCCEEDED: 0,
    Outcome.FAILED: 1,
    Outcome.REJECTED: 3,
    Outcome.TIMED_OUT: 4,
    Outcome.SKIPPED: NOTHING_RAN,
    Outcome.CRASHED: 6,
    Outcome.CANCELLED: 8,
    Outcome.ERROR: DEFECT,
}


def code_of_outcome(outcome: Outcome) -> int:
    """The code of a run that no signal cut short."""
    return _CODES[outcome]


def code_of_error(error: OrchestratorError) -> int:
    """The code of a call that ended without a verdict on record."""
    match error:
        case InputError():
            return USAGE
        case PlanError():
            return NOTHING_RAN
        case StoreError():
            return NOT_RECORDED
        case RunHeldError():
            return HELD
        case DefectError():
            return DEFECT
        case _:
            return DEFECT
