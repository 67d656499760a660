"""One journal segment from its first byte to its last, damage included; reading for the record stops where damage begins."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from attrs import define, field

from orchestrator_py.store.files import read_bytes
from orchestrator_py.store.journal import Batch, list_segments, read_batches


@define(kw_only=True)
class SegmentScan:
    """`whole` is the valid prefix, `damaged` the bytes that belong to no whole batch, `behind` the whole batches behind such bytes."""

    path: Path
    whole: list[Batch] = field(factory=list)
    behind: list[Batch] = field(factory=list)
    damaged: bytes = b""
    damaged_line: int = 0
    """Where the damage begins, counted from 1; 0 if there is none."""

    @property
    def batches(self) -> list[Batch]:
        return self.whole + self.behind

    def damaged_lines(self) -> Iterator[bytes]:
        """What may have been entries."""
        return (line for line in self.damaged.split(b"\n") if line.strip() and not line.startswith(b"#"))


def scan_segments(folder: Path) -> list[SegmentScan]:
    """The segments of a pending folder, in order."""
    return [_scan(path, read_bytes(path) or b"") for path in list_segments(folder)]


def _scan(path: Path, content: bytes) -> SegmentScan:
    scan = SegmentScan(path=path)
    position = 0
    while position < len(content):
        batches = list(read_batches(BytesIO(content[position:])))
        (scan.behind if scan.damaged else scan.whole).extend(batches)
        position += sum(len(batch.data) for batch in batches)
        end = _end_of_damage(content, position)
        if end > position and not scan.damaged:
            scan.damaged_line = content.count(b"\n", 0, position) + 1
        scan.damaged += content[position:end]
        position = end
    return scan


def _end_of_damage(content: bytes, position: int) -> int:
    """Behind the next commit line, which belongs to the damage; the end, if there is none."""
    while position < len(content):
        line_end = content.find(b"\n", position) + 1 or len(content)
        if content.startswith(b"#", position):
            return line_end
        position = line_end
    return position
