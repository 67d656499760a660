"""The aggregator's mind: the report is a function of the set of facts, whatever the order and number of their arrivals."""

import json
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.json_text import pretty_json
from orchestrator_py.core.outcome import RANK
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.model.document import DocumentKind
from orchestrator_py.model.effects import NOTHING, Effects
from orchestrator_py.model.events import AttemptFailed, RunCompleted, RunStarted, RunStopping, SubtaskFinished
from orchestrator_py.model.manifest import CommandStatus, RunStatus
from orchestrator_py.model.messages import AttemptEnded, Beat, CloseRun, Flush, Message, StopAsked, SubtaskEnded
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.summary import AttemptReport
from tests.core.conversations import (
    RUN,
    STOP,
    WORDS,
    closed,
    conversation,
    hear,
    open_pipeline_run,
    open_run,
    report,
    reports_of,
    stamp,
)

some_words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)


def summary_text(messages: list[Message]) -> str:
    return pretty_json(to_json(closed(hear(messages)).summary))


# The order of arrival does not show ---------------------------------------------------------------------------------


@settings(max_examples=50)
@given(some_words)
def test_every_order_of_completion_gives_the_same_summary_and_the_same_entry(words: list[Outcome]) -> None:
    opening = open_run(len(words))
    told = {summary_text(conversation(opening, order)) for order in permutations(reports_of(opening, words))}
    assert len(told) == 1
    lines = {hear(conversation(opening, order))[-1].entries for order in permutations(reports_of(opening, words))}
    assert len(lines) == 1


@given(some_words, st.data())
def test_messages_that_are_told_twice_change_nothing(words: list[Outcome], data: st.DataObject) -> None:
    opening = open_run(len(words))
    once = conversation(opening, reports_of(opening, words))
    twice = [message for message in once for _ in range(data.draw(st.integers(1, 3)))]
    assert summary_text(twice) == summary_text(once)
    assert [event for effect in hear(twice) for event in effect.events] == [event for effect in hear(once) for event in effect.events]


@given(some_words, st.randoms(use_true_random=False))
def test_the_ends_of_subtasks_may_arrive_in_any_order_and_late(words: list[Outcome], chance: Any) -> None:
    opening = open_run(len(words))
    *news, close = conversation(opening, reports_of(opening, words))[1:]
    starts = [message for message in news if not isinstance(message, SubtaskEnded)]
    ends = [message for message in news if isinstance(message, SubtaskEnded)]
    chance.shuffle(ends)
    assert summary_text([opening, *starts, *ends, close]) == summary_text([opening, *news, close])


@given(some_words, st.data())
def test_a_worse_word_never_improves_the_verdict(words: list[Outcome], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(words) - 1))
    better = words[place]
    worse = data.draw(st.sampled_from([word for word in WORDS if RANK.index(word) >= RANK.index(better)]))
    opening = open_run(len(words))
    before = closed(hear(conversation(opening, reports_of(opening, words)))).summary.outcome
    words[place] = worse
    after = closed(hear(conversation(opening, reports_of(opening, words)))).summary.outcome
    assert before is not None
    assert after is not None
    assert RANK.index(after) >= RANK.index(before)


@given(some_words)
def test_the_json_reads_as_a_success_exactly_when_the_verdict_is_one(words: list[Outcome]) -> None:
    opening = open_run(len(words))
    summary = closed(hear(conversation(opening, reports_of(opening, words)))).summary
    data: Any = to_json(summary)
    good = data["build"]["success"] and data["test"]["success"] and data["review"]["decision"]["approved"]
    assert good == (summary.outcome is Outcome.SUCCEEDED)


@given(some_words)
def test_counts_add_up_to_the_number_planned(words: list[Outcome]) -> None:
    opening = open_run(len(words))
    effects = hear(conversation(opening, reports_of(opening, words)))
    summary = closed(effects).summary
    assert [one.subtask_id for one in summary.subtasks] == [item.id for item in opening.order]
    finished = [event for effect in effects for event in effect.events if isinstance(event, SubtaskFinished)]
    assert [(event.done, event.planned) for event in finished] == [(place, len(words)) for place in range(1, len(words) + 1)]
    if summary.group is not None:
        assert summary.group.size == len(words)
        assert summary.group.processed == len(summary.group.entries) == len([one for one in summary.subtasks if one.started])


# Contradictions -----------------------------------------------------------------------------------------------------


@given(some_words, st.data())
def test_a_second_and_different_report_makes_the_run_an_error(words: list[Outcome], data: st.DataObject) -> None:
    opening = open_run(len(words))
    reports = reports_of(opening, words)
    place = data.draw(st.integers(0, len(words) - 1))
    other = data.draw(st.sampled_from([word for word in WORDS if word is not words[place]]))
    lie = SubtaskEnded(run_id=RUN, report=report(reports[place].subtask_id, other, place), instance_id=None, at=stamp(57))
    *news, close = conversation(opening, reports)
    summary = closed(hear([*news, lie, close])).summary
    assert summary.outcome is Outcome.ERROR
    assert not summary.build.success
    assert "cannot be vouched for" in str(summary.build.notes)


def test_a_subtask_that_was_never_accounted_for_makes_the_run_an_error() -> None:
    opening = open_run(3)
    reports = reports_of(opening, [Outcome.SUCCEEDED] * 3)
    summary = closed(hear(conversation(opening, reports[:2]))).summary
    assert summary.outcome is Outcome.ERROR
    assert [one.outcome for one in summary.subtasks] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.ERROR]


def test_a_report_of_a_subtask_that_was_never_planned_makes_the_run_an_error() -> None:
    opening = open_run(1)
    *news, close = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED]))
    stranger = SubtaskEnded(run_id=RUN, report=report(SubtaskId("stranger"), Outcome.SUCCEEDED, 0), instance_id=None, at=stamp(57))
    assert closed(hear([*news, stranger, close])).summary.outcome is Outcome.ERROR


def test_a_defect_of_the_run_makes_it_an_error_even_if_all_subtasks_succeeded() -> None:
    opening = open_run(2)
    *news, _ = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED] * 2))
    summary = closed(hear([*news, CloseRun(run_id=RUN, at=stamp(59), defect="a lane broke")])).summary
    assert summary.outcome is Outcome.ERROR
    assert summary.build.notes == "The report cannot be vouched for: a lane broke."


# Progress -----------------------------------------------------------------------------------------------------------


@given(some_words)
def test_at_every_moment_of_a_run_its_manifest_claims_no_end_that_was_not_seen(words: list[Outcome]) -> None:
    opening = open_pipeline_run(len(words))
    mind = Aggregation(TaskId("task-1"))
    for message in conversation(opening, reports_of(opening, words))[:-1]:
        mind.handle(message)
        manifest = mind.runs[RUN].manifest(stamp(58))
        assert manifest is not None
        assert manifest.status is RunStatus.IN_PROGRESS
        assert manifest.completed_at is None
        assert manifest.scheduler is not None
        for assignment in manifest.scheduler.assignments.values():
            assert (assignment.completed_at is not None) == assignment.status.terminal
        for command in manifest.commands:
            assert (command.completed_at is None) == (command.status in (CommandStatus.PENDING, CommandStatus.RUNNING))


@given(some_words)
def test_at_the_end_manifest_and_summary_agree(words: list[Outcome]) -> None:
    opening = open_pipeline_run(len(words))
    done = closed(hear(conversation(opening, reports_of(opening, words))))
    manifest = done.manifest
    assert manifest is not None
    assert manifest.status.is_terminal
    assert (manifest.status is RunStatus.SUCCEEDED) == (done.summary.outcome is Outcome.SUCCEEDED)
    assert manifest.metrics_recorded
    assert manifest.completed_at == stamp(59)
    assert manifest.scheduler is not None
    assert all(assignment.status.terminal for assignment in manifest.scheduler.assignments.values())
    shown = [command.started_at is not None for command in manifest.commands]
    assert shown == [one.started for one in done.summary.subtasks]


def test_the_manifest_of_a_run_shows_again_only_after_it_changed() -> None:
    opening = open_pipeline_run(2)
    mind = Aggregation(TaskId("task-1"))
    mind.handle(opening)
    mind.handle(Beat(run_id=RUN, at=stamp(3)))
    assert [document.kind for document in mind.progress_documents(stamp(4))] == [DocumentKind.MANIFEST]
    assert mind.progress_documents(stamp(5)) == ()
    assert mind.has_progress is False


def test_an_embedded_run_in_flight_has_no_manifest_to_show() -> None:
    mind = Aggregation(TaskId("task-1"))
    mind.handle(open_run(1))
    assert mind.handle(Beat(run_id=RUN, at=stamp(3))) == NOTHING
    assert not mind.has_progress


# Messages one by one ------------------------------------------------------------------------------------------------


def test_news_of_an_unknown_or_a_closed_run_is_none() -> None:
    opening = open_run(1)
    mind = Aggregation(TaskId("task-1"))
    news = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED]))
    assert mind.handle(news[-1]) == NOTHING
    for message in news:
        mind.handle(message)
    assert [mind.handle(message) for message in news[1:]] == [NOTHING] * len(news[1:])
    assert mind.runs == {}


def test_another_run_with_the_id_of_one_in_flight_is_refused() -> None:
    opening = open_run(1)
    mind = Aggregation(TaskId("task-1"))
    mind.handle(opening)
    assert mind.handle(opening) == NOTHING
    assert isinstance(mind.handle(evolve(opening, pipeline_id="other")).reply, InputError)


def test_an_attempt_is_told_once_and_in_the_stream_of_its_run() -> None:
    attempt = AttemptReport(number=1, outcome=Outcome.FAILED, started_at=stamp(1), completed_at=stamp(2))
    message = AttemptEnded(run_id=RUN, subtask_id=SubtaskId("s0"), attempt=attempt)
    effects = hear([open_run(1), message, message])
    assert [type(event) for effect in effects[1:] for event in effect.events] == [AttemptFailed]


def test_the_first_stop_cause_stays() -> None:
    later = StopCause(StopKind.SIGNAL, "SIGINT")
    asked = [StopAsked(run_id=RUN, cause=cause, at=stamp(3)) for cause in (STOP, later)]
    opening = open_run(1)
    *news, close = conversation(opening, reports_of(opening, [Outcome.CANCELLED]))
    effects = hear([*news, *asked, close])
    assert closed(effects).summary.cause == STOP
    assert len([event for effect in effects for event in effect.events if isinstance(event, RunStopping)]) == 1


def test_a_stop_that_cut_nothing_short_changes_no_verdict() -> None:
    opening = open_run(2)
    *news, close = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED] * 2))
    summary = closed(hear([*news, StopAsked(run_id=RUN, cause=STOP, at=stamp(58)), close])).summary
    assert summary.outcome is Outcome.SUCCEEDED


@given(some_words)
def test_events_are_numbered_without_a_gap_from_the_start_to_the_verdict(words: list[Outcome]) -> None:
    opening = open_run(len(words))
    events = [event for effect in hear(conversation(opening, reports_of(opening, words))) for event in effect.events]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunCompleted)
    assert json.dumps([to_json(event) for event in events])


def test_the_verdict_stands_before_the_entry_and_the_manifest_that_speaks_of_the_entry_after_it() -> None:
    opening = open_pipeline_run(1)
    last = hear(conversation(opening, reports_of(opening, [Outcome.SUCCEEDED])))[-1]
    assert [document.kind for document in last.before] == [
        DocumentKind.EMBEDDED_SUMMARY,
        DocumentKind.RUN_SUMMARY,
        DocumentKind.MANIFEST,
    ]
    assert [entry.run_id for entry in last.entries] == [RUN]
    assert [document.kind for document in last.after] == [DocumentKind.MANIFEST]
    (before,), (after,) = last.before[-1].pieces(), last.after[0].pieces()
    assert (b'"metrics_recorded": false' in before, b'"metrics_recorded": true' in after) == (True, True)
    assert before.replace(b'"metrics_recorded": false', b'"metrics_recorded": true') == after


def test_without_kept_summaries_only_the_entry_is_recorded() -> None:
    opening = evolve(open_run(1), keep_summary=False)
    last = hear(conversation(opening, reports_of(opening, [Outcome.SUCCEEDED])))[-1]
    assert (last.before, last.after, len(last.entries)) == ((), (), 1)


def test_the_entry_of_an_embedded_run_counts_subtasks_as_commands() -> None:
    opening = open_run(4)
    words = [Outcome.SUCCEEDED, Outcome.CANCELLED, Outcome.FAILED, Outcome.REJECTED]
    entry = json.loads(hear(conversation(opening, reports_of(opening, words)))[-1].entries[0].line)
    assert (entry["commands_passed"], entry["commands_failed"]) == (1, 2)
    assert entry["status"] == "failed"
    assert [stat["status"] for stat in entry["instance_stats"]] == ["failed", "succeeded"]
    assert entry["duration_seconds"] == 59


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=4))
def test_whether_somebody_listens_changes_nothing_but_the_events(words: list[Outcome]) -> None:
    opening = open_run(len(words))
    told, untold = Aggregation(TaskId("task-1")), Aggregation(TaskId("task-1"))
    for message in conversation(opening, reports_of(opening, words)):
        loud, quiet = told.handle(message), untold.handle(message, heard=False)
        assert quiet.events == ()
        assert quiet == evolve(loud, events=())


def test_a_flush_asks_for_everything_to_be_published() -> None:
    assert Aggregation(TaskId("task-1")).handle(Flush()) == Effects(flush=True)


def test_runs_of_one_task_do_not_mix() -> None:
    mind = Aggregation(TaskId("task-1"))
    opening = open_run(1)
    other = evolve(opening, run_id=RunId("run-2"))
    mind.handle(opening)
    mind.handle(other)
    for message in conversation(opening, reports_of(opening, [Outcome.FAILED]))[1:]:
        mind.handle(message)
    assert set(mind.runs) == {RunId("run-2")}
    assert mind.runs[RunId("run-2")].reports == {}


@pytest.mark.parametrize("word", WORDS)
def test_a_run_of_one_subtask_is_no_group_and_takes_its_word(word: Outcome) -> None:
    opening = open_run(1)
    summary = closed(hear(conversation(opening, reports_of(opening, [word])))).summary
    assert summary.outcome is word
    assert (summary.group, summary.builds, summary.tests, summary.reviews) == (None, None, None, None)
