"""The newest entries of a task's history, read from its end: it costs the same however long the history is.

They stand in the queue, then in the journal, then in metrics.json. A run counts once, with its last outcome.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack

from orchestrator_py.core import places
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.reading.files import Data, OpenFile, UnreadableError, lines_backwards, list_names
from orchestrator_py.reading.run import text_of

_SEGMENT = "b-([0-9]{1,19})"
_MOST_TRIES = 100


class Tail:
    """`entries`, the newest first; `unreadable` lines were passed over on the way, and `problems` say where the journal is damaged."""

    __slots__ = ("entries", "problems", "unreadable")

    def __init__(self) -> None:
        self.entries: list[Data] = []
        self.problems: list[UnreadableError] = []
        self.unreadable = 0


def read_tail(folder: str, most: int) -> Tail:
    """The newest entries of the task in this folder, so many at most. UnreadableError if a file cannot be read."""
    tail, seen = Tail(), set[str]()
    for line in _lines_backwards(folder, tail.problems):
        entry = _parse(line)
        if entry is None:
            tail.unreadable += 1
        elif (run_id := text_of(entry, "run_id")) not in seen or not run_id:
            seen.add(run_id)
            tail.entries.append(entry)
        if len(tail.entries) == most:
            break
    return tail


def _lines_backwards(folder: str, problems: list[UnreadableError]) -> Iterator[bytes]:
    """Of queue, journal and history, opened in this order, in which an entry moves: none is missed on its way. Blank ones are none."""
    yield from _queued_backwards(os.path.join(folder, places.PENDING))
    with ExitStack() as opened:
        history, segments = _open(folder, opened)
        folded = history.size if history is not None else 0
        for segment in reversed(segments):
            yield from filter(bytes.strip, _segment_backwards(segment, folded, problems))
        if history is not None:
            yield from (line for _, line in lines_backwards(history, history.size) if line.strip())


def _segment_backwards(segment: OpenFile, folded: int, problems: list[UnreadableError]) -> Iterator[bytes]:
    from orchestrator_py.reading.journal_tail import lines_of_batches_backwards  # most often the journal is empty

    return lines_of_batches_backwards(segment, folded, problems)


def _open(folder: str, opened: ExitStack) -> tuple[OpenFile | None, list[OpenFile]]:
    """History and segments that belong together: a fold renames the history, then unlinks a segment, so we look at the history twice."""
    pending, metrics = os.path.join(folder, places.PENDING), os.path.join(folder, places.METRICS)
    for _ in range(_MOST_TRIES):
        history = _open_if_there(metrics, opened)
        numbers = sorted(int(found[1]) for name in list_names(pending) if (found := re.fullmatch(_SEGMENT, name)))
        segments = [_open_if_there(os.path.join(pending, f"b-{number}"), opened) for number in numbers]
        if _is_still(metrics, history):
            return history, [segment for segment in segments if segment is not None]
        opened.close()
    raise UnreadableError(metrics, "is replaced again and again", "ask again")


def _open_if_there(path: str, opened: ExitStack) -> OpenFile | None:
    try:
        return opened.enter_context(OpenFile(path))
    except FileNotFoundError:
        return None


def _is_still(path: str, file: OpenFile | None) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return file is None
    return file is not None and (found.st_ino, found.st_size) == (file.status.st_ino, file.status.st_size)


def _queued_backwards(pending: str) -> Iterator[bytes]:
    """Entries of processes that do not own the task. A file is read when its entries are wanted; several may be of one run."""
    names = sorted(name for name in list_names(pending) if name.endswith(places.QUEUE_SUFFIX))
    for name in reversed(names):
        try:
            with OpenFile(os.path.join(pending, name)) as file:
                yield from (line for _, line in lines_backwards(file, file.size) if line.strip())
        except FileNotFoundError:
            continue  # absorbed meanwhile


def _parse(line: bytes) -> Data | None:
    try:
        entry = parse_json(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
