"""What the events tell of stages when a run was taken up again: the last time counts, and what was kept keeps what it came to."""

import json
from pathlib import Path

import pytest

from orchestrator_py.reading.run import require_run
from orchestrator_py.reading.stage_events import read_stage_events
from orchestrator_py.reading.task_report import read_report
from tests.reading.records import Data, entry_line, stage, write_run

REUSED: Data = {"outcome": "succeeded", "attempts": 0, "flaky": False, "waived": False, "reason": "reused"}
STOPPED: Data = {"outcome": "cancelled", "attempts": 0, "flaky": False, "waived": False, "reason": "since p:b failed"}
FLAKY: Data = {"outcome": "succeeded", "attempts": 2, "flaky": True, "waived": False, "reason": None}
FAILED: Data = {"outcome": "failed", "attempts": 1, "flaky": False, "waived": False, "reason": "exit code 4"}


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ([FLAKY, REUSED, REUSED], FLAKY),
        ([REUSED], REUSED),
        ([FAILED, STOPPED], STOPPED),
        ([FAILED, FLAKY], FLAKY),
        ([FLAKY, FAILED], FAILED),
    ],
)
def test_what_a_stage_came_to_last_is_told(tmp_path: Path, ends: list[Data], wanted: Data) -> None:
    folder = write_run(tmp_path, "r", stage("a")).parent
    events = [{"type": "stage:completed", "runId": "r", "stageId": "a", **end} for end in ends]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    told = read_stage_events(require_run(str(tmp_path), "t", "r"))["a"]
    assert {**told, "attempts": told["attempt"]} == {**wanted, "attempt": wanted["attempts"]}
    (tmp_path / "t" / "metrics.json").write_bytes(entry_line("r"))
    assert read_report(str(tmp_path), "t", 5).flaky["a"] == wanted["flaky"]
