"""What agents answer about an attempt that the engine has ended, and the report that a lane makes of it with the package's own rules."""

from orchestrator_py.core.answers import accept_build, accept_review, accept_test, complete_results
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.model.execution import Execution, Loss, LossKind
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestResult
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.task import Mode
from orchestrator_py.model.timestamp import Timestamp


def create_report(subtask_id: str, run_id: RunId, outcome: Outcome, attempts: tuple[AttemptReport, ...], at: Timestamp) -> SubtaskReport:
    """`outcome` is only what the agents answer; what it comes to is the package's word."""
    answer = BuildResult(subtask_id=subtask_id, success=outcome is not Outcome.FAILED, execution=_execution(outcome))
    build, word = accept_build(answer, subtask_id=subtask_id, mode=Mode.MCP, run_id=run_id)
    test, review = None, None
    if word is Outcome.SUCCEEDED:
        test, word = accept_test(TestResult(subtask_id=subtask_id, success=True), subtask_id=subtask_id, run_id=run_id)
    if word is Outcome.SUCCEEDED:
        decision = ReviewDecision(approved=outcome is not Outcome.REJECTED)
        review, word = accept_review(ReviewResult(summary="", decision=decision))
    results = complete_results(build, test, review, subtask_id=subtask_id, mode=Mode.MCP, run_id=run_id, cause=None)
    return SubtaskReport(
        subtask_id=SubtaskId(subtask_id),
        outcome=word,
        started_at=attempts[0].started_at,
        completed_at=at,
        attempts=attempts,
        build=results[0],
        test=results[1],
        review=results[2],
    )


def loss_of(outcome: Outcome) -> Loss | None:
    """Here nothing crashes but what was lost with its worker."""
    return Loss(LossKind.WORKER, "the worker died; it may or may not have run") if outcome is Outcome.CRASHED else None


def _execution(outcome: Outcome) -> Execution | None:
    """Of a worker that died nobody knows an exit code."""
    loss = loss_of(outcome)
    return None if loss is None else Execution(loss=loss)
