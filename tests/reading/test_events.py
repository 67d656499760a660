"""The events of a run that were written last are the ones that are told."""

import json
from pathlib import Path

from orchestrator_py.reading.events import events_of
from orchestrator_py.reading.run import require_run
from tests.reading.records import write_run


def test_of_a_file_that_is_too_large_the_last_events_are_read(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r").parent
    lines = [json.dumps({"type": "tool:call", "attempt": number}) for number in range(9)]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    run = require_run(str(tmp_path), "t", "r")
    two_and_a_half = len(lines[0]) * 2 + len(lines[0]) // 2 + 3
    assert [event["attempt"] for event in events_of(run, ("tool:call",), [], most=two_and_a_half)] == [7, 8]
    assert [event["attempt"] for event in events_of(run, ("tool:call",), [])] == list(range(9))
