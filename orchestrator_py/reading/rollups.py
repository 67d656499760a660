"""The rollups of a task as they were last published, read as plain data."""

import os

from orchestrator_py.core import places
from orchestrator_py.reading.files import Data, UnreadableError, read_document

COMPLETENESS, PER_EPOCH, STATE = "completeness.json", "per-epoch.json", "state.json"


class Rollups:
    """Those that the report on the newest runs does not need; each is empty if it is not published."""

    __slots__ = ("completeness", "mttr", "per_epoch", "state")

    def __init__(self, *, completeness: Data, per_epoch: Data, mttr: Data, state: Data) -> None:
        self.completeness = completeness
        self.per_epoch = per_epoch
        self.mttr = mttr
        self.state = state


def read_rollups(runs_root: str, out_root: str, task: str, problems: list[UnreadableError]) -> Rollups:
    """What cannot be read goes to `problems`."""
    runs, out = os.path.join(runs_root, task, places.ROLLUPS), os.path.join(out_root, task)
    return Rollups(
        completeness=_read(os.path.join(runs, COMPLETENESS), problems),
        per_epoch=_read(os.path.join(runs, PER_EPOCH), problems),
        mttr=_read(os.path.join(out, places.ROLLUPS, places.MTTR_DELTA), problems),
        state=_read(os.path.join(out, STATE), problems),
    )


def _read(path: str, problems: list[UnreadableError]) -> Data:
    try:
        return read_document(path) or {}
    except UnreadableError as error:
        problems.append(error)
        return {}
