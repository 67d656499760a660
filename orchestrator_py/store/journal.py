"""The journal: the lines that will stand in the history from its end on, appended to one segment and synced batch by batch.

A batch is its lines plus one commit line, `#` crc32 and JSON, whose crc covers both. Nobody but this package reads it.
"""

import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from attrs import define, field, frozen

from orchestrator_py.errors import StoreError
from orchestrator_py.store.files import (
    fsync_folder,
    list_folder,
    open_file,
    open_for_reading,
    remove_file,
    store_error,
    sync_data,
    telling,
    write_all,
)

_T = TypeVar("_T")

BATCH_BYTES = 8 * 1024 * 1024
BATCH_QUEUE_FILES = 1_000

_SEGMENT_NAME = re.compile(r"b-([0-9]+)")
_COMMIT_LINE = re.compile(rb"#([0-9a-f]{8}) (.+)\n")


class SegmentError(StoreError):
    """Opening, writing or syncing a segment failed: nothing of the batch is acknowledged, and the segment is finished."""


# Batches -----------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Batch:
    """`lines` (whole ones) will stand in the history from byte `start` on; `absorbed` names the queue files that they came from."""

    start: int
    lines: bytes
    absorbed: tuple[str, ...]
    commit_line: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.lines)

    @property
    def data(self) -> bytes:
        """As it stands in the segment."""
        return self.lines + self.commit_line


def create_batch(*, start: int, lines: bytes, absorbed: tuple[str, ...] = ()) -> Batch:
    fields = {"start": start, "count": lines.count(b"\n"), "bytes": len(lines), "absorbed": absorbed}
    text = json.dumps(fields, separators=(",", ":")).encode()
    return Batch(start=start, lines=lines, absorbed=absorbed, commit_line=b"#%08x %b\n" % (_crc(lines, text), text))


def read_batches(segment: BinaryIO) -> Iterator[Batch]:
    """The batches of the valid prefix, one at a time. What follows it was never acknowledged."""
    lines: list[bytes] = []
    for line in segment:
        if not line.startswith(b"#"):
            lines.append(line)
            continue
        batch = _parse_batch(b"".join(lines), line)
        if batch is None:
            return
        yield batch
        lines.clear()


def in_batches(items: Iterable[_T], size: Callable[[_T], int], *, most: int | None = None) -> Iterator[list[_T]]:
    """Groups of items that fit into a batch, so that opening and folding need little memory; an oversized item stands alone."""
    group: list[_T] = []
    total = 0
    for item in items:
        if group and (total + size(item) > BATCH_BYTES or len(group) == most):
            yield group
            group, total = [], 0
        group.append(item)
        total += size(item)
    if group:
        yield group


def _parse_batch(lines: bytes, commit_line: bytes) -> Batch | None:
    found = _COMMIT_LINE.fullmatch(commit_line)
    if found is None or int(found[1], 16) != _crc(lines, found[2]):
        return None
    match json.loads(found[2]):
        case {"start": int(start), "count": int(count), "bytes": int(size), "absorbed": [*names]} if size == len(lines):
            if count == lines.count(b"\n"):
                return Batch(start=start, lines=lines, absorbed=tuple(map(str, names)), commit_line=commit_line)
    return None


def _crc(lines: bytes, text: bytes) -> int:
    return zlib.crc32(text, zlib.crc32(lines))


# Segments ----------------------------------------------------------------------------------------------------------


def read_segment(path: Path) -> Iterator[Batch]:
    """The valid prefix of one segment; nothing if there is no such file."""
    file = open_for_reading(path)
    if file is not None:
        with file, telling(path, "read it"):
            yield from read_batches(file)


def list_segments(folder: Path) -> list[Path]:
    """The segments of a pending folder, by the number in their names."""
    numbers = [int(found[1]) for name in list_folder(folder) if (found := _SEGMENT_NAME.fullmatch(name))]
    return [_segment(folder, number) for number in sorted(numbers)]


def _segment(folder: Path, start: int) -> Path:
    return folder / f"b-{start}"


@define(kw_only=True)
class Journal:
    """The owner's end of the journal. One live segment, always: the last of `segments`."""

    folder: Path
    end: int
    """Where the next line will stand in the history: everything before it is acknowledged."""
    segments: list[Path] = field(factory=list)
    unlinked: bool = False
    """A segment was unlinked, and its name may come back until the folder is synced."""
    absorbed: bool = False
    """A batch named queue files whose removal may not be durable yet."""
    _live: int | None = None

    def append(self, batch: Batch) -> None:
        """Returns when the batch is durable. SegmentError: try once more after a fold; any other StoreError: stop."""
        born = self._live is None
        if born and self.unlinked:
            fsync_folder(self.folder)
            self.unlinked = False
        try:
            descriptor = self._give_birth() if self._live is None else self._live
            write_all(descriptor, batch.data)
            sync_data(descriptor)
        except OSError as error:
            self.finish()
            raise SegmentError(*store_error(self.segments[-1], "append to it", error).args) from error
        if born:
            fsync_folder(self.folder)
        self.end = batch.end
        self.absorbed |= bool(batch.absorbed)

    def _give_birth(self) -> int:
        self.segments.append(_segment(self.folder, self.end))
        self._live = os.open(self.segments[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        return self._live

    def revive(self, segment: Path, position: int, last: Batch) -> None:
        """Goes on with a dead owner's segment, behind its last batch, which is written and synced again: it may not be durable yet."""
        try:
            self._live = open_file(segment, os.O_WRONLY)
            os.lseek(self._live, position, os.SEEK_SET)
            write_all(self._live, last.data)
            sync_data(self._live)
        except OSError as error:
            self.finish()
            raise store_error(segment, "write its last batch again", error) from error

    def acknowledged(self, start: int) -> Iterator[Batch]:
        """The acknowledged batches from byte `start` of the history on, every one of them; StoreError if one cannot be read back."""
        expected = start
        for segment in self.segments:
            for batch in read_segment(segment):
                if batch.start == expected and batch.end <= self.end:
                    yield batch
                    expected = batch.end
        if expected != self.end:
            raise StoreError(f"{self.folder}: the journal ends at byte {expected}, but {self.end} were recorded; check the disk.")

    def drop_segments(self) -> None:
        """Unlinks them all: their batches stand in the history. No queue file that they name may come back afterwards."""
        self.finish()
        if self.absorbed:
            fsync_folder(self.folder)
            self.absorbed = False
        while self.segments:
            self.unlinked |= remove_file(self.segments.pop())

    def finish(self) -> None:
        """Closes the live segment; its descriptor is never used again."""
        descriptor, self._live = self._live, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
