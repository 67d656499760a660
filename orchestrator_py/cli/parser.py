"""argparse as this program uses it: wrong words are an error like any other, help is a text like any other, and both cost little.

Only the parser of the command that was asked for is made, and nothing is imported for the layout of help: a start is mostly that.
"""

import argparse
import os
import sys
from collections.abc import Iterator

from orchestrator_py.cli.console import print_lines
from orchestrator_py.errors import InputError

TYPE_CHECKING = False  # type checkers read the name; `typing` costs a fifth of a start
if TYPE_CHECKING:
    from typing import Any, NoReturn

    _SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    _SubParsers = argparse._SubParsersAction

_WIDTH = 80


class UsageError(InputError):
    """Words that make no sense."""


class Parser(argparse.ArgumentParser):
    """The parser of the program, and of each command."""

    def __init__(self, **settings: "Any") -> None:
        super().__init__(**settings)
        self.register("action", "boolean", argparse.BooleanOptionalAction)  # by a word, so that declarations need not import it

    def print_help(self, file: object = None) -> "NoReturn":
        self.exit(print_lines(self.format_help().splitlines(), 0))

    def error(self, message: str) -> "NoReturn":
        raise UsageError(f"{message} ({self.prog} --help tells more)")

    def _get_formatter(self) -> argparse.HelpFormatter:
        return _Formatter(self.prog, width=_width() - 2)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            from orchestrator_py.core.suggestion import suggest

            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{suggest(str(value), map(str, action.choices))}")


class Commands(_SubParsers):
    """Commands, some of them known by name alone: of these no parser is made."""

    def add_name(self, name: str, what: str) -> None:
        """A command that is not asked for."""
        self._choices_actions.append(self._ChoicesPseudoAction(name, (), what))
        self._name_parser_map[name] = None  # type: ignore[assignment]  # never looked up


class Version(argparse.Action):
    """Says which program this is: its constant."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> "NoReturn":
        parser.exit(print_lines([f"{parser.prog} {self.const}"], 0))


class _Formatter(argparse.HelpFormatter):
    """Keeps line breaks of descriptions; breaks lines without the help of two more modules."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (part for line in text.splitlines() for part in ([line] if len(line) <= width else _broken(line, width)))
        return "".join(f"{indent}{line}\n" for line in lines)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return list(_broken(text, width))


def _broken(text: str, width: int) -> Iterator[str]:
    """The words in lines of at most so many characters; a longer word has one for itself."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _width() -> int:
    """Of the terminal."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    except (OSError, ValueError):  # not a terminal
        return _WIDTH
