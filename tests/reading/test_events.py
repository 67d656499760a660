"""The events of a run itself are told, those that were written last."""

import json
from pathlib import Path

from orchestrator_py.reading.events import events_of
from orchestrator_py.reading.run import require_run
from tests.reading.records import Data, write_run


def test_of_a_file_that_is_too_large_the_last_events_are_read(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r").parent
    lines = [json.dumps({"type": "tool:call", "runId": "r", "attempt": number}) for number in range(9)]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    run = require_run(str(tmp_path), "t", "r")
    two_and_a_half = len(lines[0]) * 2 + len(lines[0]) // 2 + 3
    assert [event["attempt"] for event in events_of(run, ("tool:call",), [], most=two_and_a_half)] == [7, 8]
    assert [event["attempt"] for event in events_of(run, ("tool:call",), [])] == list(range(9))


def test_the_events_of_child_runs_are_not_those_of_the_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r").parent
    owners: list[Data] = [{"runId": "r"}, {"runId": "child", "parentRunId": "r"}, {}, {"runId": ["r"]}, {"runId": "r"}]
    lines = [json.dumps({"type": "tool:call", "attempt": number, **owner}) for number, owner in enumerate(owners)]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    assert [event["attempt"] for event in events_of(require_run(str(tmp_path), "t", "r"), ("tool:call",), [])] == [0, 4]
