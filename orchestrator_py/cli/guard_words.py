"""What this program understands, for the guard that checks what documents say of it."""

import argparse
from collections.abc import Mapping

from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.console import PROGRAM
from orchestrator_py.guards.tool import Words


def tools() -> Mapping[str, Words]:
    """This program by its name."""
    return {PROGRAM: _words(create_parser())}


def _words(parser: argparse.ArgumentParser) -> Words:
    options = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    commands = {name: _words(command) for action in nested for name, command in action.choices.items()}
    return Words(options=frozenset(options), commands=commands)
