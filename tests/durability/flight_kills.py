"""A process that shows a run in flight, records it and takes it down again, killed before every call that changes the disk.

python -m tests.durability.flight_kills ROOT flight|recovery: for each call a process below ROOT, named by the number of the call; each
writes what it has acknowledged to a file beside its folder. With `recovery`, the process recovers what one before it left in flight.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from orchestrator_py.core.json_text import compact_json
from orchestrator_py.ids import RunId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.lost_flights import complete_lost_flights
from tests.store.entries import NOW, now, open_store, task_below
from tests.store.faults import Calls, counting, tell
from tests.store.flying import document, flight, fly, lose


def work(root: Path) -> None:
    """The run `a` is shown from its start, `b` later, `a` ends, `b` does not."""
    store = open_store(root)
    board = fly(root, "a")
    board.show(document([flight("a"), flight("b")]))
    store.commit([EntryLine(run_id=RunId("a"), line=compact_json({"run_id": "a", "status": "succeeded", "recorded_at": NOW}).encode())])
    tell("a succeeded")
    board.show(document([flight("b")]))
    store.close()
    board.close()


def recover(root: Path) -> None:
    """As the next process does it: before anything else."""
    store = open_store(root)
    for run_id in complete_lost_flights(task_below(root), store, now):
        tell(f"{run_id} failed")
    store.close()


def kill_everywhere(top: Path, kind: str) -> None:
    """Until a process has lived to its end."""
    for number in count(1):
        root = top / f"{number}"
        root.mkdir()
        if kind == "recovery":
            lose(root, document([flight("a"), flight("b")]))
        child = os.fork()
        if child == 0:
            _run_and_die(root, number, recover if kind == "recovery" else work)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            return


def _run_and_die(root: Path, number: int, task: Callable[[Path], None]) -> None:
    code = 1
    try:
        os.dup2(os.open(f"{root}.acknowledged", os.O_WRONLY | os.O_CREAT, 0o600), 1)
        with counting(Calls(at_call=_kill_at(number), sync=False)):
            task(root)
        code = 0
    finally:
        os._exit(code)


def _kill_at(wanted: int) -> Callable[[int, str, tuple[Any, ...]], None]:
    def at_call(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return at_call


if __name__ == "__main__":
    kill_everywhere(Path(sys.argv[1]), sys.argv[2])
