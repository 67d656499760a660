"""What an agent answered is taken over as it is, but for what the manager knows better."""

from typing import Any

import pytest

from orchestrator_py.core.answers import accept_build, accept_review, accept_test
from orchestrator_py.ids import RunId
from orchestrator_py.lean import evolve, fields
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.result import BuildArtifact, BuildResult, ReviewDecision, ReviewResult, TestReport, TestResult
from orchestrator_py.model.task import Mode

RUN = RunId("run")


def test_a_build_keeps_every_field_but_mode_and_run() -> None:
    answer = BuildResult(
        subtask_id="s",
        artifacts=[BuildArtifact(path="a.txt")],
        mode=Mode.MCP,
        run_id=RunId("other"),
        success=True,
        notes="done",
        extra={"more": [1]},
        execution=Execution(exit_code=0),
    )
    taken, word = accept_build(answer, subtask_id="s", mode=Mode.CLOUD, run_id=RUN)
    assert word is Outcome.SUCCEEDED
    assert taken == evolve(answer, mode=Mode.CLOUD, run_id=RUN)
    assert all(getattr(answer, one.name) != one.default for one in fields(BuildResult) if one.name != "mode")


def test_a_test_keeps_every_field_but_the_run() -> None:
    answer = TestResult(
        subtask_id="s",
        success=True,
        reports=[TestReport(name="unit", status="passed")],
        run_id=RunId("other"),
        extra={"more": [1]},
        execution=Execution(exit_code=0),
    )
    taken, word = accept_test(answer, subtask_id="s", run_id=RUN)
    assert word is Outcome.SUCCEEDED
    assert taken == evolve(answer, run_id=RUN)
    assert all(getattr(answer, one.name) != one.default for one in fields(TestResult))


YES = ReviewDecision(approved=True)


@pytest.mark.parametrize(
    "answer",
    [
        ReviewResult(summary="", decision=YES),
        ReviewResult(summary="fine", decision=ReviewDecision(approved=False)),
        ReviewResult(summary="fine", decision=ReviewDecision(approved=False, feedback="more tests")),
        ReviewResult(summary="a long story " * 100, decision=YES),
        ReviewResult(summary="fine", decision=YES, extra={"more": [1]}),
        ReviewResult(summary="fine", decision=YES, execution=Execution(exit_code=0)),
    ],
)
def test_a_review_keeps_every_field(answer: ReviewResult) -> None:
    assert accept_review(answer) == (answer, Outcome.SUCCEEDED if answer.decision.approved else Outcome.REJECTED)


@pytest.mark.parametrize(("approved", "word"), [(1, Outcome.SUCCEEDED), (0, Outcome.REJECTED), (None, Outcome.REJECTED)])
def test_a_decision_that_is_no_flag_is_not_taken_for_one_that_equals_it(approved: Any, word: Outcome) -> None:
    for said in (bool(approved), approved, bool(approved)):
        taken, found = accept_review(ReviewResult(summary="same words", decision=ReviewDecision(approved=said)))
        assert (type(taken.decision.approved), found) == (type(said), word)


class Scored(ReviewResult):
    """A reviewer may know more than is written down."""

    score = 7


class Reasoned(ReviewDecision):
    why = "because"


@pytest.mark.parametrize("summary", ["fine", "a long story " * 100])
def test_a_review_of_another_class_stays_what_it_is(summary: str) -> None:
    for answer in (Scored(summary=summary, decision=YES), ReviewResult(summary=summary, decision=Reasoned(approved=True))):
        taken, word = accept_review(answer)
        assert (type(taken), type(taken.decision), word) == (type(answer), type(answer.decision), Outcome.SUCCEEDED)


def test_reviews_in_the_same_few_words_are_one_object() -> None:
    first, second = (accept_review(ReviewResult(summary="looks good", decision=ReviewDecision(approved=True)))[0] for _ in range(2))
    assert first is second


COMPLETE = [
    BuildResult(subtask_id="s", success=True),
    TestResult(subtask_id="s", success=True),
    ReviewResult(summary="fine", decision=YES),
]


@pytest.mark.parametrize(("complete", "unset"), [(one, field.name) for one in COMPLETE for field in fields(type(one))])
def test_an_answer_in_which_a_field_was_never_set_is_none(complete: Any, unset: str) -> None:
    """As that of a class below a result's which does not call the constructor above it: no exception leaves the manager."""
    kind: type[Any] = type(complete)
    for cls in (kind, type("Below", (kind,), {})):
        answer: Any = object.__new__(cls)
        for field in fields(kind):
            if field.name != unset:
                object.__setattr__(answer, field.name, getattr(complete, field.name))
        match answer:
            case BuildResult():
                word = accept_build(answer, subtask_id="s", mode=Mode.MCP, run_id=RUN)[1]
            case TestResult():
                word = accept_test(answer, subtask_id="s", run_id=RUN)[1]
            case _:
                word = accept_review(answer)[1]
        assert word is (Outcome.SUCCEEDED if unset in ("mode", "run_id") and cls is kind else Outcome.CRASHED)
