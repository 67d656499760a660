"""Starts a command, once or several times at once, waits, and tells what it took: `launcher.py FOLDER TIMES COMMAND...`.

A process of its own, and a small one that imports next to nothing: the kernel counts the memory of whoever starts a program as the
program's, so nothing appears smaller than about 8 MB.
Prints wall seconds, CPU seconds, peak KiB, and the exit codes. Outputs go to FOLDER/stdout-N and FOLDER/stderr-N.
"""

import os
import sys
import time


def main() -> None:
    folder, times, *command = sys.argv[1:]
    began = time.perf_counter()
    started = [_start(command, folder, place) for place in range(int(times))]
    ended = [os.wait4(pid, 0)[1:] for pid in started]
    wall = time.perf_counter() - began
    unit = 1 if sys.platform == "linux" else 1024  # macOS tells bytes
    cpu = sum(usage.ru_utime + usage.ru_stime for _, usage in ended)
    peak = max(usage.ru_maxrss for _, usage in ended) / unit
    print(wall, cpu, peak, *(os.waitstatus_to_exitcode(status) for status, _ in ended))


def _start(command: list[str], folder: str, place: int) -> int:
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, f"{folder}/stdout-{place}", write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, f"{folder}/stderr-{place}", write, 0o600),
    ]
    return os.posix_spawnp(command[0], command, os.environ, file_actions=actions)


if __name__ == "__main__":
    main()
