"""Bugs that the crowd must find, each planted in its workers only."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from orchestrator_py.model.history import EntryLine
from orchestrator_py.store import owner, recovery, rollup_files, task_store
from orchestrator_py.store.history import History, read_stamp
from orchestrator_py.store.lock import WriterLock
from orchestrator_py.store.owner import Owner
from orchestrator_py.store.queue import join_lines, read_queue


def _plant(place: object, name: str, bug: Callable[..., object]) -> None:
    getattr(place, name)  # it must be there
    setattr(place, name, bug)


def _write_in_halves(path: Path, content: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags)
    os.write(descriptor, content[: len(content) // 2])
    os.fsync(descriptor)
    os.write(descriptor, content[len(content) // 2 :])
    os.close(descriptor)


def no_lock() -> None:
    _plant(owner, "try_lock", lambda path: WriterLock(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)))


def metrics_in_place() -> None:
    def extend(history: History, lines: Iterable[bytes]) -> None:
        _write_in_halves(history.path, b"".join(lines), os.O_APPEND)
        history.stamp = read_stamp(history.path)

    _plant(History, "extend", extend)


def rollups_in_place() -> None:
    _plant(rollup_files, "_replace", lambda path, content: _write_in_halves(path, content, os.O_TRUNC))


def queue_in_place() -> None:
    def enqueue(folder: Path, entries: Sequence[EntryLine]) -> None:
        _write_in_halves(folder / f"{os.urandom(16).hex()}.jsonl", join_lines(entries), os.O_EXCL)

    _plant(task_store, "enqueue", enqueue)


def queue_file_goes_first() -> None:
    def absorb(self: Owner) -> None:
        for files in read_queue(self.task.pending):
            for file in files:
                os.unlink(self.task.pending / file.name)
            self._record([entry for file in files for entry in file.entries])

    _plant(Owner, "absorb", absorb)


def queue_file_stays() -> None:
    for place in (owner, recovery):
        _plant(place, "remove_file", lambda path: False)


BUGS: dict[str, Callable[[], None]] = {
    "no lock is taken": no_lock,
    "metrics.json is appended to in place": metrics_in_place,
    "rollups are written in place": rollups_in_place,
    "queue files are written in place": queue_in_place,
    "a queue file goes before its entries are recorded": queue_file_goes_first,
    "an absorbed queue file stays": queue_file_stays,
}
