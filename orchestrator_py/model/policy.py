"""How often and how long a subtask may try."""

from collections.abc import Iterable
from datetime import timedelta

from attrs import field
from attrs.validators import ge

from orchestrator_py.lean import frozen
from orchestrator_py.model.outcome import Outcome

RETRYABLE = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CRASHED})


def _words(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(sorted(outcome.value for outcome in outcomes))


def _as_set(outcomes: Iterable[Outcome]) -> frozenset[Outcome]:
    return frozenset(outcomes)


@frozen(kw_only=True)
class RetryPolicy:
    """Up to `max_attempts` attempts, `backoff` before each further one, only after an outcome in `on`.

    A cancelled attempt is never repeated, whatever `on` says: it may hold `failed`, `timed_out` and `crashed` alone.
    """

    max_attempts: int = field(default=1, validator=ge(1))
    backoff: timedelta = field(default=timedelta(), validator=ge(timedelta()))
    on: frozenset[Outcome] = field(default=RETRYABLE, converter=_as_set)

    @on.validator
    def _only_retryable(self, _: object, value: frozenset[Outcome]) -> None:
        if other := value - RETRYABLE:
            raise ValueError(f"a retry may follow {_words(RETRYABLE)}; not {_words(other)}")

    def allows_another(self, *, attempt: int, outcome: Outcome) -> bool:
        """Whether attempt number `attempt` (from 1) that ended with `outcome` may be followed by another."""
        return attempt < self.max_attempts and outcome in self.on


ONCE = RetryPolicy()


@frozen(kw_only=True)
class SubtaskPolicy:
    """The rules one subtask runs under; none of it appears in the run summary.

    `needs`: ids of items whose build and test must succeed first. `allow_failure`: a failure counts as succeeded, the raw word stays
    visible. `timeout`: for one attempt, all its stages together.
    """

    needs: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    allow_failure: bool = False
    retry: RetryPolicy = ONCE
    timeout: timedelta | None = None
