"""The words of `python -m bench`."""

import argparse
from pathlib import Path

from bench.dask import add_dask
from bench.peers import PEERS, default_folder
from bench.scale.arguments import add_scale
from bench.sdists import PACKAGES
from bench.workloads import WORKLOADS


def create_parser() -> argparse.ArgumentParser:
    """Figures are told, never judged by absolute time; a missed claim is no failure of the program."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures what the project claims, beside other tools, as ratios within one run."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_run(commands.add_parser("run", help="measure workloads and hold them against the claims"))
    _add_compare(commands.add_parser("compare", help="hold the claims of two documents of `run --json` against each other"))
    _add_doctor(commands.add_parser("doctor", help="say which peers are installed and how to install the others"))
    _add_profile(commands.add_parser("profile", help="show where the time of a workload goes"))
    _add_guards(commands.add_parser("guards", help="let the guards look at published packages, and tell what they find"))
    add_scale(commands.add_parser("scale", help="simulate what is too large for this machine, in virtual time"))
    _add_dashboard(commands.add_parser("dashboard", help="measure what `serve` costs while much goes on"))
    add_dask(commands.add_parser("dask", help="measure commands on a Dask cluster of this machine"))
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("workloads", nargs="*", metavar="WORKLOAD", type=_workload, help=f"of {', '.join(WORKLOADS)} (default: all)")
    run.add_argument(
        "--reps", type=_count, default=5, metavar="N", help="rounds that count, after one that does not (default: %(default)s)"
    )
    run.add_argument(
        "--peers", type=_peers, default=list(PEERS), metavar="NAMES", help=f"of {','.join(PEERS)}; empty for none (default: all installed)"
    )
    run.add_argument("--json", type=Path, metavar="FILE", help="write every sample there too")
    run.add_argument("--scale", type=_scale, default=1.0, metavar="X", help="factor on sizes (default: %(default)g)")
    _add_folder(run)


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument("first", type=Path, metavar="A.json")
    compare.add_argument("second", type=Path, metavar="B.json")


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--install", action="store_true", help="install what is missing")
    _add_folder(doctor)


def _add_dashboard(dashboard: argparse.ArgumentParser) -> None:
    dashboard.add_argument("--seconds", type=_count, default=20, metavar="N", help="measure so long at each rate (default: %(default)s)")
    _add_folder(dashboard)


def _add_profile(profile: argparse.ArgumentParser) -> None:
    profile.add_argument("workload", metavar="WORKLOAD", type=_workload, help=f"of {', '.join(WORKLOADS)}")
    profile.add_argument("--scale", type=_scale, default=1.0, metavar="X", help="factor on sizes (default: %(default)g)")
    _add_folder(profile)


def _add_guards(guards: argparse.ArgumentParser) -> None:
    guards.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"names in the package index (default: {', '.join(PACKAGES)})")
    _add_folder(guards)


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--folder", type=Path, default=default_folder(), metavar="DIR", help="where peers and measured files are (default: %(default)s)"
    )


def _workload(text: str) -> str:
    if text not in WORKLOADS:
        raise argparse.ArgumentTypeError(f"unknown: {text}; choose from {', '.join(WORKLOADS)}")
    return text


def _peers(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; choose from {', '.join(PEERS)}")
    return names


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return scale
