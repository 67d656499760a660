"""What stages have printed, from the logs of their events: one JSON object a line, the last one perhaps torn."""

import os
from collections.abc import Iterator

from orchestrator_py.core import places
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.names import command_log_name
from orchestrator_py.reading.files import BLOCK, LARGEST_DOCUMENT, OpenFile, UnreadableError
from orchestrator_py.reading.run import Run, text_of


class Piece:
    """Some output of a stage as it came; `stream` is `stdout` or `stderr`."""

    __slots__ = ("attempt", "data", "stage", "stream", "timestamp")

    def __init__(self, *, stage: str, stream: str, attempt: object, timestamp: str, data: str) -> None:
        self.stage = stage
        self.stream = stream
        self.attempt = attempt
        self.timestamp = timestamp
        self.data = data


class StageLog:
    """Where the log of a stage is, or will be; `sub_run_id` is the child run of one that has none."""

    __slots__ = ("path", "stage", "sub_run_id")

    def __init__(self, *, stage: str, path: str, sub_run_id: str) -> None:
        self.stage = stage
        self.path = path
        self.sub_run_id = sub_run_id

    def piece_in(self, line: bytes) -> Piece | None:
        """What the line says was printed; None for other events, and for what a crash has torn."""
        if b'"exec:chunk"' not in line:
            return None
        try:
            event = parse_json(line)
        except ValueError:
            return None
        if not isinstance(event, dict) or event.get("type") != "exec:chunk":
            return None
        stream, data, time = text_of(event, "stream"), text_of(event, "data"), text_of(event, "timestamp")
        return Piece(stage=self.stage, stream=stream, attempt=event.get("attempt"), timestamp=time, data=data)

    def pieces(self) -> Iterator[Piece]:
        """All that stands there now; nothing if the stage never started. UnreadableError if it is no log that can be read."""
        rest, position = b"", 0
        try:
            with OpenFile(self.path) as file:
                while block := file.read(position, BLOCK):
                    position += len(block)
                    *lines, rest = (rest + block).split(b"\n")
                    if len(rest) > LARGEST_DOCUMENT:
                        raise UnreadableError(self.path, "has a line that is too long")
                    yield from (piece for line in lines if (piece := self.piece_in(line)) is not None)
        except FileNotFoundError:
            return


def stage_logs(run: Run) -> list[StageLog]:
    """Of all stages, in the order of the pipeline."""
    folder = os.path.join(os.path.dirname(run.path), places.COMMANDS)
    return [
        StageLog(
            stage=text_of(stage, "id"),
            path=os.path.join(folder, command_log_name(number, text_of(stage, "id"))),
            sub_run_id=text_of(stage, "sub_run_id"),
        )
        for number, stage in enumerate(run.objects("commands"), start=1)
    ]
