"""Files of others, read without touching them: no lock that matters, no link followed, nothing that can hold us up.

This room answers questions on the command line at once: it needs the standard library alone, and JSON stays plain data.
"""

import os
import stat
from collections.abc import Iterator

from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import StoreError

BLOCK = 64 * 1024
LARGEST_DOCUMENT = 32 * 1024 * 1024

Data = dict[str, object]


class UnreadableError(StoreError):
    """What stands at `path` cannot be used; `problem` completes "path: ...", without a full stop."""

    def __init__(self, path: str, problem: str, remedy: str = "put a good copy back, or move it away") -> None:
        super().__init__(f"{path}: {problem}; {remedy}.")
        self.path = path
        self.problem = problem


class OpenFile:
    """A regular file, open for reading: `with OpenFile(path) as file`. FileNotFoundError if it is not there, else UnreadableError."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnreadableError(path, _reason(path, error)) from None
        self.status = os.fstat(self.descriptor)
        if not stat.S_ISREG(self.status.st_mode):
            self.close()
            raise UnreadableError(path, "is no file")

    @property
    def size(self) -> int:
        """When it was opened."""
        return self.status.st_size

    def read(self, start: int, size: int) -> bytes:
        """So many bytes, fewer only where the file ends."""
        try:
            parts = []
            while size and (part := os.pread(self.descriptor, min(size, BLOCK), start)):
                parts.append(part)
                start, size = start + len(part), size - len(part)
            return b"".join(parts)
        except OSError as error:
            raise UnreadableError(self.path, f"cannot be read: {error.strerror}") from None

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> "OpenFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_document(path: str) -> Data | None:
    """The JSON object in a file, None if there is no file. UnreadableError says what is wrong."""
    try:
        with OpenFile(path) as file:
            if file.size > LARGEST_DOCUMENT:
                raise UnreadableError(path, f"is larger than {LARGEST_DOCUMENT >> 20} MiB")
            content = file.read(0, LARGEST_DOCUMENT)
    except FileNotFoundError:
        return None
    try:
        document = parse_json(content)
    except ValueError:
        raise UnreadableError(path, "is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableError(path, "is no JSON object")
    return document


def list_names(folder: str) -> list[str]:
    """The names in a folder, none if it is not there. A link to a folder is none of ours."""
    try:
        if stat.S_ISLNK(os.lstat(folder).st_mode):
            raise UnreadableError(folder, "is a symbolic link where a folder belongs")
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableError(folder, f"cannot be listed: {error.strerror}") from None


def lines_backwards(file: OpenFile, end: int, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """The lines before byte `end`, the last one first, each with its place, without newlines. Reads blocks of that size as it needs them.

    What stands behind the last newline is a line too, unless it is empty.
    """
    parts: list[bytes] = []  # of the line whose beginning has not been seen, the last part first
    position = end
    while position:
        start = max(0, position - size)
        block = file.read(start, position - start)
        if len(block) < position - start:
            raise UnreadableError(file.path, "has become shorter while it was read")
        while (newline := block.rfind(b"\n")) >= 0:
            line = b"".join([block[newline + 1 :], *reversed(parts)])
            if line or start + newline + 1 < end:
                yield start + newline + 1, line
            parts.clear()
            block = block[:newline]
        parts.append(block)
        position = start
    if end:
        yield 0, b"".join(reversed(parts))


def _reason(path: str, error: OSError) -> str:
    if os.path.islink(path):
        return "is a symbolic link where a file belongs"
    return f"cannot be opened: {error.strerror}"
