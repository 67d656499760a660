"""`serve`: the dashboard in a process of its own, until a signal ends it."""

import os
import sys
from argparse import Namespace

from orchestrator_py.cli.console import print_lines, say
from orchestrator_py.cli.ending import die_by
from orchestrator_py.cli.folders import find_record
from orchestrator_py.cli.serve_arguments import TOKEN_VARIABLE
from orchestrator_py.errors import InputError

TYPE_CHECKING = False  # type checkers read the names
if TYPE_CHECKING:
    import socket

    from orchestrator_py.dashboard.app import Dashboard


def serve(arguments: Namespace) -> int:
    """Ends by the signal that ends it. InputError if it cannot begin."""
    runs_root, out_root = find_record(arguments)
    try:
        from orchestrator_py.dashboard.server import bind, serve_until_signal
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("orchestrator_py"):
            raise
        raise InputError(
            f"serve needs {error.name}, which is not installed; install it with: pip install 'orchestrator-py[dashboard]'"
        ) from None
    listening = bind(arguments.host, arguments.port)
    with listening:
        app = _create_app(arguments, listening, runs_root, out_root)
        number = serve_until_signal(app, listening, lambda: _announce(arguments, listening, runs_root))
    sys.stdout.flush()
    die_by(number)


def _create_app(arguments: Namespace, listening: "socket.socket", runs_root: str, out_root: str) -> "Dashboard":
    from orchestrator_py.dashboard.app import Dashboard
    from orchestrator_py.dashboard.record import Record
    from orchestrator_py.dashboard.server import policy_for
    from orchestrator_py.dashboard.token import Token

    given = arguments.token if arguments.token is not None else os.environ.get(TOKEN_VARIABLE) or None
    policy = policy_for(listening, arguments.host, arguments.allow_host, None if given is None else Token(given))
    return Dashboard(Record(runs_root, out_root), policy)


def _announce(arguments: Namespace, listening: "socket.socket", runs_root: str) -> None:
    from orchestrator_py.dashboard.server import address_of

    address = address_of(listening, arguments.host)
    print_lines([address], 0)
    say(f"shows the runs of {runs_root}; Ctrl-C ends it")
    if arguments.open:
        import webbrowser

        if not webbrowser.open(address):
            say(f"no browser could be opened; go to {address}")
