"""A journal segment read from its end, as docs/durability.md has it: batches of lines, each closed by a commit line.

A commit line is `#`, the crc32 of lines and fields as 8 hex digits, a blank, and the fields as JSON: `start`, `count`, `bytes`, `absorbed`.
Bytes that belong to no whole batch were never acknowledged, and are passed over.
"""

import json
import zlib
from collections.abc import Iterator

from orchestrator_py.reading.files import OpenFile, UnreadableError, lines_backwards

BATCH_VERSION = 1
_CRC_DIGITS = 8
_BLOCK = 4096  # a commit line is short, and the lines before it are read by its own word


def lines_of_batches_backwards(segment: OpenFile, folded: int) -> Iterator[bytes]:
    """The acknowledged lines, the last one first, down to byte `folded` of the history: what stands before it has been folded already."""
    end = segment.size
    while end:
        for place, line in lines_backwards(segment, end, _BLOCK):
            batch = _parse_commit_line(segment, place, line)
            if batch is not None:
                break
        else:
            return
        start, lines = batch
        if start < folded:
            return
        yield from reversed(lines.removesuffix(b"\n").split(b"\n") if lines else [])
        end = place - len(lines)


def _parse_commit_line(segment: OpenFile, place: int, line: bytes) -> tuple[int, bytes] | None:
    """Where the batch stands in the history, and its lines; None if the line closes no whole batch. UnreadableError for a newer format."""
    text = line[_CRC_DIGITS + 2 :]
    try:
        if line[:1] != b"#" or line[_CRC_DIGITS + 1 : _CRC_DIGITS + 2] != b" ":
            return None
        crc, fields = int(line[1 : _CRC_DIGITS + 1], 16), json.loads(text)
    except (ValueError, RecursionError):
        return None
    match fields:
        case {"version": int(version)} if version > BATCH_VERSION:
            raise UnreadableError(
                segment.path, f"was written by a newer version of orchestrator-py (format {version})", "upgrade orchestrator-py"
            )
        case {"start": int(start), "bytes": int(size)} if 0 <= size <= place:
            lines = segment.read(place - size, size)
            return (start, lines) if zlib.crc32(text, zlib.crc32(lines)) == crc else None
    return None
