"""The lines of a metrics history one by one: which are entries, which are not and why, which stand there again."""

from collections.abc import Iterable, Iterator, Mapping
from json import JSONDecodeError

from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import DecodeError
from orchestrator_py.lean import define, field, frozen

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_entry(line: bytes) -> dict[str, object]:
    """The JSON object that the line holds; DecodeError with the reason, one sentence without a full stop, if it holds none."""
    try:
        entry = parse_json(line.removeprefix(_BYTE_ORDER_MARK))
    except JSONDecodeError as error:
        raise DecodeError(f"it is not JSON ({error.msg}, column {error.colno})") from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"it is not UTF-8 (byte {error.start + 1})") from None
    except ValueError as error:
        raise DecodeError(str(error).partition(";")[0].removesuffix(".")) from None
    if not isinstance(entry, dict):
        raise DecodeError("it is JSON, but no object")
    return entry


Ending = tuple[object, object]
"""How a run ended, as its entry and its manifest both say it: status, completed_at."""


def ending_of(document: Mapping[str, object]) -> Ending:
    """Of an entry or of a manifest."""
    return document.get("status"), document.get("completed_at")


def endings_in(lines: Iterable[bytes]) -> dict[str, Ending]:
    """By run id, how each run ended, by its last entry."""
    notes = HistoryNotes()
    for _ in notes.noting(lines):
        pass
    return notes.runs


def run_id_in(line: bytes) -> str | None:
    """The run that the line speaks of; None if it names none or cannot be read."""
    try:
        return run_id_of_entry(parse_entry(line))
    except DecodeError:
        return None


def run_id_of_entry(entry: Mapping[str, object]) -> str | None:
    """The run that the entry speaks of; None if it names none."""
    run_id = entry.get("run_id")
    return run_id if isinstance(run_id, str) and run_id else None


def digest_of(line: bytes) -> bytes:
    """Tells one line from another."""
    from hashlib import blake2b  # brings a library for encryption with it, which a run does not need

    return blake2b(line, digest_size=16).digest()


# Taking notes ------------------------------------------------------------------------------------------------------


@frozen
class LineNote:
    """Something to tell about one line, counted from 1: why it cannot be read, or whose entry it repeats."""

    number: int
    text: str


@define(kw_only=True)
class HistoryNotes:
    """What a history's lines say, taken down while they pass to somebody else."""

    runs: dict[str, Ending] = field(factory=dict)
    """How each run ended, by its last entry."""
    unreadable: list[LineNote] = field(factory=list)
    repeated: list[LineNote] = field(factory=list)
    """Lines that stand there a second time, byte for byte."""
    size: int = 0
    """Bytes, each line with its newline."""
    _seen: set[bytes] = field(factory=set)

    def noting(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines."""
        for number, line in enumerate(lines, start=1):
            self.size += len(line) + 1
            if line.strip():
                self._note(number, line)
            yield line

    def _note(self, number: int, line: bytes) -> None:
        try:
            entry = parse_entry(line)
        except DecodeError as error:
            self.unreadable.append(LineNote(number, str(error)))
            return
        run_id = run_id_of_entry(entry)
        if run_id is None:
            return
        digest = digest_of(line)
        if digest in self._seen:
            self.repeated.append(LineNote(number, run_id))
        self._seen.add(digest)
        self.runs[run_id] = ending_of(entry)


# Merging -----------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class MergedLines:
    """A history in which each run stands once: in the place of its first line, with its last readable entry."""

    lines: tuple[bytes, ...]
    unreadable: int
    """Lines that hold no JSON object; they are not among `lines`."""
    repeated: int
    """Lines that gave way to a later one of the same run."""
    changed: bool
    """Whether `lines` are not simply the lines that were merged."""


def merge_lines(lines: Iterable[bytes]) -> MergedLines:
    """Blank lines go, byte order marks too; an entry that names no run stands for itself."""
    latest: dict[object, bytes] = {}
    total = unreadable = repeated = 0
    trimmed = False
    for line in lines:
        total += 1
        entry_line = line.removeprefix(_BYTE_ORDER_MARK)
        trimmed |= entry_line != line
        if not entry_line.strip():
            continue
        try:
            run_id = run_id_of_entry(parse_entry(entry_line))
        except DecodeError:
            unreadable += 1
            continue
        key: object = total if run_id is None else run_id
        repeated += key in latest
        latest[key] = entry_line
    changed = trimmed or len(latest) != total
    return MergedLines(lines=tuple(latest.values()), unreadable=unreadable, repeated=repeated, changed=changed)
