"""Ending so that whoever started us can tell how."""

import os
import signal

TYPE_CHECKING = False  # type checkers read the name; `typing` costs a fifth of a start
if TYPE_CHECKING:
    from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def die_by(number: int) -> "NoReturn":
    """End as the signal would have ended us, so that a shell loop around us stops too. What was printed must be flushed before."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)  # only if the signal is blocked


def outlast_signals() -> None:
    """Everything is said and done: a signal that comes now comes too late to change the exit code."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
