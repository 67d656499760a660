"""A journal segment read from its end, as docs/durability.md has it: batches of lines, each closed by a commit line.

A commit line is `#`, the crc32 of lines and fields as 8 hex digits, a blank, and the fields as JSON: `start`, `count`, `bytes`, `absorbed`.
Bytes behind the last whole batch were never acknowledged, and are passed over. Such bytes before one are damage, and are named.
"""

import json
import zlib
from collections.abc import Iterator

from orchestrator_py.reading.files import OpenFile, UnreadableError, lines_backwards

BATCH_VERSION = 1
_CRC_DIGITS = 8
_BLOCK = 4096  # a commit line is short, and the lines before it are read by its own word


def lines_of_batches_backwards(segment: OpenFile, folded: int, problems: list[UnreadableError]) -> Iterator[bytes]:
    """The acknowledged lines, the last one first, down to byte `folded` of the history: what stands before it has been folded already.

    Lines that are missing between them, or before the first of them, are told in `problems` when they are passed over.
    """
    end, following = segment.size, 0  # where the lines of the batch behind will stand in the history; 0 before the last one is found
    while end:
        found = _last_batch(segment, end)
        if found is None:
            if following > folded:
                problems.append(_damage(segment, 0))
            return
        place, behind, start, lines = found
        if following > max(folded, start + len(lines)):
            problems.append(_damage(segment, behind))
        if start < folded:
            return
        yield from reversed(lines.removesuffix(b"\n").split(b"\n") if lines else [])
        end, following = place, start


def _last_batch(segment: OpenFile, end: int) -> tuple[int, int, int, bytes] | None:
    """Of those before byte `end`: its first byte, the byte behind it, where it stands in the history, and its lines."""
    for place, line in lines_backwards(segment, end, _BLOCK):
        batch = _parse_commit_line(segment, place, line)
        if batch is not None:
            start, lines = batch
            return place - len(lines), place + len(line) + 1, start, lines
    return None


def _damage(segment: OpenFile, place: int) -> UnreadableError:
    return UnreadableError(
        segment.path,
        f"is damaged at byte {place}, and whole batches of entries follow",
        "put an undamaged copy back, or keep what can be read with `orchestrator-py metrics rebuild`",
    )


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
