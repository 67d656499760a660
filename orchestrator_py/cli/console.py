"""The standard streams: stdout carries what was asked for, stderr everything else. Neither can end a run."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper
from typing import Literal, TextIO

PROGRAM = "orchestrator-py"
TRACEBACK_VARIABLE = "ORCHESTRATOR_PY_TRACEBACK"
NOT_WRITTEN = 74


def open_missing_streams() -> None:
    """Gives back the standard streams that whoever started us has closed.

    Their descriptors would go to the next files that are opened, which then would receive what is meant for the user; and
    `print(..., file=None)` prints to stdout.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    sys.stdin = sys.stdin or _open(0, "r")
    sys.stdout = sys.stdout or _open(1, "w")
    sys.stderr = sys.stderr or _open(2, "w")


def print_lines(lines: Iterable[str], code: int) -> int:
    """Text on stdout, whatever its encoding is. The answer is the code to end with.

    That is `code`, but what should be 0 is 74 if stdout takes nothing. A reader who has gone away has had enough, which is no failure.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return _put_out("".join(f"{printable(line)}\n" for line in lines), code)


def print_json(data: object, code: int) -> int:
    """One JSON document on stdout, which is UTF-8 by definition. The answer is the code to end with, see `print_lines`."""
    from orchestrator_py.core.json_text import pretty_json

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return _put_out(f"{pretty_json(data)}\n", code)


def say(message: str) -> None:
    """A message for the user, on stderr."""
    write_stderr([f"{PROGRAM}: {message}"])


def write_stderr(messages: Iterable[str]) -> None:
    """Lines on stderr, if anybody still reads it."""
    try:
        sys.stderr.write("".join(f"{printable(line)}\n" for message in messages for line in message.split("\n")))
        sys.stderr.flush()
    except (OSError, ValueError):
        _discard(sys.stderr)


def printable(line: str) -> str:
    """What others wrote cannot move the cursor, colour what follows, or begin a line of its own."""
    return "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in line)


def _open(descriptor: int, mode: Literal["r", "w"]) -> TextIO:
    return open(descriptor, mode, closefd=False)


def _put_out(text: str, code: int) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        say(f"stdout: cannot write to it: {error.strerror or error}.")
        return code or NOT_WRITTEN
    return code


def _discard(stream: TextIO) -> None:
    """What is left in its buffer must not fail again when the interpreter flushes it at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
