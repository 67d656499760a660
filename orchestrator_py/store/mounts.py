"""Which file systems keep the promises: network ones are refused, and of those in memory it is said that nothing outlasts the power.

Only Linux tells (`/proc/self/mountinfo`); elsewhere nothing is checked. 9p and virtiofs pass: they lead to a local file system of the host
that one guest uses, and hand syncs and renames on. So do unknown ones, FUSE too: most are local, and refusing them would help nobody.
"""

import logging
import os
import re
from functools import cache
from pathlib import Path

from orchestrator_py.errors import StoreError
from orchestrator_py.lean import frozen

_log = logging.getLogger("orchestrator_py")

MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = (
    " acfs afs beegfs ceph cifs coda davfs gpfs glusterfs lustre ncpfs nfs nfs4 orangefs panfs pvfs2 smb2 smb3 smbfs "
    "fuse.afp fuse.beegfs fuse.ceph fuse.cifs fuse.curlftpfs fuse.davfs fuse.davfs2 fuse.gcsfuse fuse.glusterfs fuse.goofys "
    "fuse.gvfsd-fuse fuse.juicefs fuse.mfs fuse.moosefs fuse.nfs fuse.rclone fuse.s3fs fuse.smbnetfs fuse.sshfs "
)
_MEMORY = frozenset({"tmpfs", "ramfs"})
_ESCAPE = r"\\([0-7]{3})"


@frozen(kw_only=True)
class Mount:
    """A mounted file system: where, and of which kind, as the kernel names it."""

    point: str
    kind: str

    @property
    def is_network(self) -> bool:
        return f" {self.kind} " in _NETWORK

    @property
    def is_memory(self) -> bool:
        return self.kind in _MEMORY


def find_mount(path: str, mountinfo: str) -> Mount | None:
    """The mount that an absolute path without links lies in: of the longest mount point, the newest. None if the text names none."""
    found: Mount | None = None
    for line in mountinfo.split("\n"):
        fields = line.split(" ", 5)
        if len(fields) < 6 or (found is not None and len(fields[4]) < len(found.point)):
            continue
        point = re.sub(_ESCAPE, lambda escape: chr(int(escape[1], 8)), fields[4]) if "\\" in fields[4] else fields[4]
        kind = fields[5].partition(" - ")[2].partition(" ")[0]
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and kind and (found is None or len(point) >= len(found.point)):
            found = Mount(point=point, kind=kind)
    return found


def check_file_system(folder: Path, mounts: Path | None = None) -> None:
    """StoreError if the folder, which need not exist, is on a network file system. One warning a process if it is in memory."""
    try:
        mountinfo = os.fsdecode((mounts or MOUNTS).read_bytes())
    except OSError:
        return
    mount = find_mount(os.path.realpath(folder), mountinfo)
    if mount is None:
        return
    if mount.is_network:
        raise StoreError(
            f"{folder}: is on a network file system ({mount.point}, {mount.kind}), where neither locks nor syncs can be relied upon; "
            "choose a folder on a local disk (CODEX_ORCHESTRATOR_RUNS_DIR)."
        )
    if mount.is_memory:
        _warn_of_memory(mount)


@cache
def _warn_of_memory(mount: Mount) -> None:
    _log.warning("%s is a file system in memory (%s): what is recorded there does not outlast the power", mount.point, mount.kind)
