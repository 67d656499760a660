"""From facts to words: how an attempt, a subtask and a run ended.

The verdict is a maximum over a set of words: the same for every order of arrival, and a worse word never improves it.
"""

from collections.abc import Iterable

from orchestrator_py.lean import evolve
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.manifest import RunStatus
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.policy import RETRYABLE, VerdictRules
from orchestrator_py.model.result import BuildResult, ReviewResult, TestResult
from orchestrator_py.model.summary import SubtaskReport

# A real "no" outranks infrastructure words, and a stop ranks lowest among the bad ones: Ctrl-C never hides a failure.
RANK = (
    Outcome.SKIPPED,
    Outcome.SUCCEEDED,
    Outcome.CANCELLED,
    Outcome.CRASHED,
    Outcome.TIMED_OUT,
    Outcome.REJECTED,
    Outcome.FAILED,
    Outcome.ERROR,
)
_PLACE = {outcome: place for place, outcome in enumerate(RANK)}


NOT_STARTED_CODES = (126, 127)
"""How a shell tells that what it was to run could not be started."""
SIGNAL_CODES = range(129, 193)
"""How a shell tells that a signal has ended the last thing that it ran."""


def verdict(words: Iterable[Outcome]) -> Outcome:
    """The word of highest rank; nothing planned, or everything skipped, is `skipped`, which is not success."""
    return max(words, key=_PLACE.__getitem__, default=Outcome.SKIPPED)


def worse(one: Outcome, other: Outcome) -> Outcome:
    """Of two words the one of higher rank."""
    return max(one, other, key=_PLACE.__getitem__)


def execution_outcome(execution: Execution, cause: StopCause | None = None) -> Outcome:
    """The word for a command's end. A stop cause that was recorded before the end wins, even if the process then exited 0."""
    if cause is not None:
        return cause.outcome
    if execution.child_outcome is not None:
        return Outcome.FAILED if execution.child_outcome is Outcome.SKIPPED else execution.child_outcome  # nothing ran: no success
    if execution.loss is not None:
        return Outcome.CRASHED
    if execution.stopped:
        return Outcome.CANCELLED
    if execution.exit_code is None or execution.signal is not None or execution.spawn_error is not None:
        return Outcome.CRASHED
    return Outcome.SUCCEEDED if execution.exit_code == 0 else Outcome.FAILED


def build_outcome(build: BuildResult) -> Outcome:
    """The word for a build that answered: its own flag, or what its command's end says if that is worse."""
    word = Outcome.SUCCEEDED if build.success else Outcome.FAILED
    return word if build.execution is None else _observed_or(word, build.execution)


def test_outcome(test: TestResult) -> Outcome:
    """The word for a test that answered."""
    word = Outcome.SUCCEEDED if test.success else Outcome.FAILED
    return word if test.execution is None else _observed_or(word, test.execution)


def review_outcome(review: ReviewResult) -> Outcome:
    """The word for a review that answered: not approved is `rejected`, a reviewer that died, or never began, is `crashed`, never "no"."""
    execution = review.execution
    if execution is not None:
        if execution.exit_code in NOT_STARTED_CODES or execution.exit_code in SIGNAL_CODES:
            return Outcome.CRASHED
        if (crash := execution_outcome(execution)) in (Outcome.CRASHED, Outcome.CANCELLED):
            return crash
    return Outcome.SUCCEEDED if review.decision.approved else Outcome.REJECTED


def _observed_or(word: Outcome, execution: Execution) -> Outcome:
    observed = execution_outcome(execution)
    return word if observed is Outcome.SUCCEEDED else observed


def may_be_waived(outcome: Outcome) -> bool:
    """Whether `allowFailure` makes it count as succeeded: every bad word of its own, never a cancel."""
    return outcome in RETRYABLE or outcome is Outcome.REJECTED


def judge(report: SubtaskReport, rules: VerdictRules) -> SubtaskReport:
    """The report as the run's rules see it: what they do not let pass counts as something else than it would."""
    if rules.strict and report.waived:
        return evolve(report, counts_as=report.outcome)
    if rules.fail_on_flaky and report.flaky:
        return evolve(report, counts_as=Outcome.FAILED)
    return report


def satisfies_needs(report: SubtaskReport) -> bool:
    """Whether those that need this subtask may start: build and test succeeded, or the failure is waived. A review gates nothing."""
    if report.waived or report.outcome in (Outcome.SUCCEEDED, Outcome.REJECTED):
        return True
    built, tested = report.build, report.test
    return (
        built is not None
        and tested is not None
        and build_outcome(built) is Outcome.SUCCEEDED
        and test_outcome(tested) is Outcome.SUCCEEDED
        and report.outcome is not Outcome.CANCELLED
    )


def deciding(reports: Iterable[SubtaskReport], word: Outcome) -> SubtaskReport | None:
    """Whose build, test and review stand at the top: the first started one that carries the verdict's word, in plan order.

    When the verdict is `succeeded`, the last one, a waived failure only if nothing else did. None if no started one carries the word.
    """
    carriers = [report for report in reports if report.started and report.counted is word]
    if word is Outcome.SUCCEEDED:
        carriers = [report for report in carriers if not report.waived][-1:] or carriers[-1:]
    return carriers[0] if carriers else None


def run_status(outcome: Outcome) -> RunStatus:
    """The manifest's word for a verdict; it knows three terminal ones."""
    match outcome:
        case Outcome.SUCCEEDED:
            return RunStatus.SUCCEEDED
        case Outcome.CANCELLED:
            return RunStatus.CANCELLED
        case _:
            return RunStatus.FAILED


def stages_that_answered(report: SubtaskReport) -> int:
    """How many of build, test and review ran: the first that did not succeed was the last one."""
    if report.build is None or not report.started:
        return 0
    if build_outcome(report.build) is not Outcome.SUCCEEDED or report.test is None:
        return 1
    return 2 if test_outcome(report.test) is not Outcome.SUCCEEDED else 3
