"""Damaged files are set aside under a name that says what they hold, never deleted: the same bytes always get the same name."""

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from orchestrator_py.store.files import fsync_folder, open_for_reading, telling

_CHUNK_BYTES = 1024 * 1024


def set_aside(path: Path) -> Path:
    """Moves the file to `<name>.corrupt-<id>`; the caller syncs the folder."""
    aside = _aside_name(path)
    with telling(path, "set it aside"):
        os.replace(path, aside)
    return aside


def keep_aside(path: Path) -> Path:
    """Gives the file a second, durable name `<name>.corrupt-<id>`: its bytes stay when `path` is replaced."""
    aside = _aside_name(path)
    with telling(path, "set it aside"), suppress(FileExistsError):
        os.link(path, aside)
    fsync_folder(path.parent)
    return aside


def _aside_name(path: Path) -> Path:
    digest = blake2b(digest_size=6)
    file = open_for_reading(path)
    if file is not None:
        with file, telling(path, "read it"):
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return path.with_name(f"{path.name}.corrupt-{digest.hexdigest()}")
