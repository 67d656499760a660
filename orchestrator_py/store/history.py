"""The history of one task, metrics.json: its bytes are the only truth about what is folded. Never appended to, replaced whole."""

import fcntl
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from orchestrator_py.errors import HistoryChangedError
from orchestrator_py.lean import define, frozen
from orchestrator_py.store.files import fsync_folder, open_for_reading, replacing, telling, write_all
from orchestrator_py.store.journal import Batch, list_segments, read_batches, read_whole_batches
from orchestrator_py.store.layout import TaskLayout

_COPY_BYTES = 1024 * 1024
_CLONE_FILE = 0x40049409  # Linux: FICLONE


@frozen(kw_only=True)
class Stamp:
    """Tells one metrics.json from another; zeros when there is none."""

    inode: int = 0
    size: int = 0
    mtime_ns: int = 0


def read_stamp(path: Path) -> Stamp:
    with telling(path, "look at it"):
        try:
            found = os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            return Stamp()
    return Stamp(inode=found.st_ino, size=found.st_size, mtime_ns=found.st_mtime_ns)


# The owner's side --------------------------------------------------------------------------------------------------


@define(kw_only=True)
class History:
    """metrics.json as its owner knows it: `stamp` is what it was when this process last looked or wrote."""

    path: Path
    stamp: Stamp
    cloned: bool = False
    """The last copy was a reflink: it cost no bytes."""

    @property
    def size(self) -> int:
        return self.stamp.size

    def holds(self, batch: Batch) -> bool:
        """Whether the batch is folded: its very bytes stand there."""
        return batch.end <= self.size and self._read(batch.start, len(batch.lines)) == batch.lines

    def ends_whole(self) -> bool:
        """Whether the last line has its newline."""
        return self.size == 0 or self._read(self.size - 1, 1) == b"\n"

    def _read(self, start: int, size: int) -> bytes:
        file = open_for_reading(self.path)
        if file is None:
            return b""
        with file, telling(self.path, "read it"):
            file.seek(start)
            return file.read(size)

    def extend(self, lines: Iterable[bytes]) -> None:
        """The fold: a synced copy with the lines behind it takes the place of the file."""
        with replacing(self.path, synced=True) as temp:
            self._copy_into(temp)
            for chunk in lines:
                write_all(temp, chunk)
            self.check()
        fsync_folder(self.path.parent)
        self.stamp = read_stamp(self.path)

    def check(self) -> None:
        """HistoryChangedError if another program has touched the file."""
        if read_stamp(self.path) != self.stamp:
            raise history_changed(self.path, "it is not the file that this run opened")

    def _copy_into(self, temp: int) -> None:
        file = open_for_reading(self.path)
        if file is None:
            return
        with file, telling(self.path, "copy it"):
            self.cloned = _clone(file.fileno(), temp)
            while chunk := b"" if self.cloned else file.read(_COPY_BYTES):
                write_all(temp, chunk)
            os.lseek(temp, 0, os.SEEK_END)


def _clone(source: int, target: int) -> bool:
    """A copy that shares its blocks with the original, where the file system has such a thing."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _CLONE_FILE, source)
    except OSError:
        return False
    return True


def history_changed(path: Path, difference: str) -> HistoryChangedError:
    return HistoryChangedError(
        f"{path}: was changed by another program: {difference}. Nothing was written. "
        "Put the earlier file back, or merge by run id with `orchestrator-py metrics rebuild`."
    )


# Everyone's side ---------------------------------------------------------------------------------------------------


def read_history(task: TaskLayout, start: int = 0, *, damaged: bool = False) -> Iterator[bytes]:
    """The lines of history and journal from byte `start` on, without their newlines. Needs no lock, and memory stays flat.

    StoreError if the journal is damaged; with `damaged`, the lines before the damage.
    """
    with _snapshot(task) as (history, segments), telling(task.metrics, "read it"):
        end = history.seek(0, os.SEEK_END)
        history.seek(start)
        yield from _lines(history)
        batches = (read_batches(file, path) if damaged else read_whole_batches(file, path) for path, file in segments)
        for batch in chain.from_iterable(batches):
            if batch.start == end:
                yield from _lines(BytesIO(batch.lines[max(0, start - end) :]))
                end = batch.end


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return (line.removesuffix(b"\n") for line in file)


@contextmanager
def _snapshot(task: TaskLayout) -> Iterator[tuple[BinaryIO, list[tuple[Path, BinaryIO]]]]:
    """History and segments that belong together, open.

    A fold renames first and unlinks its segment later: while the history is the same before and after, no segment is missing.
    """
    while True:
        stamp = read_stamp(task.metrics)
        with ExitStack() as opened:
            paths = (task.metrics, *list_segments(task.pending))
            history, *segments = [(path, opened.enter_context(open_for_reading(path) or BytesIO())) for path in paths]
            if read_stamp(task.metrics) == stamp:
                yield history[1], segments
                return
