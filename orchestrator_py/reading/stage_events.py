"""What the events of a run tell of its stages beside the manifest: attempts, the exact outcome, and why."""

import os

from orchestrator_py.core import places
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.reading.files import Data, OpenFile
from orchestrator_py.reading.run import Run, text_of

LARGEST_READ = 4 * 1024 * 1024

Told = dict[str, Data]
"""By stage id: `instance` has taken it, `attempt` is the last that was started; after its end `outcome`, `reason`, `flaky`, `waived`."""


def read_stage_events(run: Run) -> Told:
    """Of the run itself, not of its child runs. Without a log of events nothing is told. UnreadableError if it is no file."""
    told: Told = {}
    try:
        with OpenFile(os.path.join(os.path.dirname(run.path), places.EVENTS)) as file:
            lines = file.read(max(0, file.size - LARGEST_READ), LARGEST_READ).split(b"\n")
    except FileNotFoundError:
        return told
    for line in lines:
        if (b'"stage:' in line or b'"tool:call"' in line) and (event := _parse(line)).get("runId") == run.run_id:
            _tell(told.setdefault(text_of(event, "stageId"), {}), event)
    return told


def _tell(stage: Data, event: Data) -> None:
    match event.get("type"):
        case "stage:started":
            stage.clear()  # a run that was taken up again starts what did not succeed anew
            stage["instance"] = event.get("instanceId")
        case "tool:call":
            stage["attempt"] = event.get("attempt")
        case "stage:completed":
            stage.update({key: event.get(key) for key in ("outcome", "reason", "flaky", "waived")}, attempt=event.get("attempts"))


def _parse(line: bytes) -> Data:
    try:
        event = parse_json(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
