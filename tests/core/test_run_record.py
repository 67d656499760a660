"""What the aggregator knows of one run: the first word stays, and the entry is made from how it ended."""

import json

import pytest
from attrs import evolve

from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.errors import DefectError
from orchestrator_py.ids import InstanceId, SubtaskId
from orchestrator_py.model.assignment import AssignmentStatus
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.summary import RunSummary
from tests.core.conversations import STOP, open_run, report, stamp

ONE, TWO = InstanceId("task-1-general-01"), InstanceId("task-1-general-02")


def entry_of(record: RunRecord) -> tuple[RunSummary, dict[str, object]]:
    summary = record.close(stamp(59))
    return summary, json.loads(record.entry(summary, None, stamp(59)).line)


def test_news_is_news_only_once() -> None:
    record = RunRecord(open_run(2))
    good = report(SubtaskId("s0"), Outcome.SUCCEEDED, 0)
    assert [record.take(SubtaskId("s0"), ONE, stamp(1)) for _ in range(2)] == [True, False]
    assert [record.end_attempt(SubtaskId("s0"), number) for number in (1, 1, 2, 1)] == [True, False, True, False]
    assert [record.end_subtask(good, ONE) for _ in range(2)] == [True, False]
    assert [record.stop(cause) for cause in (STOP, StopCause(StopKind.SIGNAL, "SIGINT"))] == [True, False]
    assert (record.cause, record.contradiction) == (STOP, None)


def test_news_of_an_instance_that_is_not_in_the_plan_is_a_defect() -> None:
    with pytest.raises(DefectError, match="no instance 'task-1-general-99'"):
        RunRecord(open_run(2)).take(SubtaskId("s0"), InstanceId("task-1-general-99"), stamp(1))


def test_the_order_of_the_instances_survives_every_transition() -> None:
    record = RunRecord(open_run(2))
    record.take(SubtaskId("s1"), TWO, stamp(1))
    record.take(SubtaskId("s0"), ONE, stamp(2))
    record.release(ONE, stamp(3))
    assert record.scheduler is not None
    assert list(record.scheduler.assignments) == [ONE, TWO]


def test_the_first_contradiction_stays() -> None:
    record = RunRecord(open_run(1))
    for word in (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CRASHED):
        record.end_subtask(report(SubtaskId("s0"), word, 0), ONE)
    assert record.contradiction == "subtask s0 was told as succeeded and as failed"
    assert record.reports[SubtaskId("s0")].outcome is Outcome.SUCCEEDED


def test_each_instance_ends_with_its_own_word_at_its_own_time() -> None:
    record = RunRecord(open_run(2))
    for place, (lane, word) in enumerate(((ONE, Outcome.FAILED), (TWO, Outcome.SUCCEEDED))):
        subtask_id = SubtaskId(f"s{place}")
        record.take(subtask_id, lane, stamp(place + 1))
        record.end_subtask(report(subtask_id, word, place), lane)
        record.release(lane, stamp(10 + place))
        record.release(lane, stamp(20))
    _, entry = entry_of(record)
    assert record.scheduler is not None
    ends = [(one.status, one.completed_at, one.attempts[-1].started_at) for one in record.scheduler.assignments.values()]
    assert ends == [(AssignmentStatus.FAILED, stamp(10), stamp(1)), (AssignmentStatus.SUCCEEDED, stamp(11), stamp(2))]
    assert entry["instance_stats"] == [
        {"instance_id": ONE, "capability": "general", "status": "failed", "attempts": 1, "recovery_events": 0},
        {"instance_id": TWO, "capability": "general", "status": "succeeded", "attempts": 1, "recovery_events": 0},
    ]


def test_an_instance_that_never_worked_takes_the_run_s_word_and_has_no_start() -> None:
    record = RunRecord(open_run(2))
    record.take(SubtaskId("s0"), ONE, stamp(1))
    for place in range(2):
        record.end_subtask(report(SubtaskId(f"s{place}"), Outcome.SUCCEEDED, place), ONE)
    record.release(TWO, stamp(5))
    record.release(InstanceId("unheard-of"), stamp(5))
    entry_of(record)
    assert record.scheduler is not None
    idle = record.scheduler.assignments[TWO]
    assert (idle.status, idle.completed_at, idle.attempts[-1].started_at) == (AssignmentStatus.SUCCEEDED, stamp(59), None)


@pytest.mark.parametrize(
    ("word", "waived", "passed", "failed"),
    [
        (Outcome.SUCCEEDED, False, 1, 0),
        (Outcome.FAILED, False, 0, 1),
        (Outcome.FAILED, True, 0, 0),
        (Outcome.SKIPPED, False, 0, 0),
    ],
)
def test_the_entry_counts_as_a_manifest_would(word: Outcome, waived: bool, passed: int, failed: int) -> None:
    record = RunRecord(open_run(1))
    record.end_subtask(evolve(report(SubtaskId("s0"), word, 0), waived=waived), ONE)
    _, entry = entry_of(record)
    assert (entry["commands_passed"], entry["commands_failed"]) == (passed, failed)
    assert entry["status"] == ("succeeded" if word is Outcome.SUCCEEDED or waived else "failed")


def test_a_run_without_a_plan_is_recorded_as_failed() -> None:
    record = RunRecord(evolve(open_run(1), order=(), scheduler=None, planner_error="offline"))
    summary, entry = entry_of(record)
    assert summary.outcome is Outcome.FAILED
    assert (entry["status"], entry["instance_stats"]) == ("failed", [])
