"""The reference workload: every kind of write once or twice. As a program it kills itself at the call that it is told.

python -m tests.store.workload ROOT NUMBER before|torn
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.task_store import TaskStore
from tests.store.entries import entry, open_store
from tests.store.faults import Calls, counting, tell, write_half


def run_workload(root: Path, acknowledge: Callable[[str], None]) -> None:
    """Calls `acknowledge` with run id and status of each entry that is durable now. An error ends it as it would end a process."""
    store = open_store(root)
    try:
        guest = open_store(root)
        _write(store, guest, acknowledge)
    finally:
        if store._owner is not None:
            store._owner.abandon()


def _write(store: TaskStore, guest: TaskStore, acknowledge: Callable[[str], None]) -> None:
    def commit(to: TaskStore, *entries: EntryLine) -> None:
        to.commit(entries)
        for one in entries:
            acknowledge(f"{one.run_id} {json.loads(one.line)['status']}")

    commit(store, entry("a"), entry("b"))
    commit(store, entry("c", status="failed"))
    store.publish()
    commit(guest, entry("queued"))
    commit(store, entry("d"))
    store.rest()
    commit(store, entry("c", repeated=True))
    commit(store, entry("d", repeated=True), entry("e"))
    store.publish()
    commit(guest, entry("queued too", repeated=True))
    store.close()
    commit(guest, entry("f"))
    guest.close()


def _kill_at(wanted: int, torn: bool) -> Callable[[int, str, tuple[Any, ...]], None]:
    def at_call(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == wanted:
            if torn and name == "write":
                write_half(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

    return at_call


if __name__ == "__main__":
    with counting(Calls(at_call=_kill_at(int(sys.argv[2]), torn=sys.argv[3] == "torn"), sync=False)):
        run_workload(Path(sys.argv[1]), tell)
