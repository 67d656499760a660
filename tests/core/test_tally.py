"""The sentence that a run comes down to, and the reason behind each word of it."""

from datetime import timedelta

import pytest

from orchestrator_py.core.tally import by_whom, marks, tally, why
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.task import Mode
from orchestrator_py.model.timestamp import Timestamp

NOW = Timestamp("2025-12-21T14:02:47.637Z")
SIGINT = StopCause(StopKind.SIGNAL, "SIGINT")


def attempt(number: int) -> AttemptReport:
    return AttemptReport(number=number, outcome=Outcome.FAILED, started_at=NOW, completed_at=NOW, elapsed=timedelta(seconds=1))


def report(
    outcome: Outcome,
    *,
    build: Execution | None = None,
    build_notes: str | None = None,
    test: TestResult | None = None,
    review: ReviewResult | None = None,
    cause: StopCause | None = None,
    waived: bool = False,
    attempts: int = 1,
) -> SubtaskReport:
    """Of a subtask that was started."""
    ok = build is None or build.exit_code == 0
    return SubtaskReport(
        subtask_id=SubtaskId("p:a"),
        outcome=outcome,
        cause=cause,
        started_at=NOW,
        completed_at=NOW,
        attempts=tuple(attempt(number) for number in range(1, attempts + 1)),
        waived=waived,
        build=BuildResult(
            subtask_id="p:a", success=ok and build_notes is None, mode=Mode.MCP, run_id=RunId("r"), notes=build_notes, execution=build
        ),
        test=test,
        review=review,
    )


def unstarted(outcome: Outcome, cause: StopCause | None = None, reason: SkipReason | None = None) -> SubtaskReport:
    return SubtaskReport(subtask_id=SubtaskId("p:b"), outcome=outcome, cause=cause, skip_reason=reason)


def failing_test(details: str | None, execution: Execution | None = None) -> TestResult:
    reports = (TestReport(name="tests", status="failed", details=details),)
    return TestResult(subtask_id="p:a", success=False, reports=reports, run_id=RunId("r"), execution=execution)


def no(feedback: str | None) -> ReviewResult:
    return ReviewResult(summary="s", decision=ReviewDecision(approved=False, feedback=feedback))


def test_a_tally_counts_every_planned_subtask_once() -> None:
    reports = [
        report(Outcome.SUCCEEDED),
        report(Outcome.FAILED, build=Execution(exit_code=1), waived=True),
        report(Outcome.FAILED, build=Execution(exit_code=1)),
        report(Outcome.CANCELLED, cause=SIGINT),
        unstarted(Outcome.CANCELLED, SIGINT),
        unstarted(Outcome.SKIPPED, reason=SkipReason.UPSTREAM),
    ]
    assert tally(reports) == "succeeded 2, failed 1, cancelled 1, not started 2 of 6"
    assert tally([]) == "nothing planned of 0"


def test_marks_name_what_is_less_than_it_looks() -> None:
    waived = report(Outcome.TIMED_OUT, waived=True)
    flaky = report(Outcome.SUCCEEDED, attempts=3)
    assert marks([waived, flaky, report(Outcome.SUCCEEDED)]) == ("waived: p:a (timed out)", "flaky: p:a (3 attempts)")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (report(Outcome.SUCCEEDED, build=Execution(exit_code=0)), ""),
        (report(Outcome.FAILED, build=Execution(exit_code=3)), "exit code 3"),
        (report(Outcome.CRASHED, build=Execution(signal="SIGSEGV")), "ended by SIGSEGV"),
        (report(Outcome.CRASHED, build=Execution()), "ended without an exit code"),
        (report(Outcome.CRASHED, build=Execution(spawn_error="No such file")), "could not be started: No such file"),
        (
            report(Outcome.TIMED_OUT, build=Execution(child_run_id=RunId("c"), child_outcome=Outcome.TIMED_OUT)),
            "child run c timed out",
        ),
        (report(Outcome.FAILED, build_notes="Builder stage error: disk\nmore"), "Builder stage error: disk …"),
        (report(Outcome.FAILED, build=Execution(exit_code=0), test=failing_test("2 of 3")), "2 of 3"),
        (report(Outcome.FAILED, build=Execution(exit_code=0), test=failing_test("x", Execution(exit_code=4))), "exit code 4"),
        (report(Outcome.REJECTED, build=Execution(exit_code=0), review=no("too long\nand dull")), "too long …"),
        (report(Outcome.REJECTED, build=Execution(exit_code=0), review=no(None)), "no feedback"),
        (report(Outcome.CANCELLED, build=Execution(exit_code=0, stopped=True), cause=SIGINT), "SIGINT"),
        (
            report(Outcome.CANCELLED, build=Execution(stopped=True, leaked=True), cause=SIGINT),
            "SIGINT; its process group is still there",
        ),
        (
            report(Outcome.FAILED, build=Execution(child_run_id=RunId("c"), child_outcome=Outcome.FAILED), cause=SIGINT),
            "child run c failed",
        ),
        (unstarted(Outcome.SKIPPED, reason=SkipReason.UPSTREAM), "something it needs did not succeed"),
        (unstarted(Outcome.SKIPPED, reason=SkipReason.NOT_SELECTED), "not selected"),
        (
            unstarted(Outcome.SKIPPED, StopCause(StopKind.TIMEOUT, "5 s for the whole run"), SkipReason.DEADLINE),
            "the time was up, 5 s for the whole run",
        ),
        (unstarted(Outcome.CANCELLED, SIGINT), "SIGINT"),
    ],
)
def test_the_reason_behind_a_word(told: SubtaskReport, reason: str) -> None:
    assert why(told) == reason


def test_who_stopped_it() -> None:
    assert by_whom(StopCause(StopKind.TIMEOUT, "5 s")) == "its limit is 5 s"
    assert by_whom(StopCause(StopKind.FAILURE_POLICY, "p:a failed")) == "since p:a failed"
    assert by_whom(StopCause(StopKind.EMBEDDER)) == "embedder"
