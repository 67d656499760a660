"""The writer's lock: one holder, gone with its process, never decided by age."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store.lock import try_lock
from orchestrator_py.store.markers import is_held

HOLDER = """
import sys
from pathlib import Path
from orchestrator_py.store.lock import try_lock
print(try_lock(Path(sys.argv[1])), flush=True)
input()
"""


def test_there_is_one_holder_even_inside_one_process(tmp_path: Path) -> None:
    first = try_lock(tmp_path / "lock")
    assert first is not None
    assert try_lock(tmp_path / "lock") is None
    first.release()
    first.release()
    second = try_lock(tmp_path / "lock")
    assert second is not None
    second.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().startswith("WriterLock")
        os.utime(path, (0, 0))
        assert try_lock(path) is None, "an old lock is a lock"
        holder.kill()
    lock = try_lock(path)
    assert lock is not None
    lock.release()


FORKED = """
import os, sys
from pathlib import Path
from orchestrator_py.errors import StoreError
from orchestrator_py.store.lock import try_lock
from orchestrator_py.store.markers import hold_marker
lock, marker = try_lock(Path(sys.argv[1])), hold_marker(Path(sys.argv[2]))
if os.fork() == 0:
    try:
        lock.check()
    except StoreError as error:
        print(error, flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["release", "kill"])
def test_a_forked_process_keeps_no_lock(tmp_path: Path, end: str) -> None:
    """A pool of workers outlives the manager in whose block it was made."""
    path, marker = tmp_path / "lock", tmp_path / "marker"
    with subprocess.Popen([sys.executable, "-c", FORKED, path, marker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert "is held by the process that this one was forked from" in holder.stdout.readline()
        assert try_lock(path) is None
        assert is_held(marker)
        if end == "release":
            holder.stdin.write("\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "released\n"
        else:
            holder.kill()
            holder.wait()
            assert not is_held(marker)
        lock = try_lock(path)
        assert lock is not None, "the forked process lives, and waits for the end of its input"
        lock.release()


def test_a_replaced_lock_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = try_lock(path)
    assert lock is not None
    lock.check()
    path.rename(tmp_path / "moved")
    with pytest.raises(StoreError, match="cannot find the lock again"):
        lock.check()
    path.touch()
    with pytest.raises(StoreError, match="the folder or the lock file was replaced"):
        lock.check()
    lock.release()


def test_a_link_in_place_of_the_lock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "other")
    with pytest.raises(StoreError, match="is a symbolic link"):
        try_lock(tmp_path / "lock")
