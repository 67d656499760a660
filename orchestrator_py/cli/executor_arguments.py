"""The words that say where the commands of a run work."""

from orchestrator_py.cli.path_arguments import unfit

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_executor(run: "ArgumentParser") -> None:
    """For every run. What is not said stands under `executor` in the configuration."""
    group = run.add_argument_group("executor", "Commands may run on the workers of a Dask cluster; the record stays here (docs/dask.md).")
    group.add_argument(
        "--executor", choices=("local", "dask", "dask-local"), help="where commands run (default: as the file says, or local)"
    )
    where = group.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="the scheduler: tcp://HOST:PORT or tls://HOST:PORT")
    where.add_argument("--scheduler-file", metavar="FILE", help="a file that a scheduler has written, with its address")
    group.add_argument("--remote-root", metavar="DIR", help="where the workers have the repository (default: where it is here)")
    group.add_argument("--allow-dirty-remote", action="store_true", help="workers may have changes of their own there, or no git")
    group.add_argument("--remote-env", nargs="+", action="extend", default=[], metavar="NAME", help="pass these variables of ours on")
    group.add_argument(
        "--worker-resource",
        type=_resource,
        action="append",
        default=[],
        metavar="NAME[=UNITS]",
        help="a tag or resource of this name asks for so many units of that resource of a worker",
    )
    group.add_argument("--insecure", action="store_true", help="speak to other machines in plain text: whoever listens can run anything")
    group.add_argument("--tls-ca-file", metavar="FILE", help="the authority that scheduler and workers are checked against")
    group.add_argument("--tls-cert", metavar="FILE", help="our certificate")
    group.add_argument("--tls-key", metavar="FILE", help="its key")


def _resource(text: str) -> tuple[str, float]:
    name, _, units = text.partition("=")
    try:
        number = float(units or 1)
    except ValueError:
        number = 0.0
    if not name or not 0 < number < float("inf"):
        raise unfit(f"{text!r} is no NAME or NAME=UNITS, with a number above 0")
    return name, number
