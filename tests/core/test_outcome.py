"""From facts to words: attempts, subtasks, runs."""

from itertools import permutations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.outcome import (
    RANK,
    build_outcome,
    deciding,
    execution_outcome,
    may_be_waived,
    review_outcome,
    run_status,
    satisfies_needs,
    stages_that_answered,
    verdict,
    worse,
)
from orchestrator_py.core.outcome import (
    test_outcome as outcome_of_test,
)
from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.manifest import RunStatus
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestResult
from orchestrator_py.model.summary import SubtaskReport
from tests.core.conversations import open_run, report, reports_of

outcomes = st.sampled_from(list(Outcome))


def test_the_words_are_ranked_from_skipped_to_error() -> None:
    words = "skipped succeeded cancelled crashed timed_out rejected failed error"
    assert [outcome.value for outcome in RANK] == words.split()
    assert set(RANK) == set(Outcome)


@given(st.lists(outcomes), st.lists(outcomes))
def test_a_verdict_is_a_maximum_over_a_set(some: list[Outcome], more: list[Outcome]) -> None:
    assert verdict(some + more) is verdict([verdict(some), verdict(more)]) is verdict({*some, *more}) is verdict(more + some + more)


@given(outcomes, outcomes)
def test_of_two_words_the_worse_one_is_the_verdict(one: Outcome, other: Outcome) -> None:
    assert worse(one, other) is worse(other, one) is verdict([one, other])


def test_nothing_planned_is_no_success() -> None:
    assert verdict([]) is Outcome.SKIPPED
    assert run_status(verdict([])) is RunStatus.FAILED


def test_a_late_stop_never_hides_a_failure() -> None:
    assert verdict([Outcome.SUCCEEDED, Outcome.CANCELLED, Outcome.FAILED]) is Outcome.FAILED


@pytest.mark.parametrize(
    ("execution", "word"),
    [
        (Execution(exit_code=0), Outcome.SUCCEEDED),
        (Execution(exit_code=1), Outcome.FAILED),
        (Execution(exit_code=255), Outcome.FAILED),
        (Execution(exit_code=None), Outcome.CRASHED),
        (Execution(exit_code=None, signal="SIGKILL"), Outcome.CRASHED),
        (Execution(exit_code=-9, signal="SIGKILL"), Outcome.CRASHED),
        (Execution(exit_code=0, signal="SIGSEGV"), Outcome.CRASHED),
        (Execution(spawn_error="no such file"), Outcome.CRASHED),
        (Execution(exit_code=0, stopped=True), Outcome.CANCELLED),
        (Execution(child_outcome=Outcome.REJECTED), Outcome.REJECTED),
        (Execution(child_outcome=Outcome.SUCCEEDED), Outcome.SUCCEEDED),
        (Execution(child_outcome=Outcome.SKIPPED), Outcome.FAILED),
    ],
)
def test_a_command_s_end_has_one_word(execution: Execution, word: Outcome) -> None:
    assert execution_outcome(execution) is word


@pytest.mark.parametrize("execution", [Execution(exit_code=0), Execution(exit_code=1), Execution(signal="SIGTERM")])
def test_a_cause_that_was_recorded_before_the_end_wins(execution: Execution) -> None:
    assert execution_outcome(execution, StopCause(StopKind.TIMEOUT, "1 s")) is Outcome.TIMED_OUT
    assert execution_outcome(execution, StopCause(StopKind.SIGNAL, "SIGINT")) is Outcome.CANCELLED


@pytest.mark.parametrize(
    ("success", "execution", "word"),
    [
        (True, None, Outcome.SUCCEEDED),
        (False, None, Outcome.FAILED),
        (True, Execution(exit_code=0), Outcome.SUCCEEDED),
        (False, Execution(exit_code=0), Outcome.FAILED),
        (True, Execution(exit_code=3), Outcome.FAILED),
        (True, Execution(signal="SIGKILL"), Outcome.CRASHED),
        (False, Execution(signal="SIGKILL"), Outcome.CRASHED),
    ],
)
def test_success_is_earned_by_the_flag_and_by_the_command(success: bool, execution: Execution | None, word: Outcome) -> None:
    assert build_outcome(BuildResult(subtask_id="a", success=success, execution=execution)) is word
    assert outcome_of_test(TestResult(subtask_id="a", success=success, execution=execution)) is word


@pytest.mark.parametrize(
    ("approved", "execution", "word"),
    [
        (True, None, Outcome.SUCCEEDED),
        (False, None, Outcome.REJECTED),
        (False, Execution(exit_code=1), Outcome.REJECTED),
        (False, Execution(exit_code=125), Outcome.REJECTED),
        (False, Execution(exit_code=126), Outcome.CRASHED),
        (False, Execution(exit_code=127), Outcome.CRASHED),
        (False, Execution(exit_code=128), Outcome.REJECTED),
        (False, Execution(exit_code=137), Outcome.CRASHED),
        (False, Execution(exit_code=255), Outcome.REJECTED),
        (False, Execution(signal="SIGKILL"), Outcome.CRASHED),
        (True, Execution(spawn_error="no such file"), Outcome.CRASHED),
        (False, Execution(stopped=True), Outcome.CANCELLED),
    ],
)
def test_a_reviewer_that_died_never_said_no(approved: bool, execution: Execution | None, word: Outcome) -> None:
    assert review_outcome(ReviewResult(summary="", decision=ReviewDecision(approved=approved), execution=execution)) is word


@pytest.mark.parametrize(
    ("word", "satisfied"),
    [
        (Outcome.SUCCEEDED, True),
        (Outcome.REJECTED, True),
        (Outcome.FAILED, False),
        (Outcome.CRASHED, False),
        (Outcome.TIMED_OUT, False),
        (Outcome.CANCELLED, False),
        (Outcome.SKIPPED, False),
    ],
)
def test_build_and_test_satisfy_needs_and_a_review_gates_nothing(word: Outcome, satisfied: bool) -> None:
    one = report(SubtaskId("a"), word, 0)
    assert satisfies_needs(one) is satisfied
    if word in (Outcome.FAILED, Outcome.CRASHED, Outcome.TIMED_OUT):
        assert satisfies_needs(evolve(one, waived=True))


def test_a_reviewer_that_crashed_gates_nothing_either() -> None:
    assert satisfies_needs(evolve(report(SubtaskId("a"), Outcome.SUCCEEDED, 0), outcome=Outcome.CRASHED))
    assert not satisfies_needs(evolve(report(SubtaskId("a"), Outcome.SUCCEEDED, 0), outcome=Outcome.CANCELLED))


def test_a_cancel_a_success_and_a_skip_are_not_waived() -> None:
    waivable = {Outcome.FAILED, Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.REJECTED}
    assert {outcome for outcome in Outcome if may_be_waived(outcome)} == waivable


@given(st.lists(st.sampled_from([Outcome.SUCCEEDED, Outcome.FAILED, Outcome.REJECTED]), min_size=1, max_size=4))
def test_the_deciding_subtask_carries_the_verdict_s_word_in_plan_order(words: list[Outcome]) -> None:
    reports = reports_of(open_run(len(words)), words)
    word = verdict(words)
    decisive = deciding(reports, word)
    assert decisive is not None
    assert decisive.outcome is word
    places = [place for place, one in enumerate(words) if one is word]
    assert reports.index(decisive) == (places[-1] if word is Outcome.SUCCEEDED else places[0])


def test_a_waived_failure_decides_a_success_only_when_there_is_nothing_else() -> None:
    good, waived = report(SubtaskId("a"), Outcome.SUCCEEDED, 0), evolve(report(SubtaskId("b"), Outcome.FAILED, 1), waived=True)
    for reports in permutations((good, waived)):
        assert deciding(reports, Outcome.SUCCEEDED) is good
    assert deciding([waived], Outcome.SUCCEEDED) is waived


def test_what_never_started_decides_nothing() -> None:
    assert deciding([SubtaskReport(subtask_id=SubtaskId("a"), outcome=Outcome.CANCELLED)], Outcome.CANCELLED) is None


@pytest.mark.parametrize(("word", "stages"), [(Outcome.SUCCEEDED, 3), (Outcome.REJECTED, 3), (Outcome.FAILED, 1), (Outcome.SKIPPED, 0)])
def test_the_first_stage_that_did_not_succeed_was_the_last_one(word: Outcome, stages: int) -> None:
    assert stages_that_answered(report(SubtaskId("a"), word, 0)) == stages


def test_a_manifest_knows_three_ends() -> None:
    assert {outcome: run_status(outcome).value for outcome in (Outcome.SUCCEEDED, Outcome.CANCELLED)} == {
        Outcome.SUCCEEDED: "succeeded",
        Outcome.CANCELLED: "cancelled",
    }
    others = set(Outcome) - {Outcome.SUCCEEDED, Outcome.CANCELLED}
    assert {run_status(outcome) for outcome in others} == {RunStatus.FAILED}
