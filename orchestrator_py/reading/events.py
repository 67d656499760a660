"""What the event file of a run tells of it, as plain data. The last line may be torn, and any line may be somebody else's."""

import os
from collections.abc import Iterator

from orchestrator_py.core import places
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.reading.files import LARGEST_DOCUMENT, Data, OpenFile, UnreadableError
from orchestrator_py.reading.run import Run

_REUSED = "reused"


def events_of(run: Run, types: tuple[str, ...], problems: list[UnreadableError], *, most: int = LARGEST_DOCUMENT) -> Iterator[Data]:
    """The run's own events of these types, in the order of the file; none if there is no file. What cannot be read goes to `problems`.

    The file of a run holds those of its child runs too, whose stages may have the ids of its own.
    Of a file of more than `most` bytes the last ones are read.
    """
    try:
        with OpenFile(os.path.join(os.path.dirname(run.path), places.EVENTS)) as file:
            lines = file.read(max(0, file.size - most), most).split(b"\n")
    except FileNotFoundError:
        return
    except UnreadableError as error:
        problems.append(error)
        return
    marks = [f'"{name}"'.encode() for name in types]
    for line in lines:
        if not any(map(line.__contains__, marks)):
            continue
        event = _parse(line)
        if event.get("type") in types and event.get("runId") == run.run_id:
            yield event


def is_reuse(event: Data) -> bool:
    """A `stage:completed` of a run that was taken up again: the stage keeps what it had come to before, which this does not repeat."""
    return event.get("attempts") == 0 and event.get("reason") == _REUSED


def _parse(line: bytes) -> Data:
    try:
        event = parse_json(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
