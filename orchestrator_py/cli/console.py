"""The standard streams: stdout carries what was asked for, stderr everything else. Neither can end a run."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper

TYPE_CHECKING = False  # type checkers read the name; `typing` costs a fifth of a start
if TYPE_CHECKING:
    from typing import Literal, TextIO

    from _typeshed import ReadableBuffer

PROGRAM = "orchestrator-py"
TRACEBACK_VARIABLE = "ORCHESTRATOR_PY_TRACEBACK"
NOT_WRITTEN = 74

_heeds_commands = False
_reader_has_gone = False


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


def wait_for_slow_readers() -> None:
    """Makes stdout and stderr lose nothing where Python's own may: see `_Patient`."""
    if sys.stdout is sys.__stdout__:  # else whoever called us has put his own there
        sys.stdout = _patient(sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _patient(sys.stderr)


def heed_workflow_commands() -> None:
    """Whoever reads our streams obeys certain lines: from now on none that others wrote is one. See `write_commands`."""
    global _heeds_commands
    _heeds_commands = True


def commands_are_heeded() -> bool:
    """Whether `without_commands` changes anything."""
    return _heeds_commands


def print_lines(lines: Iterable[str], code: int) -> int:
    """Lines on stdout. The answer is the code to end with.

    That is `code`, but what should be 0 is 74 if stdout takes nothing. A reader who has gone away has had enough, which is no failure.
    """
    return print_text("".join(f"{printable(line)}\n" for line in lines), code)


def print_json(data: object, code: int) -> int:
    """One JSON document on stdout, which is UTF-8 by definition. The answer is the code to end with, see `print_lines`."""
    from orchestrator_py.core.json_text import pretty_json

    return print_json_text(f"{pretty_json(data)}\n", code)


def print_json_text(text: str, code: int) -> int:
    """JSON on stdout as it stands; the answer is that of `print_lines`."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return print_text(without_commands(text, json=True), code)


def print_page(text: str, code: int) -> int:
    """An HTML document on stdout, which says of itself that it is UTF-8; the answer is that of `print_lines`."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return print_text(text, code)


def print_text(text: str, code: int) -> int:
    """Text on stdout as it stands, whatever its encoding is; the answer is that of `print_lines`."""
    try:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # empties the buffer
        sys.stdout.write(without_commands(text))
        sys.stdout.flush()
    except OSError as error:
        return stdout_fails(error, code)
    return code


def stdout_fails(error: OSError, code: int) -> int:
    """What to do when stdout has refused something: nothing is printed any more. The answer is that of `print_lines`."""
    global _reader_has_gone
    _discard(sys.stdout)
    if isinstance(error, BrokenPipeError):
        _reader_has_gone = True
        return code
    say(f"stdout: cannot write to it: {error.strerror or error}.")
    return code or NOT_WRITTEN


def reader_goes(within: float) -> bool:
    """Whether whoever reads stdout has gone or goes within so many seconds; waits as long as he stays."""
    if _reader_has_gone:
        return True
    from select import poll  # hardly anybody needs it

    looking = poll()
    looking.register(sys.stdout.fileno(), 0)
    return bool(looking.poll(1000 * within))


def say(message: str) -> None:
    """A message for the user, on stderr."""
    write_stderr([f"{PROGRAM}: {message}"])


def write_stderr(messages: Iterable[str]) -> None:
    """Lines on stderr, if anybody still reads it."""
    write_text("".join(f"{printable(line)}\n" for message in messages for line in message.split("\n")))


def write_text(text: str) -> None:
    """Text on stderr as it stands: whoever made it answers for the control characters in it."""
    _write_stderr(without_commands(text))


def write_commands(commands: Iterable[str]) -> None:
    """Workflow commands of our own, on stderr."""
    _write_stderr("".join(f"{command}\n" for command in commands))


def _write_stderr(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _discard(sys.stderr)


def printable(line: str) -> str:
    """What others wrote cannot move the cursor, colour what follows, or begin a line of its own."""
    if line.isprintable():
        return line
    return "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in line)


def without_commands(text: str, *, json: bool = False) -> str:
    """Whole lines, in which whoever reads our streams finds no command to obey."""
    if not _heeds_commands:
        return text
    from orchestrator_py.cli.workflow_commands import harmless, harmless_json

    return harmless_json(text) if json else harmless(text)


def _open(descriptor: int, mode: "Literal['r', 'w']") -> "TextIO":
    return open(descriptor, mode, closefd=False)


def _patient(stream: "TextIO | None") -> "TextIO":
    assert isinstance(stream, TextIOWrapper)
    raw = _Patient(stream.fileno(), "wb", closefd=False)
    return TextIOWrapper(BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=stream.line_buffering)


class _Patient(FileIO):
    """A descriptor that takes everything, if its reader does.

    The pipe or terminal may be shared, and a neighbour may have made it non-blocking, at any time. A write is then refused where it should
    wait, and Python's text layer drops what was refused without a word. The neighbour keeps his way: only we wait.
    """

    def write(self, data: "ReadableBuffer", /) -> int:
        while True:
            try:
                return os.write(self.fileno(), data)
            except BlockingIOError:
                from select import select  # hardly anybody needs it

                select([], [self], [])


def _discard(stream: "TextIO") -> None:
    """What is left in its buffer must not fail again when the interpreter flushes it at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
