"""From what an agent answered, whatever that is, to a result and its word. Agents are the caller's code: nothing is taken on trust.

A result of the wrong type, or one that no summary could hold, is `crashed`: a malformed answer is no answer.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from orchestrator_py.core import fixed_texts
from orchestrator_py.core.codec.printable import find_unprintable
from orchestrator_py.core.outcome import build_outcome, review_outcome, test_outcome
from orchestrator_py.ids import RunId
from orchestrator_py.lean import evolve, maker
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestResult
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import Mode, PlanItem, PlanResult

T = TypeVar("T")
R = TypeVar("R", BuildResult, TestResult, ReviewResult)
Results = tuple[BuildResult, TestResult, ReviewResult]

_make_build, _make_test = maker(BuildResult), maker(TestResult)

_FEW_LETTERS = 80


def accept_plan(answer: object) -> PlanResult | str:
    """The planner's answer, or the message of what is wrong with it."""
    match answer:
        case BaseException():
            return fixed_texts.error_message(answer)
        case PlanResult(items=items) if all(map(_is_item, items)):
            return find_unprintable(answer) or owned_plan(answer)
        case _:
            return fixed_texts.NOT_A_PLAN


def _is_item(value: object) -> bool:
    match value:
        case PlanItem(id=str(), policy=SubtaskPolicy()):
            return True
    return False


def accept_build(answer: object, *, subtask_id: str, mode: Mode, run_id: RunId) -> tuple[BuildResult, Outcome]:
    """The builder's result, `mode` and `run_id` overwritten; an exception has failed."""
    if not isinstance(answer, BuildResult):
        message, word = _instead(answer, fixed_texts.NOT_A_BUILD)
        return fixed_texts.builder_error(subtask_id, message, mode=mode, run_id=run_id), word
    problem = _problem_of_build(answer)
    if problem is not None:
        return fixed_texts.builder_error(subtask_id, problem, mode=mode, run_id=run_id), Outcome.CRASHED
    build = _make_build(
        subtask_id=answer.subtask_id,
        artifacts=answer.artifacts,
        mode=mode,
        run_id=run_id,
        success=answer.success,
        notes=answer.notes,
        extra=_owned(answer.extra) if answer.extra else NO_EXTRA,
        execution=answer.execution,
    )
    return build, build_outcome(build)


def accept_test(answer: object, *, subtask_id: str, run_id: RunId) -> tuple[TestResult, Outcome]:
    """The tester's result, `run_id` overwritten; an exception has failed. The contract takes any truth for `success`."""
    if not isinstance(answer, TestResult):
        message, word = _instead(answer, fixed_texts.NOT_A_TEST)
        return fixed_texts.tester_error(subtask_id, message, run_id=run_id), word
    problem = find_unprintable(answer) if _has_execution(answer) else fixed_texts.NOT_A_TEST
    if problem is not None:
        return fixed_texts.tester_error(subtask_id, problem, run_id=run_id), Outcome.CRASHED
    test = _make_test(
        subtask_id=answer.subtask_id,
        success=answer.success,
        reports=answer.reports,
        run_id=run_id,
        extra=_owned(answer.extra) if answer.extra else NO_EXTRA,
        execution=answer.execution,
    )
    return test, test_outcome(test)


def accept_review(answer: object) -> tuple[ReviewResult, Outcome]:
    """The reviewer's result, unchanged. A reviewer that gave no answer did not say no: it crashed."""
    if not isinstance(answer, ReviewResult):
        return fixed_texts.reviewer_error(_instead(answer, fixed_texts.NOT_A_REVIEW)[0]), Outcome.CRASHED
    problem = _problem_of_review(answer)
    if problem is not None:
        return fixed_texts.reviewer_error(problem), Outcome.CRASHED
    review = _owned_review(answer)
    return review, review_outcome(review)


# These are asked of every answer: a `match` of the same makes all of it a quarter longer. What an agent made may lack any field.


def _instead(answer: object, message: str) -> tuple[str, Outcome]:
    """What is said of an answer that is no result: an exception has failed with its own message."""
    return (fixed_texts.error_message(answer), Outcome.FAILED) if isinstance(answer, BaseException) else (message, Outcome.CRASHED)


def _problem_of_build(answer: BuildResult) -> str | None:
    if not isinstance(getattr(answer, "subtask_id", None), str):
        return fixed_texts.NOT_A_BUILD
    if isinstance(getattr(answer, "success", None), bool) and _has_execution(answer):
        return find_unprintable(answer)
    return fixed_texts.BUILD_WITHOUT_SUCCESS


def _problem_of_review(answer: ReviewResult) -> str | None:
    if isinstance(getattr(answer, "decision", None), ReviewDecision) and _has_execution(answer):
        return find_unprintable(answer)
    return fixed_texts.NOT_A_REVIEW


def _has_execution(answer: object) -> bool:
    """That of a command, or None."""
    execution = getattr(answer, "execution", answer)
    return execution is None or isinstance(execution, Execution)


def _owned_review(review: ReviewResult) -> ReviewResult:
    """One object for all that say the same few words: there is one to each subtask of a long run, and it cannot be changed."""
    decision = review.decision
    says_more = decision.feedback is not None or review.execution is not None or review.extra
    if says_more or type(review) is not ReviewResult or type(decision) is not ReviewDecision:
        return owned_result(review)
    summary: object = review.summary  # agents are not checked for types
    approved: object = decision.approved
    if type(summary) is str and type(approved) is bool and len(summary) <= _FEW_LETTERS:
        return _review_in_few_words(summary, approved)
    return owned_result(review)


@lru_cache
def _review_in_few_words(summary: str, approved: bool) -> ReviewResult:
    return ReviewResult(summary=summary, decision=ReviewDecision(approved=approved))


def owned_result(result: R) -> R:
    """For agents and subscribers, which may change what they are given: what is on record is not that. NO_EXTRA cannot be changed."""
    return result if result.extra is NO_EXTRA else evolve(result, extra=_owned(result.extra))


def owned_report(report: SubtaskReport) -> SubtaskReport:
    """As `owned_result`."""
    build, test, review = report.build, report.test, report.review
    if all(result is None or result.extra is NO_EXTRA for result in (build, test, review)):
        return report
    return evolve(report, build=build and owned_result(build), test=test and owned_result(test), review=review and owned_result(review))


def owned_plan(plan: PlanResult) -> PlanResult:
    """As `owned_result`."""
    if plan.extra is NO_EXTRA and not any(item.extra is not NO_EXTRA or _is_mapping(item.metadata) for item in plan.items):
        return plan
    items = (evolve(item, metadata=_owned(item.metadata), extra=_owned(item.extra)) for item in plan.items)
    return evolve(plan, items=items, extra=_owned(plan.extra))


def _is_mapping(metadata: object) -> bool:
    """Most items have none, and the search for a mapping of another kind takes long."""
    return metadata is not ABSENT and isinstance(metadata, Mapping)


def _owned(data: T) -> T:
    """JSON data that an agent holds and may still change: a copy, since it is printed later, in another thread."""
    copied: Any = data
    match data:
        case None | str() | int() | float():
            pass  # first, as the search for a mapping of another kind takes long
        case list():
            copied = [_owned(value) for value in data]
        case tuple():
            copied = tuple(_owned(value) for value in data)
        case dict() | Mapping():
            copied = {key: _owned(value) for key, value in data.items()}
    return copied  # type: ignore[no-any-return]  # it is what it was


def complete_results(
    build: BuildResult | None,
    test: TestResult | None,
    review: ReviewResult | None,
    *,
    subtask_id: str,
    mode: Mode,
    run_id: RunId,
    cause: StopCause | None,
) -> Results:
    """All three results: what did not run carries the fixed words, what was ended says by what.

    With a cause the last stage never reads as a success, even if its agent answered after all.
    """
    if build is None:
        build = fixed_texts.failed_build(subtask_id, fixed_texts.stop_text("Builder", cause), mode=mode, run_id=run_id)
    if build_outcome(build) is not Outcome.SUCCEEDED:
        return build, fixed_texts.test_skipped_after(build, run_id), fixed_texts.review_skipped_after_build()
    if test is None:
        test = fixed_texts.failed_test(build.subtask_id, fixed_texts.stop_text("Tester", cause), run_id=run_id)
    if test_outcome(test) is not Outcome.SUCCEEDED:
        return build, test, fixed_texts.review_skipped_after_test()
    if review is None or cause is not None:
        text = fixed_texts.stop_text("Reviewer", cause)
        review = fixed_texts.declined_review(text, text)
    return build, test, review
