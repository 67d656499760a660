"""The words for how work ended, and the facts that a word is derived from."""

from enum import Enum

from orchestrator_py.lean import frozen


class Outcome(Enum):
    """A terminal word, written once. `ERROR` belongs to runs only: the report itself cannot be vouched for."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    ERROR = "error"


class SkipReason(Enum):
    """Why a subtask never started."""

    UPSTREAM = "upstream"
    CONDITION = "condition"
    NOT_SELECTED = "not_selected"
    REUSED = "reused"
    DEADLINE = "deadline"


class StopKind(Enum):
    """Who asked for a stop."""

    TIMEOUT = "timeout"
    SIGNAL = "signal"
    EMBEDDER = "embedder"
    FAILURE_POLICY = "failure_policy"


@frozen
class StopCause:
    """Why work was ended. It is recorded before any signal is sent; the first recorded cause wins."""

    kind: StopKind
    detail: str = ""

    @property
    def outcome(self) -> Outcome:
        """The word of work that this cause ended."""
        return Outcome.TIMED_OUT if self.kind is StopKind.TIMEOUT else Outcome.CANCELLED

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value


class FailurePolicy(Enum):
    """What a failed subtask does to the others: start nothing new, also end the running ones, or nothing."""

    STOP = "stop"
    CANCEL = "cancel"
    CONTINUE = "continue"
