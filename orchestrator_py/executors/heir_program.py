"""The program of a worker's heir: when the worker is gone, it kills the process groups that the worker has left running.

Lines of its input are `+GROUP` for one that has begun and `-GROUP` for one that has ended; the end of the input is that of the worker.
It is started by its path and imports nothing of the package, so that it is there at once.
"""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress


def main() -> None:
    """Waits for the worker's end, however long that takes: what ends the worker with a word is not meant for its heir."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for group in left_running(sys.stdin.buffer):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def left_running(lines: Iterable[bytes]) -> set[int]:
    """What has begun and not ended when there are no more lines; a torn last one tells nothing."""
    groups: set[int] = set()
    for line in lines:
        if line.startswith(b"+") and line.endswith(b"\n"):
            groups.add(int(line[1:]))
        elif line.startswith(b"-") and line.endswith(b"\n"):
            groups.discard(int(line[1:]))
    return groups


if __name__ == "__main__":
    main()
