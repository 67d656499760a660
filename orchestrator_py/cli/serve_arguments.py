"""The words of `serve`."""

from orchestrator_py.cli.path_arguments import add_record_place, unfit

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser

PORT = 8420
TOKEN_VARIABLE = "ORCHESTRATOR_PY_TOKEN"


def add_serve(serve: "ArgumentParser") -> None:
    """`serve`, which shows runs in a browser while they go on."""
    serve.description = (
        "Serves a page that shows tasks, runs and what they print, live, whoever runs them. Changes nothing.\n"
        "Prints its address, and goes on until it gets a signal. Needs: pip install 'orchestrator-py[dashboard]'."
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
        raise unfit(f"{text!r} is not a port: a whole number from 0 to 65535")
    return int(text)
