"""The summary that an embedded run leaves tells of its subtasks; it may be damaged, or somebody else's."""

import json
from pathlib import Path

import pytest

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.reading.embedded_summary import MOST_SUBTASKS, summarised_subtasks
from orchestrator_py.reading.files import Data
from tests.core.conversations import RUN, closed, conversation, hear, open_run, reports_of


def write(root: Path, document: object) -> None:
    path = root / "t" / RUN / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def told(root: Path) -> list[tuple[object, object, object]]:
    return [(one["id"], one["status"], one["reason"]) for one in summarised_subtasks(str(root), "t", RUN)]


def summary_of(*words: Outcome) -> Data:
    opening = open_run(len(words))
    document = to_json(closed(hear(conversation(opening, reports_of(opening, words)))).summary)
    assert isinstance(document, dict)
    return document


def test_each_subtask_is_told_in_the_order_of_the_plan(tmp_path: Path) -> None:
    write(tmp_path, summary_of(Outcome.SUCCEEDED, Outcome.FAILED, Outcome.REJECTED, Outcome.SKIPPED))
    assert told(tmp_path) == [
        ("s0", "succeeded", None),
        ("s1", "failed", "its build did not succeed"),
        ("s2", "failed", "its review did not approve"),
        ("s3", "pending", None),
    ]


@pytest.mark.parametrize(("word", "status"), [(Outcome.SUCCEEDED, "succeeded"), (Outcome.CRASHED, "failed")])
def test_a_run_of_one_subtask_has_it_at_the_top(tmp_path: Path, word: Outcome, status: str) -> None:
    write(tmp_path, summary_of(word))
    assert [one[:2] for one in told(tmp_path)] == [("s0", status)]


def test_of_many_those_that_went_wrong_are_told_before_others(tmp_path: Path) -> None:
    words = [Outcome.SUCCEEDED] * (MOST_SUBTASKS + 50) + [Outcome.FAILED] * 5
    write(tmp_path, summary_of(*words))
    found = told(tmp_path)
    assert len(found) == MOST_SUBTASKS
    assert [one[0] for one in found if one[1] == "failed"] == [f"s{MOST_SUBTASKS + 50 + place}" for place in range(5)]
    assert found[0][0] == "s0"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"runId": "other"},
        {"runId": RUN},
        {"runId": RUN, "plan": 7, "group": []},
        {"runId": RUN, "plan": {"items": [1]}, "build": 3},
    ],
)
def test_what_makes_no_sense_tells_of_none(tmp_path: Path, document: object) -> None:
    assert told(tmp_path) == []
    write(tmp_path, document)
    assert told(tmp_path) == []
