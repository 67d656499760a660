"""Several real processes on one task; `tests/durability/test_crowd.py` kills and stops them at any moment, with readers beside them."""

import signal
import subprocess
import sys
from pathlib import Path

from orchestrator_py.store.queue import list_queue
from tests.store.entries import assert_settled, folded, open_store, pending, recorded, task_below

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
WRITER = """
import sys
from pathlib import Path
from tests.store.entries import entry, open_store
root, name, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(rounds):
    store = open_store(root)
    for part in "xy":
        store.commit([entry(f"{name}-{number}-{part}")])
        print(f"{name}-{number}-{part}", flush=True)
        if number % 3 == 0:
            store.rest()
    sys.stdin.readline()
    store.close()
"""


def start_writer(root: Path, name: str, rounds: int) -> "subprocess.Popen[str]":
    """Before each close it waits for a line, or the end of its stdin."""
    words = [sys.executable, "-c", WRITER, str(root), name, str(rounds)]
    return subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish_all(writers: list["subprocess.Popen[str]"]) -> list[str]:
    """The entries that were acknowledged."""
    lines = [line for writer in writers for line in writer.communicate(timeout=PATIENCE_SECONDS)[0].splitlines()]
    assert [writer.returncode for writer in writers] == [0] * len(writers)
    return lines


def test_three_processes_on_one_task_lose_and_double_nothing(tmp_path: Path) -> None:
    acknowledged = finish_all([start_writer(tmp_path, name, 15) for name in "abc"])
    assert len(acknowledged) == 3 * 15 * 2
    task = task_below(tmp_path)
    assert sorted(folded(task)) == sorted(acknowledged)
    assert pending(task) == []
    assert_settled(task)


def test_a_stopped_owner_keeps_its_lock_and_nobody_waits_for_it(tmp_path: Path) -> None:
    owner = start_writer(tmp_path, "owner", 1)
    assert owner.stdout is not None
    acknowledged = [owner.stdout.readline().strip() for _ in "xy"]
    owner.send_signal(signal.SIGSTOP)
    try:
        others = finish_all([start_writer(tmp_path, name, 3) for name in "abc"])
        task = task_below(tmp_path)
        assert recorded(task) == acknowledged
        assert len(list_queue(task.pending)) == len(others) == 3 * 3 * 2
    finally:
        owner.send_signal(signal.SIGCONT)
    acknowledged += others + finish_all([owner])
    assert sorted(folded(task)) == sorted(acknowledged)
    assert pending(task) == []
    assert_settled(task)


def test_a_killed_owner_leaves_the_lock_and_everything_acknowledged(tmp_path: Path) -> None:
    owner = start_writer(tmp_path, "owner", 1)
    assert owner.stdout is not None
    acknowledged = [owner.stdout.readline().strip() for _ in "xy"]
    owner.kill()
    owner.communicate()
    assert owner.returncode == -signal.SIGKILL
    store = open_store(tmp_path)
    assert recorded(task_below(tmp_path)) == acknowledged
    store.close()
    assert_settled(task_below(tmp_path))
