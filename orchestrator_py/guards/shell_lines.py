"""The commands in what a document shows of a shell."""

import re
import shlex
from collections.abc import Iterator

from orchestrator_py.guards.document import Fence, Named

SHELLS = frozenset({"sh", "bash", "shell", "zsh", "console", "shell-session", "terminal", ""})

_PROMPT = re.compile(r"^\s*[$%] ")
_SEPARATOR = re.compile(r"^[;&|()]+$")
_ASSIGNMENT = re.compile(r"^\w+=")
_OPEN = re.compile(r"[<>\[\]{}$*…]|\.\.\.|^[A-Z][A-Z_]*$")

Command = tuple[str, ...]


def fence_commands(fence: Fence) -> Iterator[tuple[int, list[Command]]]:
    """The commands of each line; where lines have prompts, the others are output."""
    lines = fence.text.split("\n")
    prompted = any(_PROMPT.match(line) for line in lines)
    for number, line in _joined(fence.line, lines):
        if not prompted or _PROMPT.match(line):
            yield number, commands(_PROMPT.sub("", line))


def span_commands(span: Named) -> list[Command]:
    """Those of a code span that is more than a word."""
    return commands(span.text) if " " in span.text else []


def commands(line: str) -> list[Command]:
    """Each command of a line: its words without assignments. Nothing if it is no whole line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a quote that does not end
        return []
    found: list[list[str]] = [[]]
    for word in words:
        if _SEPARATOR.match(word):
            found.append([])
        elif found[-1] or not _ASSIGNMENT.match(word):
            found[-1].append(word)
    return [tuple(command) for command in found if command]


def is_open(word: str) -> bool:
    """Whether it stands for something that the reader puts in: `<name>`, `NAME`, `[name]`, `$name`."""
    return _OPEN.search(word) is not None


def _joined(first: int, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that end in a backslash go on in the next one."""
    begun, text = first, ""
    for number, line in enumerate(lines, first):
        begun = begun if text else number
        text += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield begun, text
            text = ""
    if text:
        yield begun, text
