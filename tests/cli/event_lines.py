"""Run events as they stand on stdout and in `events.jsonl`."""

import json
from collections import Counter
from pathlib import Path

from tests.cli.running import Data, as_list, as_object


def parse_lines(text: str) -> list[Data]:
    """Whole lines, each a JSON object."""
    assert text.endswith("\n")
    return [as_object(json.loads(line)) for line in text.removesuffix("\n").split("\n")]


def file_lines(folder: Path) -> list[Data]:
    """Of the run whose folder it is."""
    return parse_lines((folder / "events.jsonl").read_text())


def own(events: list[Data], run_id: object) -> list[Data]:
    """Those of one run."""
    return [event for event in events if event["runId"] == run_id]


def of_type(events: list[Data], kind: str) -> list[Data]:
    return [event for event in events if event["type"] == kind]


def completed(events: list[Data]) -> dict[str, Data]:
    """The end of each stage."""
    return {str(event["stageId"]): event for event in of_type(events, "stage:completed")}


def assert_well_formed(events: list[Data]) -> None:
    """What holds of everything that one call tells, however it ended."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event.get("formatVersion") for event in events] == [1] + [None] * (len(events) - 1)
    terminal = [event for event in events if event["type"] in ("run:completed", "run:error") and "parentRunId" not in event]
    assert terminal == events[-1:]
    for started in of_type(events, "run:started"):
        mine = own(events, started["runId"])
        assert mine[0] is started
        if mine[-1]["type"] == "run:completed":
            ends = Counter(event["stageIndex"] for event in of_type(mine, "stage:completed"))
            assert ends == Counter(stage["index"] for stage in as_list(started["stages"]))
        _assert_order(mine)


def _assert_order(events: list[Data]) -> None:
    """Nothing is heard of a stage before its start or after its end."""
    started: set[object] = set()
    ended: set[object] = set()
    for event in events:
        index = event.get("stageIndex")
        match event["type"]:
            case "stage:started":
                assert index not in started
                started.add(index)
            case "tool:call" | "log":
                assert index in started - ended
            case "stage:completed":
                assert index not in ended
                ended.add(index)
            case _:
                pass
