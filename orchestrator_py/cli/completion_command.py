"""`completion`: the script that teaches a shell the words of the command line, made by shtab."""

import argparse
from argparse import Namespace
from collections.abc import Iterator

from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.console import print_lines
from orchestrator_py.errors import InputError

_FOLDERS = frozenset({"DIR"})
_FILES = frozenset({"FILE"})


def completion(arguments: Namespace) -> int:
    """The exit code. InputError says how to install what is missing."""
    try:
        import shtab
    except ImportError:
        raise InputError(
            "Completion needs shtab, which is not installed; install it with: pip install 'orchestrator-py[completion]'"
        ) from None
    parser = create_parser()
    for action in _all_actions(parser):
        if action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # this is how shtab is told
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # the same
    return print_lines(shtab.complete(parser, shell=arguments.shell).splitlines(), 0)


def _all_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for nested in action.choices.values():
                yield from _all_actions(nested)
