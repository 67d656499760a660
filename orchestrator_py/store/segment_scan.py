"""One journal segment from its first byte to its last, damage included; reading for the record stops where damage begins."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from orchestrator_py.lean import define, field
from orchestrator_py.model.finding import MENDED_BY_OPENING, Finding
from orchestrator_py.store.files import read_bytes
from orchestrator_py.store.journal import Batch, find_batches, list_segments, read_batches


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
    scan = SegmentScan(path=path, whole=list(read_batches(BytesIO(content), path)))
    end = sum(len(batch.data) for batch in scan.whole)
    if end < len(content):
        scan.damaged_line = content.count(b"\n", 0, end) + 1
    rest, position = content[end:], 0
    for start, batch in find_batches(rest, path):
        scan.damaged += rest[position:start] + b"\n"
        scan.behind.append(batch)
        position = start + len(batch.data)
    scan.damaged += rest[position:]
    return scan


def damage_in(scan: SegmentScan, name: str) -> Finding | None:
    """What is wrong in the segment, of which the audit speaks as `name`."""
    if scan.behind:
        problem = f"it is damaged here, and {len(scan.behind)} whole batches follow"
        return Finding(path=name, line=scan.damaged_line, problem=problem)
    if scan.damaged:
        problem = f"{len(scan.damaged)} bytes after its last whole batch were never acknowledged"
        return Finding(path=name, line=scan.damaged_line, problem=problem, remedy=MENDED_BY_OPENING)
    return None
