"""On a worker: a process that outlives it, however it dies, and then kills the commands that it leaves behind, their children included.

A signal at the death of a parent, which the kernel offers, reaches a shell and nothing that the shell has started.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator_py.lean import define, field

_PROGRAM = str(Path(__file__).with_name("heir_program.py"))


@define(eq=False)
class Heir:
    """It hears of us through a pipe whose other end nobody else holds. It is started when there is something to tell, and again if it died.

    Where it cannot be started, commands have only what the kernel offers.
    """

    _groups: set[int] = field(factory=set, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @contextmanager
    def knowing(self, group: int) -> Iterator[None]:
        """While this is entered, the process group dies with us."""
        self._groups.add(group)
        self._tell(b"+%d\n" % group)
        try:
            yield
        finally:
            self._groups.discard(group)
            self._tell(b"-%d\n" % group)

    def _tell(self, line: bytes) -> None:
        """So short a line arrives whole or not at all."""
        if self._process is None or not _write(self._process, line):
            self._replace()

    def _replace(self) -> None:
        """Another one, which is told everything."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = _start()
        if self._process is not None:
            for group in self._groups:
                _write(self._process, b"+%d\n" % group)


def _start() -> "subprocess.Popen[bytes] | None":
    """In a session of its own: whoever kills ours does not kill it."""
    with suppress(OSError):
        process = subprocess.Popen(
            [sys.executable or "python3", "-I", "-S", _PROGRAM],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)  # one that stands still must not make us stand still
        return process
    return None


def _write(process: "subprocess.Popen[bytes]", line: bytes) -> bool:
    assert process.stdin is not None
    try:
        return process.stdin.write(line) == len(line)
    except OSError:
        return False


heir = Heir()
"""That of this process."""
