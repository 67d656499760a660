"""Results that stand for stages that did not answer, in the words that consumers read; byte for byte the contract's."""

from orchestrator_py.core.json_text import compact_json
from orchestrator_py.ids import RunId
from orchestrator_py.model.outcome import StopCause, StopKind
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.task import Mode, PlanResult

PLANNER_UNAVAILABLE = "planner-unavailable"

BUILD_WITHOUT_SUCCESS = "Builder result missing success flag"
NOT_A_PLAN = "Planner strategy must return PlanResult.items"
NOT_A_BUILD = "Builder strategy must return a BuildResult with subtaskId"
NOT_A_TEST = "Tester strategy must return a TestResult with success flag"
NOT_A_REVIEW = "Reviewer strategy must include a decision"


def error_message(error: BaseException) -> str:
    """What an exception says; one that says nothing reads `{}`, as in the reference implementation."""
    return str(error) or compact_json({})


def failed_build(subtask_id: str, notes: str, *, mode: Mode, run_id: RunId) -> BuildResult:
    """The build of a builder that gave no result."""
    return BuildResult(subtask_id=subtask_id, success=False, mode=mode, run_id=run_id, notes=notes)


def builder_error(subtask_id: str, message: str, *, mode: Mode, run_id: RunId) -> BuildResult:
    """The build of a builder that raised."""
    return failed_build(subtask_id, f"Builder stage error: {message}", mode=mode, run_id=run_id)


def failed_test(subtask_id: str, details: str, *, run_id: RunId) -> TestResult:
    """The test of a tester that gave no result."""
    return TestResult(
        subtask_id=subtask_id, success=False, reports=(TestReport(name="tests", status="failed", details=details),), run_id=run_id
    )


def tester_error(subtask_id: str, message: str, *, run_id: RunId) -> TestResult:
    """The test of a tester that raised."""
    return failed_test(subtask_id, f"Tester stage error: {message}", run_id=run_id)


def reviewer_error(message: str) -> ReviewResult:
    """The review of a reviewer that raised."""
    return declined_review(f"Reviewer stage error: {message}", f"Reviewer stage error: {message}")


def declined_review(summary: str, feedback: str) -> ReviewResult:
    """A review that nobody approved."""
    return ReviewResult(summary=summary, decision=ReviewDecision(approved=False, feedback=feedback))


def test_skipped_after(build: BuildResult, run_id: RunId) -> TestResult:
    """The test that did not run since the build did not succeed."""
    return failed_test(build.subtask_id, "Skipped because the build stage failed.", run_id=run_id)


def review_skipped_after_build() -> ReviewResult:
    """The review that did not run since the build did not succeed."""
    return declined_review("Review skipped: build stage failed.", "Build stage failed; review skipped.")


def review_skipped_after_test() -> ReviewResult:
    """The review that did not run since the test did not succeed."""
    return declined_review("Review skipped: tests failed.", "Tests failed; review skipped.")


def planner_error_plan(message: str) -> PlanResult:
    """The plan of a planner that raised."""
    return PlanResult(items=(), notes=f"Planner stage error: {message}", target_id=None)


def stop_text(stage: str, cause: StopCause | None) -> str:
    """What stands where a stage was ended by us: `Builder stage timed out (5 s).`"""
    if cause is None:
        return f"{stage} stage cancelled."
    word = "timed out" if cause.kind is StopKind.TIMEOUT else "cancelled"
    return f"{stage} stage {word} ({cause.detail or cause.kind.value})."


def not_started_text(cause: StopCause | None) -> str:
    """What stands where the run was stopped before a subtask began."""
    return "Not started." if cause is None else f"Not started: the run was stopped ({cause})."


def flaky_text(attempts: int) -> str:
    """What stands for a success that the rules of the run do not let pass."""
    return f"Succeeded only at attempt {attempts}: flaky, which counts as failed."


def not_vouched_for_text(contradiction: str | None) -> str:
    """What stands where the record contradicts itself."""
    return f"The report cannot be vouched for: {contradiction or 'a subtask ended in an error'}."


CANCELLED_ITSELF = "ended in a cancellation that nobody asked for"
NOT_SELECTED = "Not selected."
NOTHING_STARTED = "No subtask was started."
