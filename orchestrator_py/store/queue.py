"""The queue: entries of processes that do not own the task, each file whole and durable before it is seen, absorbed by the owner.

A file holds entry lines; what follows its name's first dot marks them as repeated. Files of the reference implementation read alike.
What another program puts here may be on record already: it counts as repeated, whatever its name.
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from orchestrator_py.core.places import QUEUE_SUFFIX
from orchestrator_py.lean import frozen
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.files import fsync_folder, list_folder, read_bytes, replacing, write_all
from orchestrator_py.store.journal import BATCH_QUEUE_FILES, in_batches
from orchestrator_py.store.ledger import run_id_of

_SUFFIX = QUEUE_SUFFIX
_REPEATED_SUFFIX = ".repeated.jsonl"
_OURS_AND_NEW = re.compile(r"[0-9]{20}-[0-9a-f]{32}\.jsonl")
_NUMBERED = re.compile(r"(0[0-9]{19})-[0-9a-f]{32}[.a-z]*\.jsonl")
"""Ours, marked or not, with the number in front; the time in nanoseconds has a digit to spare."""


@frozen(kw_only=True)
class QueueFile:
    """One file of the queue."""

    name: str
    entries: tuple[EntryLine, ...]

    @property
    def size(self) -> int:
        return sum(map(entry_size, self.entries))


def entry_size(entry: EntryLine) -> int:
    """Bytes with the newline."""
    return len(entry.line) + 1


def join_lines(entries: Sequence[EntryLine]) -> bytes:
    return b"".join(entry.line + b"\n" for entry in entries)


def enqueue(folder: Path, entries: Sequence[EntryLine]) -> None:
    """Puts the entries into the queue; returns when they are durable.

    128 random bits keep names apart, also from names that an old segment may hold. The number in front keeps the order in which entries
    of one run were queued: it is the time, or what follows the newest that waits, since a clock may have been set back.
    """
    number = max(time.time_ns(), _newest_number(folder) + 1)
    for repeated, alike in groupby(entries, key=lambda entry: entry.repeated):
        for group in in_batches(alike, entry_size):
            name = f"{number:020d}-{os.urandom(16).hex()}{_REPEATED_SUFFIX if repeated else _SUFFIX}"
            with replacing(folder / name, synced=True) as temp:
                write_all(temp, join_lines(group))
            number += 1
    fsync_folder(folder)


def _newest_number(folder: Path) -> int:
    return max((int(found[1]) for name in list_queue(folder) if (found := _NUMBERED.fullmatch(name))), default=0)


def list_queue(folder: Path) -> list[str]:
    """The names of the queued files, in the order in which they are absorbed."""
    return [name for name in list_folder(folder) if name.endswith(_SUFFIX)]


def read_queue(folder: Path) -> Iterator[list[QueueFile]]:
    """The queued files, in groups that fit into a batch."""
    files = (_read_queue_file(folder / name) for name in list_queue(folder))
    return in_batches(files, lambda file: file.size, most=BATCH_QUEUE_FILES)


def queued_lines(folder: Path, without: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """The lines of all queued files but those, whether they can be read or not."""
    for name in (name for name in list_queue(folder) if name not in without):
        yield from (line for line in (read_bytes(folder / name) or b"").split(b"\n") if line)


def _read_queue_file(path: Path) -> QueueFile:
    repeated = _OURS_AND_NEW.fullmatch(path.name) is None
    lines = [line for line in (read_bytes(path) or b"").split(b"\n") if line]
    return QueueFile(name=path.name, entries=tuple(_parse_entry(line, repeated) for line in lines))


def _parse_entry(line: bytes, repeated: bool) -> EntryLine:
    """A line that begins like a commit line is no entry, but is kept all the same: a blank in front tells them apart."""
    return EntryLine(run_id=run_id_of(line), line=b" " + line if line.startswith(b"#") else line, repeated=repeated)
