"""How often and how long a subtask may try."""

from collections.abc import Iterable
from datetime import timedelta

from orchestrator_py.lean import field, frozen
from orchestrator_py.model.outcome import Outcome

LONGEST_PAUSE = timedelta(hours=1)
"""Where a growing pause stops, if the policy does not say it."""

RETRYABLE = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CRASHED})


def _words(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(sorted(outcome.value for outcome in outcomes))


def _refuse_other(name: str, value: object) -> None:
    if value is not None and not isinstance(value, timedelta):
        raise ValueError(f"{name} must be a timedelta or None: {value!r:.80}")


def _as_names(names: Iterable[str]) -> tuple[str, ...]:
    """A text is taken for one name that was meant to stand in a list, and not for its letters."""
    given = (names,) if isinstance(names, str) else tuple(names)
    if isinstance(names, str) or not all(isinstance(name, str) for name in given):
        raise ValueError(f"needs and resources must be lists of names: {names!r:.80}")
    return given


def _as_set(outcomes: Iterable[Outcome]) -> frozenset[Outcome]:
    return frozenset(outcomes)


@frozen(kw_only=True)
class RetryPolicy:
    """Up to `max_attempts` attempts, a pause before each further one, only after an outcome in `on`.

    The first pause is `backoff`, each later one `backoff_factor` times as long, until `max_backoff`. With `jitter` a random part is taken
    away from each, half of it at most, so that what failed together does not come back together.
    A cancelled attempt is never repeated, whatever `on` says: it may hold `failed`, `timed_out` and `crashed` alone.
    """

    max_attempts: int = 1
    backoff: timedelta = timedelta()
    backoff_factor: float = 1.0
    max_backoff: timedelta | None = None
    jitter: bool = False
    on: frozenset[Outcome] = field(default=RETRYABLE, converter=_as_set)

    def __attrs_post_init__(self) -> None:
        for name, least in (("max_attempts", 1), ("backoff", timedelta()), ("backoff_factor", 1)):
            if not getattr(self, name) >= least:  # refuses what is no number, too
                raise ValueError(f"{name} must be at least {least}: {getattr(self, name)}")
        _refuse_other("max_backoff", self.max_backoff)
        if other := self.on - RETRYABLE:
            raise ValueError(f"a retry may follow {_words(RETRYABLE)}; not {_words(other)}")

    def allows_another(self, *, attempt: int, outcome: Outcome) -> bool:
        """Whether attempt number `attempt` (from 1) that ended with `outcome` may be followed by another."""
        return attempt < self.max_attempts and outcome in self.on

    def pause_after(self, attempt: int, chance: float) -> timedelta:
        """How long to wait after attempt number `attempt` (from 1). `chance`, from 0 to 1, is how much of what is random is taken away."""
        longest = max(self.backoff, LONGEST_PAUSE) if self.max_backoff is None else self.max_backoff
        pause = min(self.backoff, longest)
        for _ in range(attempt - 1):
            if pause >= longest or self.backoff_factor == 1 or not pause:
                break
            pause = longest if longest / pause < self.backoff_factor else pause * self.backoff_factor
        return pause * (1 - chance / 2) if self.jitter else pause


ONCE = RetryPolicy()


@frozen(kw_only=True)
class SubtaskPolicy:
    """The rules one subtask runs under; none of it appears in the run summary.

    `needs`: ids of items whose build and test must succeed first. `allow_failure`: a failure counts as succeeded, the raw word stays
    visible. `timeout`: for one attempt, all its stages together. `resources`: names of which the subtask holds one unit each, from the
    start of its first attempt to the end of its last.
    """

    needs: tuple[str, ...] = field(default=(), converter=_as_names)
    allow_failure: bool = False
    retry: RetryPolicy = ONCE
    timeout: timedelta | None = None
    resources: tuple[str, ...] = field(default=(), converter=_as_names)

    def __attrs_post_init__(self) -> None:
        _refuse_other("timeout", self.timeout)
        if not isinstance(self.retry, RetryPolicy):
            raise ValueError(f"retry must be a RetryPolicy: {self.retry!r:.80}")


@frozen(kw_only=True)
class VerdictRules:
    """What a run does not let pass. `strict`: a waived failure counts as what it is. `fail_on_flaky`: a success after a retry as failed.

    They change the verdict and everything that is made of it, never what is run: a waived failure still satisfies those that need it.
    """

    strict: bool = False
    fail_on_flaky: bool = False


LENIENT = VerdictRules()
