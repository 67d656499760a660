"""What tells one version of a file from another, and where it is said what cannot be read."""

import os

from orchestrator_py.reading.files import UnreadableError

Problems = list[UnreadableError]
Signature = tuple[object, ...]


def signature_of(path: str) -> Signature:
    """Changes whenever the file is replaced."""
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
