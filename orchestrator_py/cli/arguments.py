"""The words of the command line; argparse only, so that --help and --version cost little."""

import argparse
import os
from importlib.metadata import PackageNotFoundError, version

_EXIT_CODES = """\
exit codes: 0 succeeded, 1 failed, 2 usage or configuration, 3 rejected by review, 4 timed out, 5 nothing ran, 6 crashed,
8 cancelled, 70 defect, 74 could not be recorded; ended by a signal (129, 130, 143) when the signal cut a stage short"""


def create_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="orchestrator-py",
        description="Runs groups of subtasks concurrently and reports truly how they went.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"orchestrator-py {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_plan(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="run a pipeline and leave its report", epilog=_EXIT_CODES, allow_abbrev=False)
    _add_common(run)
    run.add_argument("--task", metavar="ID", help="the task that the run belongs to (MCP_RUNNER_TASK_ID, else 0101)")
    run.add_argument(
        "-j", "--jobs", type=_positive, default=os.cpu_count() or 1, metavar="N", help="stages at a time (default: %(default)s)"
    )
    run.add_argument(
        "--on-failure",
        choices=("stop", "cancel", "continue"),
        default="stop",
        help="after a failure start nothing new (default), also end what runs, or go on with what does not need it",
    )
    run.add_argument("--grace", type=_seconds, default=10.0, metavar="SECONDS", help="time between TERM and KILL (default: %(default)s)")


def _add_plan(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    plan = commands.add_parser("plan", help="show what would run, and start nothing", allow_abbrev=False)
    _add_common(plan)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="id of the pipeline (default: defaultPipeline of the file)")
    command.add_argument("--target", metavar="STAGE", help="the stage whose report stands first (CODEX_ORCHESTRATOR_TARGET_STAGE)")
    command.add_argument("--root", metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where the file is found)")
    command.add_argument("--config", metavar="FILE", help="the configuration (default: codex.orchestrator.json in the root)")
    command.add_argument("--runs-dir", metavar="DIR", help="where runs are written (CODEX_ORCHESTRATOR_RUNS_DIR, else .runs)")
    command.add_argument("--out-dir", metavar="DIR", help="where state is written (CODEX_ORCHESTRATOR_OUT_DIR, else out)")
    command.add_argument("--format", choices=("text", "json"), default="text", help="what stands on stdout (default: %(default)s)")


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds


def _version() -> str:
    try:
        return version("orchestrator-py")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0 (not installed)"
