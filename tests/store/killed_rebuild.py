"""Rebuilds a task in a forked process that kills itself at the call that it is told; a line of stdin for each.

python -m tests.store.killed_rebuild, then lines: root, tab, number of the call, tab, before|torn. Answers each with the exit code.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from orchestrator_py.store.rebuild import rebuild
from tests.store.entries import now, task_below
from tests.store.faults import Calls, counting, write_half


def rebuild_and_die(root: Path, wanted: int, *, torn: bool) -> None:
    def at_call(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == wanted:
            if torn:
                write_half(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

    with counting(Calls(at_call=at_call, sync=False)):
        rebuild(task_below(root), now)


if __name__ == "__main__":
    for line in sys.stdin:
        root, number, kind = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            rebuild_and_die(Path(root), int(number), torn=kind == "torn")
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
