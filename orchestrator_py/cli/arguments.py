"""The words of a call: read plainly if they can be, else by argparse, which alone tells mistakes and help."""

from itertools import pairwise

from orchestrator_py.cli.commands import COMMANDS, declaration_of
from orchestrator_py.cli.plain_words import read_plainly

TYPE_CHECKING = False  # type checkers read the names; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence


def parse_words(texts: "Sequence[str]") -> "Namespace":
    """What they say. UsageError if they make no sense; SystemExit after help or version, which somebody has asked for."""
    plain = read_plainly(declaration_of(texts[0]), texts[1:]) if texts and texts[0] in COMMANDS else None
    if plain is None:
        return create_parser(texts).parse_args(texts)
    plain.command = texts[0]
    return plain  # type: ignore[return-value]  # a namespace like any other


def create_parser(texts: "Sequence[str] | None" = None) -> "ArgumentParser":
    """The parser of all commands; with the texts that it will be given, only of the command that they ask for."""
    from argparse import SUPPRESS

    from orchestrator_py import __version__
    from orchestrator_py.cli.exit_codes import EXIT_CODES
    from orchestrator_py.cli.parser import Commands, Parser, Version

    parser: ArgumentParser = Parser(
        prog="orchestrator-py",
        description="Runs groups of subtasks concurrently and reports truly how they went.",
        epilog=EXIT_CODES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=Version, nargs=0, const=__version__, default=SUPPRESS, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, action=Commands)
    assert isinstance(commands, Commands)
    asked = None if texts is None else asked_command(texts)
    for name, what in COMMANDS.items():
        if asked in (None, name):
            declaration_of(name)(commands.add_parser(name, help=what, allow_abbrev=False))
        else:
            commands.add_name(name, what)
    return parser


def asked_command(texts: "Sequence[str]") -> str:
    """The first that is no option, empty if there is none: options in front of a command take no values."""
    return next((text for text in texts if not text.startswith("-")), "")


def asked_format(texts: "Sequence[str]") -> str:
    """What they want to stand on stdout, even if they make no sense otherwise; empty if they do not say."""
    joined = [text.removeprefix("--format=") for text in texts if text.startswith("--format=")]
    return next(iter(joined + [value for text, value in pairwise(texts) if text == "--format"]), "")
