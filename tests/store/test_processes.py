"""Several real processes on one task, some of them killed, and readers that look at any time."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from tests.store.entries import assert_settled, entry, folded, open_store, pending, recorded, task_below

PROJECT = Path(__file__).parents[2]
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
    store.close()
"""


def start_writer(root: Path, name: str, rounds: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, root, name, str(rounds)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def test_three_processes_on_one_task_lose_and_double_nothing(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, name, 15) for name in "abc"]
    acknowledged = [line for writer in writers for line in writer.communicate()[0].splitlines()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert len(acknowledged) == 3 * 15 * 2
    task = task_below(tmp_path)
    assert sorted(folded(task)) == sorted(acknowledged)
    assert pending(task) == []
    assert_settled(task)


def test_killed_processes_beside_living_ones_lose_and_double_nothing(tmp_path: Path) -> None:
    """Each writer is killed as soon as it has acknowledged so many entries, wherever that finds it."""
    acknowledged: list[str] = []
    for round_number in range(6):
        writers = [start_writer(tmp_path, f"{name}{round_number}", 50) for name in "ab"]
        for writer, most in zip(writers, (3 + round_number, 9 - round_number), strict=True):
            assert writer.stdout is not None
            acknowledged += [writer.stdout.readline().strip() for _ in range(most)]
            writer.kill()
            acknowledged += writer.communicate()[0].splitlines()
    open_store(tmp_path).close()
    task = task_below(tmp_path)
    found = recorded(task)
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))
    assert pending(task) == []
    assert_settled(task)


class Reader(threading.Thread):
    """Reads every visible file again and again; `known` counts the entries that were acknowledged when a round began."""

    def __init__(self, task: TaskLayout) -> None:
        super().__init__()
        self.task = task
        self.known = 0
        self.rounds = 0
        self.torn: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            known = self.known
            self.read_files()
            found = sum(1 for _ in read_history(self.task))
            if found < known:
                self.torn.append(f"{known} entries were acknowledged, {found} could be read")
            self.rounds += 1

    def read_files(self) -> None:
        for path in (*self.task.rollups.glob("*.json"), *self.task.out.rglob("*.json"), self.task.metrics):
            content = path.read_bytes() if path.exists() else b""
            lines = content.split(b"\n")[:-1] if path == self.task.metrics else [content] if content else []
            try:
                for line in lines:
                    json.loads(line)
            except ValueError as error:
                self.torn.append(f"{path}: {error}")
            if content and not content.endswith(b"\n"):
                self.torn.append(f"{path}: no newline at the end")


def test_a_reader_meets_no_torn_file_and_misses_no_acknowledged_entry(tmp_path: Path) -> None:
    store, task = open_store(tmp_path), task_below(tmp_path)
    reader = Reader(task)
    reader.start()
    try:
        while reader.rounds < 200 and not reader.torn:
            store.commit([entry(f"run-{reader.known}", padding=1000)])
            reader.known += 1
            if reader.known % 3 == 0:
                store.rest()
            elif reader.known % 3 == 1:
                store.publish()
    finally:
        reader.stop.set()
        reader.join()
    store.close()
    assert reader.torn == []
    assert len(folded(task)) == reader.known
