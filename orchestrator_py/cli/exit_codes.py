"""Exit codes: derived from the verdict that is on record, never a count and never a child's own code."""

from orchestrator_py.errors import DefectError, InputError, OrchestratorError, PlanError, RunHeldError, StoreError

TYPE_CHECKING = False  # type checkers read the name; who is told an error does not wait for the words of outcomes
if TYPE_CHECKING:
    from orchestrator_py.model.outcome import Outcome

USAGE = 2
NOTHING_RAN = 5
DEFECT = 70
NOT_RECORDED = 74
HELD = 75

EXIT_CODES = """\
exit codes:
  0   succeeded
  1   failed
  2   wrong usage, or a configuration that cannot run; nothing was started
  3   rejected by a review
  4   timed out
  5   nothing ran
  6   crashed: killed by a signal, or could not be started
  8   cancelled without a signal
  70  the report cannot be vouched for; a defect of this program
  74  the run, or its report, could not be written
  75  the run is held by another live process
A run that SIGINT, SIGTERM or SIGHUP has cut short ends by that signal: a shell shows 130, 143, 129."""
"""What the help says of them."""

_CODES = {
    "succeeded": 0,
    "failed": 1,
    "rejected": 3,
    "timed_out": 4,
    "skipped": NOTHING_RAN,
    "crashed": 6,
    "cancelled": 8,
    "error": DEFECT,
}


def code_of_outcome(outcome: "Outcome") -> int:
    """The code of a run that no signal cut short."""
    return _CODES[outcome.value]


def code_of_word(word: str) -> int:
    """The code of a run of which the record says the word; how a lost one ended is not known, which is a crash."""
    return _CODES.get({"lost": "crashed", "nothing_ran": "skipped"}.get(word, word), DEFECT)


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
