"""The run summary: whose results stand at the top, what a group shows, and that it never reads better than the verdict."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.run_report import RunFacts, create_summary, planner_error_summary
from orchestrator_py.ids import SubtaskId, TaskId
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.summary import RunSummary, SubtaskReport
from orchestrator_py.model.task import Mode
from tests.core.conversations import RUN, STOP, WORDS, open_run, report, reports_of, stamp


def summary_of(reports: list[SubtaskReport], *, grouped: bool = True, cause: StopCause | None = None) -> RunSummary:
    plan = open_run(max(1, len(reports))).plan
    return create_summary(
        RunFacts(task_id=TaskId("task-1"), run_id=RUN, plan=plan, reports=reports, grouped=grouped, closed_at=stamp(59), cause=cause)
    )


def of_words(*words: Outcome) -> RunSummary:
    return summary_of(reports_of(open_run(len(words)), words))


@pytest.mark.parametrize(
    ("words", "deciding"),
    [
        ((Outcome.SUCCEEDED, Outcome.SUCCEEDED), "s1"),
        ((Outcome.FAILED, Outcome.FAILED), "s0"),
        ((Outcome.CANCELLED, Outcome.FAILED, Outcome.SUCCEEDED), "s1"),
        ((Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.REJECTED), "s2"),
        ((Outcome.SKIPPED, Outcome.SUCCEEDED), "s1"),
    ],
)
def test_the_deciding_subtask_stands_at_the_top(words: tuple[Outcome, ...], deciding: str) -> None:
    assert of_words(*words).build.subtask_id == deciding


@given(st.lists(st.sampled_from(WORDS), min_size=2, max_size=5))
def test_a_group_shows_every_subtask_that_was_started_in_plan_order(words: list[Outcome]) -> None:
    summary = of_words(*words)
    started = [one for one in summary.subtasks if one.started]
    group = summary.group
    assert group is not None
    assert summary.builds is not None
    assert [entry.subtask_id for entry in group.entries] == [one.subtask_id for one in started]
    assert [entry.index for entry in group.entries] == [place for place, one in enumerate(summary.subtasks, start=1) if one.started]
    assert [build.subtask_id for build in summary.builds] == [one.subtask_id for one in started]
    assert len(summary.tests or ()) == len(summary.reviews or ()) == group.processed == len(started)
    for entry, one in zip(group.entries, started, strict=True):
        assert (entry.status == "succeeded") == (one.outcome in (Outcome.SUCCEEDED, Outcome.REJECTED))
        assert entry.review_approved == (one.outcome is Outcome.SUCCEEDED)


def test_a_run_is_cloud_as_soon_as_one_started_subtask_is() -> None:
    good = report(SubtaskId("s0"), Outcome.SUCCEEDED, 0)
    cloud = evolve(report(SubtaskId("s1"), Outcome.SUCCEEDED, 1), mode=Mode.CLOUD)
    never = evolve(report(SubtaskId("s1"), Outcome.SKIPPED, 1), mode=Mode.CLOUD)
    assert summary_of([good, cloud]).mode is summary_of([cloud, good]).mode is Mode.CLOUD
    assert summary_of([good, never]).mode is Mode.MCP


def test_the_timestamp_is_the_last_end_that_was_seen() -> None:
    assert of_words(Outcome.SUCCEEDED, Outcome.FAILED).timestamp == stamp(4)
    assert of_words(Outcome.SKIPPED).timestamp == stamp(59)


def test_a_run_of_which_nothing_started_says_so() -> None:
    summary = of_words(Outcome.SKIPPED, Outcome.SKIPPED)
    assert summary.outcome is Outcome.SKIPPED
    assert summary.build.notes == "No subtask was started."
    assert summary.test.reports[0].details == "Skipped because the build stage failed."
    assert summary.group is not None
    assert (summary.group.size, summary.group.processed) == (2, 0)


def test_a_stop_before_the_rest_began_does_not_read_as_a_success() -> None:
    summary = summary_of(reports_of(open_run(2), [Outcome.SUCCEEDED, Outcome.CANCELLED]), cause=STOP)
    assert summary.outcome is Outcome.CANCELLED
    assert (summary.build.subtask_id, summary.build.success) == ("s1", False)
    assert summary.build.notes == "Not started: the run was stopped (embedder: enough)."


def test_a_planner_error_has_the_contract_s_words() -> None:
    summary = planner_error_summary(task_id=TaskId("task-1"), run_id=RUN, message="offline", at=stamp(1))
    data: Any = to_json(summary)
    assert data["plan"] == {"items": [], "notes": "Planner stage error: offline", "targetId": None}
    assert data["build"]["notes"] == "Builder stage error: offline"
    assert summary.outcome is Outcome.FAILED


def test_a_started_subtask_without_results_is_refused() -> None:
    hollow = evolve(report(SubtaskId("s0"), Outcome.SUCCEEDED, 0), test=None)
    with pytest.raises(ValueError, match="s0 was started and carries no results"):
        summary_of([hollow])
