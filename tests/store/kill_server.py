"""Runs the reference workload in a forked process for each line of stdin, a JSON array of root, number and kind, which kills itself there.

The kinds are `before` and `torn`. What was acknowledged goes to the file ROOT.acknowledged; stdout tells how each process ended.

python -m tests.store.kill_server [PLANTED_BUG]
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import frozen

from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.files import remove_file
from orchestrator_py.store.owner import Owner
from orchestrator_py.store.queue import read_queue
from orchestrator_py.store.task_store import TaskStore
from tests.store.faults import Calls, counting, tell, write_half
from tests.store.workload import run_workload

PROJECT = Path(__file__).parents[2]


@frozen
class Kill:
    """At which call of the workload, and whether half of a write is left."""

    root: Path
    number: int
    kind: str

    @property
    def acknowledged(self) -> list[str]:
        return Path(f"{self.root}.acknowledged").read_text().split("\n")[:-1]


def kill_all(kills: Sequence[Kill], *, planted: str = "") -> list[int]:
    """How each of the processes ended; a server for each core."""
    servers = os.cpu_count() or 1
    with ThreadPoolExecutor(servers) as pool:
        shares = list(pool.map(lambda first: _kill(kills[first::servers], planted), range(servers)))
    codes = [0] * len(kills)
    for first, share in enumerate(shares):
        codes[first::servers] = share
    return codes


def _kill(kills: Sequence[Kill], planted: str) -> list[int]:
    line = [sys.executable, "-m", "tests.store.kill_server", planted]
    orders = "".join(f"{json.dumps([str(kill.root), kill.number, kill.kind])}\n" for kill in kills)
    done = subprocess.run(line, cwd=PROJECT, input=orders, capture_output=True, text=True, check=True)
    return [int(code) for code in done.stdout.split()]


# In the server -----------------------------------------------------------------------------------------------------


def _serve() -> None:
    for line in sys.stdin:
        root, number, kind = json.loads(line)
        child = os.fork()
        if child == 0:
            _run_and_die(root, number, kind)
        _, status = os.waitpid(child, 0)
        tell(str(os.waitstatus_to_exitcode(status)))


def _run_and_die(root: str, number: int, kind: str) -> None:
    try:
        os.dup2(os.open(f"{root}.acknowledged", os.O_WRONLY | os.O_CREAT, 0o600), 1)
        os.mkdir(root)
        with counting(Calls(at_call=_kill_at(number, torn=kind == "torn"), sync=False)):
            run_workload(Path(root), tell)
    finally:
        os._exit(0)


def _kill_at(wanted: int, *, torn: bool) -> Callable[[int, str, tuple[Any, ...]], None]:
    def at_call(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == wanted:
            if torn:
                write_half(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

    return at_call


# Planted bugs ------------------------------------------------------------------------------------------------------


def _queue_files_go_first(owner: Owner) -> None:
    files = [file for group in read_queue(owner.task.pending) for file in group]
    for file in files:
        remove_file(owner.task.pending / file.name)
    owner._record([entry for file in files for entry in file.entries], absorbed=tuple(file.name for file in files))


def _segments_go_first(owner: Owner) -> None:
    batches = list(owner.journal.acknowledged(owner.history.size))
    owner.journal.drop_segments()
    if batches:
        owner.history.extend(batch.lines for batch in batches)


def _append_in_place(owner: Owner) -> None:
    with owner.history.path.open("ab", buffering=0) as file:
        for batch in owner.journal.acknowledged(owner.history.size):
            os.write(file.fileno(), batch.lines)
    owner.journal.drop_segments()


def _acknowledge_first(store: TaskStore, entries: Sequence[EntryLine]) -> None:
    for one in entries:
        tell(f"{one.run_id} {json.loads(one.line)['status']}")
    _commit(store, entries)


_commit = TaskStore.commit

PLANTED: dict[str, tuple[type, str, Callable[..., object]]] = {
    "queue files go before their batch": (Owner, "absorb", _queue_files_go_first),
    "the segment goes before the history stands": (Owner, "fold", _segments_go_first),
    "the history is appended to in place": (Owner, "fold", _append_in_place),
    "acknowledged before the commit": (TaskStore, "commit", _acknowledge_first),
}


def _plant(names: Sequence[str]) -> Iterator[None]:
    for place, name, planted in (PLANTED[one] for one in names if one):
        setattr(place, name, planted)
        yield


if __name__ == "__main__":
    list(_plant(sys.argv[1:]))
    _serve()
