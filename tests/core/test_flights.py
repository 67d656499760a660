"""Which embedded runs are shown as in flight, how they look, and what goes on record of one whose process died."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from attrs import evolve

from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.core.flight_view import MOST_INSTANCES, MOST_SUBTASKS, FlightView
from orchestrator_py.core.flights import MOST_NEWS, MOST_RUNS, Flights
from orchestrator_py.core.lost_flight import lost_entry
from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.model.messages import AttemptEnded, InstanceReleased, Message, OpenRun, SubtaskEnded, SubtaskPlaced, SubtaskTaken
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import AttemptReport
from tests.core.conversations import RUN, conversation, open_pipeline_run, open_run, report, reports_of, stamp

Data = dict[str, object]


class Watched:
    """A task's mind, and what is shown of it."""

    def __init__(self) -> None:
        self.mind = Aggregation(TaskId("task-1"))
        self.flights = Flights(TaskId("task-1"))

    def hear(self, *messages: Message) -> None:
        for message in messages:
            self.mind.handle(message)

    def look(self) -> list[Data] | None:
        """The runs in the document; None if it stays as it is."""
        document = self.flights.look(self.mind.runs, stamp(30))
        if document is None:
            return None
        return [] if document == b"" else json.loads(document)["runs"]


def named(opening: OpenRun, run_id: str) -> OpenRun:
    return evolve(opening, run_id=RunId(run_id))


def shown(opening: OpenRun, *messages: Message) -> Data:
    """How the run looks after these messages."""
    watched = Watched()
    watched.hear(opening)
    assert watched.look() is None
    watched.hear(*messages)
    (run,) = watched.look() or []
    return run


def commands(run: Data) -> list[Data]:
    found = run["commands"]
    assert isinstance(found, list)
    return found


def instances(run: Data) -> list[Data]:
    scheduler = run["scheduler"]
    assert isinstance(scheduler, dict)
    found = scheduler["assignments"]
    assert isinstance(found, list)
    return found


def words(run: Data) -> list[object]:
    return [one["status"] for one in commands(run)]


def taken(opening: OpenRun, place: int) -> SubtaskTaken:
    assert opening.scheduler is not None
    lanes = list(opening.scheduler.assignments)
    return SubtaskTaken(run_id=RUN, subtask_id=SubtaskId(f"s{place}"), instance_id=lanes[place % len(lanes)], at=stamp(1))


def ended(place: int, word: Outcome = Outcome.SUCCEEDED) -> SubtaskEnded:
    return SubtaskEnded(run_id=RUN, report=report(SubtaskId(f"s{place}"), word, 1), instance_id=None, at=stamp(2))


# Which runs --------------------------------------------------------------------------------------------------------


def test_a_run_is_shown_at_the_second_look_that_finds_it_in_flight() -> None:
    watched = Watched()
    watched.hear(open_run(2))
    assert watched.look() is None
    assert not watched.flights.is_over
    (run,) = watched.look() or []
    assert (run["run_id"], run["status"], run["completed_at"]) == (RUN, "in_progress", None)


def test_a_run_that_is_over_before_the_second_look_is_never_shown() -> None:
    watched, opening = Watched(), open_run(2)
    first, *rest = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED] * 2))
    watched.hear(first)
    assert watched.look() is None
    watched.hear(*rest)
    assert [watched.look(), watched.look()] == [None, None]
    assert watched.flights.is_over


def test_a_run_that_ends_goes_at_the_next_look() -> None:
    watched, opening = Watched(), open_run(2)
    first, *rest = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED] * 2))
    watched.hear(first, named(opening, "other"))
    watched.look()
    assert len(watched.look() or []) == 2
    watched.hear(*rest)
    assert [run["run_id"] for run in watched.look() or []] == ["other"]
    watched.mind.runs.clear()
    assert (watched.look(), watched.look()) == ([], None)


def test_a_run_that_begins_again_under_the_same_id_is_another_one() -> None:
    watched, opening = Watched(), open_run(2)
    watched.hear(opening, taken(opening, 0))
    watched.look()
    assert [words(run) for run in watched.look() or []] == [["running", "pending"]]
    watched.mind.runs.clear()
    watched.hear(opening)
    assert [words(run) for run in watched.look() or []] == [["pending", "pending"]]


def test_a_command_line_run_has_its_manifest_and_is_not_shown() -> None:
    watched = Watched()
    watched.hear(open_pipeline_run(2))
    assert [watched.look(), watched.look()] == [None, None]
    assert watched.flights.is_over


def test_where_nothing_is_new_the_document_stays() -> None:
    watched, opening = Watched(), open_run(2)
    watched.hear(opening)
    watched.look()
    assert watched.look() is not None
    assert watched.look() is None
    watched.hear(taken(opening, 0))
    assert watched.look() is not None
    assert watched.look() is None


def test_so_many_runs_are_shown_and_those_that_last_longest_come_first() -> None:
    watched, opening = Watched(), open_run(1)
    watched.hear(*(named(opening, f"r{number:04d}") for number in range(MOST_RUNS + 5)))
    watched.look()
    seen: list[Data] = []
    while (told := watched.look()) is not None:
        seen = told
    assert sorted(str(run["run_id"]) for run in seen) == [f"r{number:04d}" for number in range(MOST_RUNS)]


def test_one_look_tells_the_parts_of_so_many_and_the_next_ones_the_rest_in_turns() -> None:
    watched, opening = Watched(), open_run(MOST_SUBTASKS, lanes=1)
    watched.hear(*(named(opening, f"r{number}") for number in range(5)))
    watched.look()
    counts = [sum(1 for run in watched.look() or [] if commands(run)) for _ in range(3)]
    assert counts == sorted(counts)
    assert counts[0] == -(-(MOST_NEWS - 5) // (MOST_SUBTASKS + 1)) == 2
    assert counts[-1] == 5


@pytest.mark.parametrize(("runs", "subtasks"), [(100, MOST_SUBTASKS), (MOST_RUNS, 1), (100, 3 * MOST_SUBTASKS)])
def test_so_many_new_runs_are_all_told_at_their_second_look_however_large_they_are(runs: int, subtasks: int) -> None:
    watched, opening = Watched(), open_run(subtasks, lanes=2)
    watched.hear(*(named(opening, f"r{number}") for number in range(runs)))
    watched.look()
    told = watched.look() or []
    assert {run["run_id"] for run in told} == {f"r{number}" for number in range(runs)}
    for run in told:
        left_out = run["left_out"]
        assert isinstance(left_out, dict)
        assert len(commands(run)) + sum(left_out.values()) == subtasks
        assert lost_entry(run, stamp(50)).status == "failed"


@pytest.mark.parametrize("runs", [1, 30])
def test_a_run_of_which_only_the_head_was_told_looks_in_the_end_as_if_it_had_been_alone(runs: int) -> None:
    watched, opening = Watched(), open_run(MOST_SUBTASKS, lanes=2)
    news: list[Message] = [taken(opening, 0), ended(0), taken(opening, 1), ended(1, Outcome.FAILED), taken(opening, 2)]
    watched.hear(*(named(opening, f"r{number:02d}") for number in range(runs - 1)), opening)
    watched.look()
    watched.look()
    watched.hear(*news)
    last = watched.look()
    while (document := watched.look()) is not None:
        last = document
    assert last is not None
    assert [run for run in last if run["run_id"] == RUN] == [shown(opening, *news)]


def test_what_had_ended_when_only_the_head_was_told_is_counted() -> None:
    opening = open_run(4, lanes=2)
    mind = Aggregation(TaskId("task-1"))
    for message in (opening, taken(opening, 0), ended(0), taken(opening, 1), ended(1, Outcome.FAILED), taken(opening, 2)):
        mind.handle(message)
    head = FlightView(mind.runs[RUN]).head(stamp(30))
    assert head["left_out"] == {"succeeded": 1, "failed": 1, "running": 1, "pending": 1}
    entry = lost_entry(head, stamp(50))
    assert (entry.commands_passed, entry.commands_failed, entry.started_at) == (1, 2, stamp(0))


# How a run looks ---------------------------------------------------------------------------------------------------


def test_what_waits_runs_and_has_ended_is_told_with_its_times_and_instances() -> None:
    opening = open_run(4)
    run = shown(opening, taken(opening, 0), taken(opening, 1), ended(0), taken(opening, 2), ended(2, Outcome.FAILED))
    assert words(run) == ["succeeded", "running", "failed", "pending"]
    first, second, third, fourth = commands(run)
    assert (first["started_at"], first["completed_at"]) == (stamp(1), stamp(4))
    assert (second["started_at"], second["completed_at"], second["told"]) == (
        stamp(1),
        None,
        {"instance": "task-1-general-02", "worker": None, "attempt": 1},
    )
    assert third["told"] == {
        "instance": "task-1-general-01",
        "worker": None,
        "attempt": 1,
        "outcome": "failed",
        "reason": "failed",
        "flaky": False,
        "waived": False,
    }
    assert (fourth["started_at"], fourth["told"]) == (None, {"instance": None, "worker": None, "attempt": None})
    assert [(one["instance_id"], one["status"], one["completed_at"]) for one in instances(run)] == [
        ("task-1-general-01", "running", None),
        ("task-1-general-02", "running", None),
    ]


def test_another_attempt_a_worker_and_a_released_instance_are_news() -> None:
    watched, opening = Watched(), open_run(1)
    assert opening.scheduler is not None
    (lane,) = opening.scheduler.assignments
    attempt = AttemptReport(number=1, outcome=Outcome.FAILED, started_at=stamp(1), completed_at=stamp(2))
    watched.hear(opening, taken(opening, 0))
    watched.look()
    watched.look()
    news: list[Message] = [
        AttemptEnded(run_id=RUN, subtask_id=SubtaskId("s0"), attempt=attempt),
        SubtaskPlaced(run_id=RUN, subtask_id=SubtaskId("s0"), worker="w"),
        ended(0),
        InstanceReleased(run_id=RUN, instance_id=lane, at=stamp(3)),
    ]
    for message in news:
        watched.hear(message)
        assert watched.look() is not None, message
        assert watched.look() is None


def test_of_many_subtasks_those_that_run_or_went_wrong_are_told_and_all_are_counted() -> None:
    count = MOST_SUBTASKS * 3
    opening = open_run(count, lanes=MOST_INSTANCES * 2)
    news: list[Message] = []
    for place in range(count - 5):
        news += [taken(opening, place), ended(place, Outcome.FAILED if place % 10 == 3 else Outcome.SUCCEEDED)]
    run = shown(opening, *news, *(taken(opening, place) for place in range(count - 5, count - 2)))
    told, left_out = commands(run), run["left_out"]
    assert isinstance(left_out, dict)
    assert len(told) == MOST_SUBTASKS
    places = [int(str(one["id"])[1:]) for one in told]
    assert places == sorted(places)
    assert {count - 5, count - 4, count - 3, *range(3, count - 5, 10)} <= set(places)
    assert len(told) + sum(left_out.values()) == count
    assert {word: words(run).count(word) + left_out.get(word, 0) for word in ("succeeded", "failed", "running", "pending")} == {
        "succeeded": count - 5 - len(range(3, count - 5, 10)),
        "failed": len(range(3, count - 5, 10)),
        "running": 3,
        "pending": 2,
    }
    assert len(instances(run)) == MOST_INSTANCES


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_however_often_one_looks_the_last_look_shows_the_same(steps: int) -> None:
    opening = open_run(MOST_SUBTASKS + 40, lanes=3)
    outcomes = [Outcome.FAILED if place % 7 == 0 else Outcome.SUCCEEDED for place in range(len(opening.order))]
    messages = conversation(opening, reports_of(opening, outcomes))[:-60]
    mind = Aggregation(TaskId("task-1"))
    mind.handle(messages[0])
    view = FlightView(mind.runs[RUN])
    marks = [*range(1, len(messages), max(1, len(messages) // steps)), len(messages)]
    for start, stop in pairwise(marks):
        for message in messages[start:stop]:
            mind.handle(message)
        view.data(stamp(40))
    assert view.data(stamp(41)) == FlightView(mind.runs[RUN]).data(stamp(41))


# What is recorded of a lost one ------------------------------------------------------------------------------------


def test_a_lost_run_has_failed_without_an_end_and_so_has_what_was_at_work() -> None:
    opening = open_run(3)
    run = shown(opening, taken(opening, 0), ended(0), taken(opening, 1))
    entry = lost_entry(run, stamp(50))
    assert (entry.status, entry.completed_at, entry.duration_seconds, entry.started_at) == ("failed", None, None, stamp(0))
    assert (entry.commands_passed, entry.commands_failed) == (1, 1)
    assert [stat.status for stat in entry.instance_stats] == ["failed", "failed"]


def test_subtasks_that_were_only_counted_count() -> None:
    run = {**shown(open_run(1)), "left_out": {"succeeded": 5, "failed": 2, "running": 1, "pending": 9, "x": "y"}}
    entry = lost_entry(run, stamp(50))
    assert (entry.commands_passed, entry.commands_failed) == (5, 3)


def damaged() -> Iterator[Data]:
    run = shown(open_run(1))
    yield {}
    yield {**run, "started_at": 7}
    yield {name: value for name, value in run.items() if name != "artifact_root"}


@pytest.mark.parametrize("run", list(damaged()))
def test_what_is_no_run_makes_no_entry(run: Data) -> None:
    with pytest.raises(DecodeError):
        lost_entry(run, stamp(50))


@pytest.mark.parametrize("wrong", [{"commands": 7}, {"scheduler": []}, {"scheduler": {"assignments": [1, {}]}}, {"left_out": [1]}])
def test_parts_that_make_no_sense_take_nothing_from_the_rest(wrong: Data) -> None:
    assert lost_entry({**shown(open_run(1)), **wrong}, stamp(50)).status == "failed"
