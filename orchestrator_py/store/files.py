"""Reading, writing and replacing whole files: a reader sees the old bytes or the new, never a mixture.

Every OSError of this room becomes a StoreError that names the path, the reason and the remedy.
"""

import errno
import fcntl
import itertools
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from orchestrator_py.errors import StoreError

_counter = itertools.count()
_TEMP = re.compile(r"(.+)\.tmp-[0-9]+-[0-9]+-[0-9]+", re.DOTALL)
"""As `replacing` names what it writes."""

_REMEDIES = {
    errno.ENOSPC: "free some space, then start again",
    errno.EDQUOT: "free some space of your quota, then start again",
    errno.EACCES: "give this user the right to read and write there, or choose another folder",
    errno.EPERM: "give this user the right to read and write there, or choose another folder",
    errno.EROFS: "choose a folder on a file system that can be written",
    errno.ENOENT: "put the folder back, or start the run again",
    errno.ENOTDIR: "move away the file that stands where a folder belongs",
    errno.ELOOP: "move away the symbolic link",
    errno.ENAMETOOLONG: "choose a shorter folder or a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs: the system has no open file left",
}
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


# Errors ------------------------------------------------------------------------------------------------------------


def store_error(path: Path | str, doing: str, error: OSError) -> StoreError:
    """The error with path, reason and remedy; `doing` completes "cannot ...", for example "replace it"."""
    remedy = _REMEDIES.get(error.errno or 0, "check the disk and the file system, then start again")
    return StoreError(f"{path}: cannot {doing}: {error.strerror or error}; {remedy}.")


class telling:  # noqa: N801 - it reads as what it does; a generator would cost more than many of the calls it is put around
    """An OSError inside becomes a StoreError."""

    def __init__(self, path: Path | str, doing: str) -> None:
        self._path, self._doing = path, doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            raise store_error(self._path, self._doing, error) from error


def refuse_unless(expected: int, path: Path) -> None:
    """StoreError if something else than `expected` (S_IFREG or S_IFDIR) stands at `path`; a symbolic link is something else."""
    with telling(path, "look at it"):
        try:
            found = stat.S_IFMT(os.lstat(path).st_mode)
        except FileNotFoundError:
            return
    if found != expected:
        kind = _KINDS.get(found, "a file")
        raise StoreError(f"{path}: is {kind} where {'a file' if expected == stat.S_IFREG else 'a folder'} belongs; move it away.")


# Files -------------------------------------------------------------------------------------------------------------


def open_file(path: Path, flags: int) -> int:
    """A descriptor of a regular file; OSError as it comes, StoreError when something else stands there."""
    refuse_unless(stat.S_IFREG, path)
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)


def open_for_reading(path: Path) -> BinaryIO | None:
    """The file as a binary stream (which splits lines on b"\n" only), None if there is none."""
    with telling(path, "open it"):
        try:
            return os.fdopen(open_file(path, os.O_RDONLY), "rb")
        except FileNotFoundError:
            return None


def read_bytes(path: Path) -> bytes | None:
    """The whole file, None if there is none."""
    file = open_for_reading(path)
    if file is None:
        return None
    with file, telling(path, "read it"):
        return file.read()


def write_all(descriptor: int, data: bytes) -> None:
    """Writes everything, however little a single write takes. Raises OSError."""
    rest: bytes | memoryview = data
    while rest:
        written = os.write(descriptor, rest)
        if written == len(rest):  # nearly always
            return
        if written == 0:
            raise OSError(errno.EIO, "the file takes no more bytes")
        rest = memoryview(rest)[written:]


def replace_bytes(path: Path, data: bytes, *, durable: bool) -> None:
    """Puts `data` in the place of the whole file; `durable` returns only when file and name survive a power loss."""
    with replacing(path, synced=durable) as descriptor:
        write_all(descriptor, data)
    if durable:
        fsync_folder(path.parent)


def replace_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Puts the pieces in the place of the whole file, as they come; the file is whole after a power loss only if the system says so."""
    with replacing(path, synced=False) as descriptor:
        for piece in pieces:
            write_all(descriptor, piece)


@contextmanager
def replacing(path: Path, *, synced: bool) -> Iterator[int]:
    """The descriptor of a temp file that takes the place of `path` at the end of the block, or goes if the block fails."""
    refuse_unless(stat.S_IFREG, path)
    temp = path.with_name(f"{path.name}.tmp-{os.getpid()}-{time.time_ns() // 1_000_000}-{next(_counter)}")
    with telling(path, "replace it"):
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            try:
                yield descriptor
                if synced:
                    sync_file(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temp, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temp)
            raise


def remove_temps(target: Path) -> None:
    """Removes what writers of `target` left behind when they were killed. Only for who alone may write `target`."""
    for name in list_folder(target.parent):
        temp = target.with_name(name)
        if name.startswith(target.name) and target_of_temp(temp) == target.name:
            remove_file(temp)


def target_of_temp(path: Path) -> str | None:
    """The name of the file that was to be replaced with what stands at `path`; None if no writer of ours can have made that.

    Others call things `….tmp-…` too: only a regular file with a name that is ours to the last character is a temp file.
    """
    ours = _TEMP.fullmatch(path.name)
    with telling(path, "look at it"):
        try:
            return ours[1] if ours and stat.S_ISREG(os.lstat(path).st_mode) else None
        except FileNotFoundError:
            return None


def remove_file(path: Path) -> bool:
    """Unlinks it; False if it was not there."""
    with telling(path, "remove it"):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
    return True


# Folders -----------------------------------------------------------------------------------------------------------


def list_folder(path: Path) -> list[str]:
    """The names in a folder, sorted; none if it is not there."""
    with telling(path, "list it"):
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return []


def make_folders(path: Path, *, durable: bool = False) -> None:
    """Makes the folder and what is missing above it; `durable` syncs the name of each new one."""
    with telling(path, "make it"):
        made = _make(path)
    for folder in made if durable else ():
        fsync_folder(folder.parent)


def _make(path: Path) -> list[Path]:
    """The folders that were made: most often it is the folder itself, or none."""
    try:
        os.mkdir(path)
    except FileExistsError:
        refuse_unless(stat.S_IFDIR, path)
        return []
    except (FileNotFoundError, NotADirectoryError):
        return _make_with_parents(path)
    return [path]


def _make_with_parents(path: Path) -> list[Path]:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    standing = missing[-1].parent if missing else path
    if not standing.is_dir():
        refuse_unless(stat.S_IFDIR, standing)
    refuse_unless(stat.S_IFDIR, path)
    os.makedirs(path, exist_ok=True)
    return missing


def fsync_folder(path: Path) -> None:
    """Makes the names in a folder durable: what was created, renamed and unlinked there."""
    with telling(path, "sync it"):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


# Syncing -----------------------------------------------------------------------------------------------------------


def sync_file(descriptor: int) -> None:
    """Bytes and metadata to the disk itself. Raises OSError."""
    if sys.platform == "darwin":
        _sync_through_the_cache(descriptor)
    else:
        os.fsync(descriptor)


def sync_data(descriptor: int) -> None:
    """Bytes and size to the disk itself. Raises OSError."""
    if sys.platform == "darwin":
        _sync_through_the_cache(descriptor)
    else:
        os.fdatasync(descriptor)


def _sync_through_the_cache(descriptor: int) -> None:
    """macOS: fsync leaves the bytes in the drive's cache. File systems without F_FULLFSYNC say so, which is no failed sync."""
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.ENOTTY, errno.EINVAL):
                raise
            os.fsync(descriptor)
