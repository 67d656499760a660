"""The words of `serve`."""

import argparse

from orchestrator_py.cli.path_arguments import add_record_place

TYPE_CHECKING = False  # type checkers read the name; `typing` costs a fifth of a start
if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

PORT = 8420
TOKEN_VARIABLE = "ORCHESTRATOR_PY_TOKEN"


def add_serve(commands: "Subparsers") -> None:
    """`serve`, which shows runs in a browser while they go on."""
    serve = commands.add_parser(
        "serve",
        help="show runs in a browser, live",
        description="Serves a page that shows tasks, runs and what they print, live, whoever runs them. Changes nothing.\n"
        "Prints its address, and goes on until it gets a signal. Needs: pip install 'orchestrator-py[dashboard]'.",
        allow_abbrev=False,
    )
    serve.add_argument("--host", default="127.0.0.1", metavar="NAME", help="the address to listen at (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=PORT, metavar="N", help="the port, 0 for any free one (default: %(default)s)")
    serve.add_argument("--open", action="store_true", help="open the page in the browser")
    serve.add_argument("--token", metavar="TEXT", help=f"let nobody in without it; required beyond loopback ({TOKEN_VARIABLE})")
    serve.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="another name under which browsers reach it; again for more"
    )
    add_record_place(serve)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 0 to 65535")
    return int(text)
