"""The crowd's processes: a server that forks workers and readers, so that a new one costs no start of Python.

python -m tests.durability.crowd_worker ROOT SEED [BUG], then lines: `worker SEAT`, `reader NAME`
answer the pid, `reap PID` the exit code.

A worker tells in the log of its seat what it is about to commit (`?`) and what was acknowledged (`!`). Whoever takes the seat of a
killed one sends its last entries again if they were not acknowledged, as a caller would.
"""

import os
import random
import signal
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NoReturn

from attrs import define, field

from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.task_store import TaskStore
from tests.durability.crowd_bugs import BUGS
from tests.durability.crowd_reader import ForeignReader
from tests.store.entries import entry, open_store

PATIENCE_SECONDS = 60.0
NEVER = 99
_WHOLE = " ."
"""Ends every line of a log: a kill may tear the last one."""


def stop_file(root: Path) -> Path:
    """All end in good order when it is there."""
    return root / "stop"


def log_file(root: Path, seat: str) -> Path:
    return root / "log" / seat


def told(line: str) -> tuple[str, list[str]]:
    """`?` or `!` and the run ids of one line; nothing if a kill has torn it."""
    return (line[0], line.removesuffix(_WHOLE)[1:].split()) if line.endswith(_WHOLE) else ("", [])


def entry_of(run_id: str, *, repeated: bool = False) -> EntryLine:
    """The same each time; some are longer than a page."""
    size = zlib.crc32(run_id.encode())
    return entry(run_id, repeated=repeated, padding=size % (6000 if size % 64 == 0 else 100))


@define
class Worker:
    """Opens, commits, rests, closes, again and again."""

    root: Path
    seat: str
    chance: random.Random
    _log: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._log = os.open(log_file(self.root, self.seat), os.O_RDWR | os.O_CREAT | os.O_APPEND)

    def run(self) -> None:
        waiting = self._not_acknowledged()
        os.write(self._log, b"\n")
        for number in count():
            if stop_file(self.root).exists() and not waiting:
                return
            store = open_store(self.root)
            if waiting:
                self._commit(store, waiting, repeated=True)
                waiting = []
            for part in range(self.chance.randint(1, 4)):
                self._commit(store, [f"{self.seat}-{os.getpid()}-{number}-{part}{letter}" for letter in "abc"[: self.chance.randint(1, 3)]])
                self.chance.choice((store.rest, store.publish, store.flush, int))()
                time.sleep(self.chance.uniform(0.0, 0.1))  # leaves the cores to the readers
            store.close()

    def _commit(self, store: TaskStore, run_ids: list[str], *, repeated: bool = False) -> None:
        self._tell("?", run_ids)
        store.commit([entry_of(run_id, repeated=repeated) for run_id in run_ids])
        self._tell("!", run_ids)

    def _tell(self, mark: str, run_ids: Iterable[str]) -> None:
        os.write(self._log, f"{mark}{' '.join(run_ids)}{_WHOLE}\n".encode())

    def _not_acknowledged(self) -> list[str]:
        """The last entries of whoever had this seat before."""
        waiting: list[str] = []
        for line in log_file(self.root, self.seat).read_text().split("\n"):
            match told(line):
                case "?", run_ids:
                    waiting = run_ids
                case "!", _:
                    waiting = []
        return waiting


# The server --------------------------------------------------------------------------------------------------------


def serve(root: Path, seed: str) -> None:
    """Forks what it is told; holds no lock itself, so no child inherits one. Its children end with it."""
    children: set[int] = set()
    try:
        for number, line in enumerate(sys.stdin):
            word, name = line.split()
            if word == "reap":
                children.discard(int(name))
                answer = _reap(int(name))
            else:
                answer = _fork(root, word, name, random.Random(f"{seed} {name} {number}"))
                children.add(answer)
            print(answer, flush=True)
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def _reap(child: int) -> int:
    """The exit code; NEVER for a child that does not end, which is killed."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return NEVER


def _fork(root: Path, word: str, name: str, chance: random.Random) -> int:
    child = os.fork()
    if child == 0:
        work: Callable[[], None] = Worker(root, name, chance).run if word == "worker" else ForeignReader(root, name).run
        _become(root, name, work)
    return child


def _become(root: Path, name: str, work: Callable[[], None]) -> NoReturn:
    """Nothing of the server's pipes stays open in its children."""
    code = 1
    try:
        for descriptor in (0, 1):
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        work()
        code = 0
    except BaseException:  # what a child raises must not go on in a copy of the server
        (root / "wrong" / f"{name}-{os.getpid()}").write_text(traceback.format_exc())
    finally:
        os._exit(code)


if __name__ == "__main__":
    for bug in sys.argv[3:]:
        BUGS[bug]()
    serve(Path(sys.argv[1]), sys.argv[2])
