"""A folder for files that are written and thrown away by the thousand."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """In memory where that is possible: harnesses that use it make no claim about what a disk keeps."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="orchestrator-py-", dir=memory) as folder:
        yield Path(folder)
