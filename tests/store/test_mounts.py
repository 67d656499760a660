"""Where the promises hold: the mount that a folder lies in, told from the kernel's list."""

import logging
import os
from pathlib import Path

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store import mounts
from orchestrator_py.store.mounts import Mount, check_file_system, find_mount
from orchestrator_py.store.rebuild import rebuild
from tests.store.entries import entry, now, open_store, recorded, task_below

TYPICAL = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:27 / /dev/shm rw,relatime - tmpfs tmpfs rw
31 27 0:40 / /home rw,relatime shared:5 master:3 - nfs4 server:/home rw,vers=4.2
32 31 8:1 / /home/me/disk rw - xfs /dev/sda1 rw
33 27 0:41 / /mnt/two\\040words\\011and\\134more rw - cifs //server/share rw
34 27 0:42 / /mnt/ssh rw - fuse.sshfs me@host: rw
35 27 0:43 / /mnt/local rw - fuse.fuse-overlayfs fuse-overlayfs rw
36 27 0:44 / /mnt/over rw - ext4 /dev/vdb rw
37 36 0:45 / /mnt/over rw - nfs server:/x rw
"""
DOCKER = "622 500 0:52 / / rw,relatime master:9 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w\n"
VIRTUAL = "1 0 0:1 / / rw - 9p none rw\n2 1 0:2 / /shared rw - virtiofs shared rw\n"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("/srv/project/.runs", TYPICAL, ("/", "ext4", False)),
        ("/dev/shm/x", TYPICAL, ("/dev/shm", "tmpfs", False)),
        ("/dev/shmx", TYPICAL, ("/", "ext4", False)),
        ("/home/me/.runs", TYPICAL, ("/home", "nfs4", True)),
        ("/home", TYPICAL, ("/home", "nfs4", True)),
        ("/home/me/disk/.runs", TYPICAL, ("/home/me/disk", "xfs", False)),
        ("/mnt/two words\tand\\more/x", TYPICAL, ("/mnt/two words\tand\\more", "cifs", True)),
        ("/mnt/ssh/x", TYPICAL, ("/mnt/ssh", "fuse.sshfs", True)),
        ("/mnt/local/x", TYPICAL, ("/mnt/local", "fuse.fuse-overlayfs", False)),
        ("/mnt/over/x", TYPICAL, ("/mnt/over", "nfs", True)),
        ("/app/.runs", DOCKER, ("/", "overlay", False)),
        ("/app/.runs", VIRTUAL, ("/", "9p", False)),
        ("/shared/.runs", VIRTUAL, ("/shared", "virtiofs", False)),
    ],
)
def test_the_longest_and_newest_mount_point_decides(path: str, text: str, expected: tuple[str, str, bool]) -> None:
    mount = find_mount(path, text)
    assert mount is not None
    assert (mount.point, mount.kind, mount.is_network) == expected


@pytest.mark.parametrize("text", ["", "\n", "no mount at all\n", "22 27 0:21 / /proc rw - proc proc rw\n", "1 2 3 / / rw\n"])
def test_a_list_that_names_no_mount_of_the_path_checks_nothing(text: str) -> None:
    assert find_mount("/srv", text) is None


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "afs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs"])
def test_network_file_systems_are_known(kind: str) -> None:
    assert Mount(point="/", kind=kind).is_network


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "tmpfs", "fuseblk", "fuse", "vfat", "apfs"])
def test_local_file_systems_pass(kind: str) -> None:
    assert not Mount(point="/", kind=kind).is_network


@pytest.fixture
def mounted_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list in place of the kernel's, to be written."""
    path = tmp_path / "mountinfo"
    monkeypatch.setattr(mounts, "MOUNTS", path)
    return path


def test_a_task_on_a_network_file_system_is_refused_before_anything_is_made(tmp_path: Path, mounted_as: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    mounted_as.write_text(f"{TYPICAL}99 27 0:9 / {root} rw - nfs4 server:/export rw\n")
    for action in (lambda: open_store(root), lambda: rebuild(task_below(root), now)):
        with pytest.raises(StoreError, match=rf"is on a network file system \({root}, nfs4\).*choose a folder on a local disk"):
            action()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("between", ["\u2028", "\x0c", "\x85", "\r", "\x1c", "\udcff"])
def test_no_character_of_a_mount_point_ends_its_line(tmp_path: Path, mounted_as: Path, between: str) -> None:
    """The kernel escapes blank, tab, newline and backslash, and nothing else."""
    root = tmp_path / f"a{between}b"
    root.mkdir()
    mounted_as.write_bytes(os.fsencode(f"{TYPICAL}99 27 0:9 / {root} rw - nfs server:/export rw\n"))
    with pytest.raises(StoreError, match="is on a network file system"):
        open_store(root)
    assert list(root.iterdir()) == []


def test_a_link_to_a_network_file_system_is_seen_through(tmp_path: Path, mounted_as: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to("far")
    mounted_as.write_text(f"9 1 0:9 / {tmp_path}/far rw - cifs //server/share rw\n")
    with pytest.raises(StoreError, match="network file system"):
        open_store(tmp_path / "near")


def test_in_memory_it_is_said_once_and_recorded(tmp_path: Path, mounted_as: Path, caplog: pytest.LogCaptureFixture) -> None:
    mounted_as.write_text(f"9 1 0:9 / {tmp_path} rw - tmpfs tmpfs rw\n")
    with caplog.at_level(logging.WARNING, "orchestrator_py"):
        for name in "ab":
            store = open_store(tmp_path)
            store.commit([entry(name)])
            store.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path} is a file system in memory (tmpfs): what is recorded there does not outlast the power"
    ]
    assert recorded(task_below(tmp_path)) == ["a", "b"]


def test_without_the_kernels_list_nothing_is_checked(tmp_path: Path, mounted_as: Path) -> None:
    check_file_system(tmp_path)
    open_store(tmp_path).close()
