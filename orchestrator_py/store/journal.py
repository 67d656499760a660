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

from orchestrator_py.errors import StoreError
from orchestrator_py.lean import define, field, frozen
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
from orchestrator_py.store.formats import is_newer, newer_format

_T = TypeVar("_T")

BATCH_BYTES = 8 * 1024 * 1024
BATCH_QUEUE_FILES = 1_000

_SEGMENT_NAME = re.compile(r"b-([0-9]+)")
_COMMIT_LINE = re.compile(rb"#([0-9a-f]{8}) (.+)\n")
_VERSION = 1  # of batches; a commit line that does not say `version` is of the first
_COMMIT_LINE_BYTES = re.compile(rb'#[0-9a-f]{8} \{.*?"bytes":([0-9]{1,18}).*\n')


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


def read_batches(segment: BinaryIO, path: Path = Path()) -> Iterator[Batch]:
    """The batches of the valid prefix, one at a time. What follows it was never acknowledged. StoreError for one of a newer format."""
    lines: list[bytes] = []
    for line in segment:
        if not line.startswith(b"#"):
            lines.append(line)
            continue
        batch = _parse_batch(b"".join(lines), line, path)
        if batch is None:
            return
        yield batch
        lines.clear()


def find_batches(content: bytes, path: Path = Path()) -> Iterator[tuple[int, Batch]]:
    """Whole batches wherever they stand, each with the place of its first byte: what is left of a damaged segment."""
    end = 0
    for found in _COMMIT_LINE_BYTES.finditer(content):
        start = found.start() - int(found[1])
        batch = _parse_batch(content[start : found.start()], found[0], path) if start >= end else None
        if batch is not None:
            yield start, batch
            end = found.end()


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


def _parse_batch(lines: bytes, commit_line: bytes, path: Path) -> Batch | None:
    found = _COMMIT_LINE.fullmatch(commit_line)
    if found is None or int(found[1], 16) != _crc(lines, found[2]):
        return None
    fields = json.loads(found[2])
    if is_newer(fields, _VERSION):
        raise StoreError(newer_format(path, fields["version"], _VERSION))
    match fields:
        case {"start": int(start), "count": int(count), "bytes": int(size), "absorbed": [*names]} if size == len(lines):
            if count == lines.count(b"\n"):
                return Batch(start=start, lines=lines, absorbed=tuple(map(str, names)), commit_line=commit_line)
    return None


def _crc(lines: bytes, text: bytes) -> int:
    return zlib.crc32(text, zlib.crc32(lines))


# Segments ----------------------------------------------------------------------------------------------------------


def read_segment(path: Path, offset: int = 0) -> Iterator[Batch]:
    """The batches of one segment from a batch's first byte on; none if there is no such file. StoreError if it is damaged."""
    file = open_for_reading(path)
    if file is not None:
        with file, telling(path, "read it"):
            file.seek(offset)
            yield from read_whole_batches(file, path)


def read_whole_batches(segment: BinaryIO, path: Path) -> Iterator[Batch]:
    """The batches of the valid prefix. StoreError if a whole one follows behind bad bytes: a torn batch is the last thing in a segment.

    A batch is written when its predecessor is durable, and a recovered segment goes on behind its last whole batch. So what a crash
    leaves behind bad bytes is at most the rest of one batch.
    """
    offset = segment.tell()
    while True:
        segment.seek(offset)
        for batch in read_batches(segment, path):
            yield batch
            offset += len(batch.data)
        segment.seek(offset)
        rest = segment.read()
        if not any(find_batches(rest, path)):
            return
        segment.seek(offset)
        if not any(read_batches(segment, path)):  # nor was it being written: its successor stood there before we looked again
            number = sum(1 for _ in find_batches(rest))
            raise StoreError(
                f"{path}: is damaged at byte {offset}, and {number} whole batches of entries follow. Nothing was changed. "
                "Put an undamaged copy back, or keep what can be read with `orchestrator-py metrics rebuild`."
            )


def list_segments(folder: Path) -> list[Path]:
    """The segments of a pending folder, by the number in their names."""
    numbers = [int(found[1]) for name in list_folder(folder) if (found := _SEGMENT_NAME.fullmatch(name))]
    return [_segment(folder, number) for number in sorted(numbers)]


def _segment(folder: Path, start: int) -> Path:
    return folder / f"b-{start}"


@frozen(kw_only=True)
class Mark:
    """A place in the journal: what stands before byte `offset` of the segment is durable, the queue files that it names durably gone."""

    segment: str
    offset: int


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
    _offset: int = 0
    """Where the next batch will stand in the live segment."""

    @property
    def mark(self) -> Mark | None:
        """Where the journal ends; None if it is empty, or in several pieces. True only while `settle` has nothing to do."""
        return Mark(segment=self.segments[0].name, offset=self._offset) if self._live is not None and len(self.segments) == 1 else None

    def append(self, batch: Batch) -> None:
        """Returns when the batch is durable. SegmentError: try once more after a fold; any other StoreError: stop."""
        born = self._live is None
        if born and self.unlinked:
            fsync_folder(self.folder)
            self.unlinked = False
        segment = _segment(self.folder, self.end) if born else self.segments[-1]
        try:
            descriptor = self._give_birth(segment) if self._live is None else self._live
            write_all(descriptor, batch.data)
            sync_data(descriptor)
        except FileExistsError:
            raise StoreError(f"{segment}: stands where the journal goes on, and this run has not made it; move it away.") from None
        except OSError as error:
            self.finish()
            raise SegmentError(*store_error(segment, "append to it", error).args) from error
        if born:
            fsync_folder(self.folder)
        self._refuse_when_moved(segment, descriptor)
        self.end = batch.end
        self._offset += len(batch.data)
        self.absorbed |= bool(batch.absorbed)

    def _give_birth(self, segment: Path) -> int:
        self._live = os.open(segment, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self.segments.append(segment)
        self._offset = 0
        return self._live

    def _refuse_when_moved(self, segment: Path, descriptor: int) -> None:
        """What stands in a file that nobody will find is not on record, however durable it is."""
        with telling(segment, "find the journal again"):
            standing, written = os.stat(segment, follow_symlinks=False), os.fstat(descriptor)
        if (standing.st_dev, standing.st_ino) != (written.st_dev, written.st_ino):
            raise StoreError(
                f"{segment}: the folder or the journal was replaced; put the earlier {self.folder} back, "
                "leave it alone while a run is going on, and start again."
            )

    def revive(self, segment: Path, offset: int, last: Batch | None) -> None:
        """Goes on with a dead owner's segment. Its last batch is written and synced again, unless it is known to be durable (None)."""
        data = b"" if last is None else last.data
        try:
            self._live = open_file(segment, os.O_WRONLY)
            os.lseek(self._live, offset, os.SEEK_SET)
            if data:
                write_all(self._live, data)
                sync_data(self._live)
        except OSError as error:
            self.finish()
            raise store_error(segment, "write its last batch again", error) from error
        self._offset = offset + len(data)

    def acknowledged(self, start: int) -> Iterator[Batch]:
        """The acknowledged batches from byte `start` of the history on, every one of them; StoreError if one cannot be read back."""
        expected = start
        for segment in self.segments:
            for batch in read_segment(segment):
                if batch.start == expected and batch.end <= self.end:
                    yield batch
                    expected = batch.end
        if expected != self.end:
            raise StoreError(
                f"{self.folder}: the journal ends at byte {expected}, but {self.end} were recorded; check the disk, "
                "then keep what can be read with `orchestrator-py metrics rebuild`."
            )

    def settle(self) -> None:
        """No queue file that a batch names may come back afterwards."""
        if self.absorbed:
            fsync_folder(self.folder)
            self.absorbed = False

    def drop_segments(self) -> None:
        """Unlinks them all: their batches stand in the history."""
        self.finish()
        self.settle()
        while self.segments:
            self.unlinked |= remove_file(self.segments.pop())

    def finish(self) -> None:
        """Closes the live segment; its descriptor is never used again."""
        descriptor, self._live = self._live, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
