"""The words of the command line; argparse only, so that --help and --version cost little."""

import argparse
import os
from collections.abc import Sequence
from itertools import pairwise

from orchestrator_py.cli.configuration_arguments import add_completion, add_init, add_schema, add_validate
from orchestrator_py.cli.console import print_lines
from orchestrator_py.cli.executor_arguments import add_executor
from orchestrator_py.cli.guard_arguments import add_guard
from orchestrator_py.cli.metrics_arguments import add_metrics
from orchestrator_py.cli.output_arguments import RUN_FORMATS, add_outputs
from orchestrator_py.cli.parser import Parser, asked_command, only
from orchestrator_py.cli.path_arguments import path
from orchestrator_py.cli.reading_arguments import add_logs, add_report, add_runs, add_status
from orchestrator_py.cli.review_arguments import add_review
from orchestrator_py.cli.scheduling_arguments import add_rules, add_selection
from orchestrator_py.cli.serve_arguments import add_serve

TYPE_CHECKING = False  # type checkers read the name; `typing` costs a fifth of a start
if TYPE_CHECKING:
    from typing import NoReturn

_EXIT_CODES = """\
exit codes:
  0   succeeded
  1   failed
  2   wrong usage, or a configuration that cannot run; nothing was started
  3   rejected by a review
  4   timed out
  5   nothing ran
  6   crashed: killed by a signal, or could not be started
  8   cancelled without a signal
  70  the report cannot be vouched for; a defect of this program
  74  the run, or its report, could not be written
  75  the run is held by another live process
A run that SIGINT, SIGTERM or SIGHUP has cut short ends by that signal: a shell shows 130, 143, 129."""


def create_parser(words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser of all commands; with the words that it will be given, only of the command that they ask for."""
    parser: argparse.ArgumentParser = Parser(
        prog="orchestrator-py",
        description="Runs groups of subtasks concurrently and reports truly how they went.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    asked = None if words is None else asked_command(words)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, action=only(asked))
    _add_run(commands)
    _add_resume(commands)
    _add_plan(commands)
    add_status(commands)
    add_runs(commands)
    add_report(commands)
    add_logs(commands)
    add_serve(commands)
    add_init(commands)
    add_validate(commands)
    add_schema(commands)
    add_completion(commands)
    add_metrics(commands)
    add_guard(commands)
    add_review(commands)
    return parser


def asked_format(arguments: Sequence[str]) -> str:
    """What the words want to stand on stdout, even if they make no sense otherwise; empty if they do not say."""
    joined = [word.removeprefix("--format=") for word in arguments if word.startswith("--format=")]
    return next(iter(joined + [value for word, value in pairwise(arguments) if word == "--format"]), "")


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser(
        "run",
        help="run a pipeline and leave its report",
        description="Runs the stages of a pipeline. The report goes to stdout, progress to stderr.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_pipeline(run)
    _add_places(run, RUN_FORMATS)
    _add_manner(run)
    add_selection(run)


def _add_resume(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    resume = commands.add_parser(
        "resume",
        help="run again what did not succeed of an earlier run",
        description="Takes a run up again under its id: stages that succeeded are kept, the run counts once, with its last outcome.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    resume.add_argument("--run", required=True, metavar="ID", help="the run to take up again")
    resume.add_argument("--token", metavar="HEX", help="its resume token; refused if it is another run's")
    _add_places(resume, RUN_FORMATS)
    _add_manner(resume)


def _add_manner(run: argparse.ArgumentParser) -> None:
    run.add_argument("--task", metavar="ID", help="the task that the run belongs to (MCP_RUNNER_TASK_ID, else 0101)")
    run.add_argument(
        "-j",
        "--jobs",
        type=_positive,
        metavar="N",
        help=f"stages at a time, those of sub-pipelines included (default: {processors()})",
    )
    run.add_argument(
        "--on-failure",
        choices=("stop", "cancel", "continue"),
        default="stop",
        help="after a failure start nothing new (default), also end what runs, or go on with what does not need it",
    )
    run.add_argument(
        "--grace", type=_seconds, default=10.0, metavar="SECONDS", help="from SIGTERM to SIGKILL for a stage that is ended (default: 10)"
    )
    add_rules(run)
    add_executor(run)
    _add_looks(run)
    add_outputs(run)


def _add_looks(run: argparse.ArgumentParser) -> None:
    loudness = run.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q", "--quiet", action="count", default=0, help="of progress only what fails; twice: nothing but the report on stdout"
    )
    loudness.add_argument("-v", "--verbose", action="count", default=0, help="also what starts, and what the stages print, as it comes")
    run.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours (default: auto, which heeds NO_COLOR and FORCE_COLOR)"
    )
    run.add_argument("--no-progress", action="store_true", help="no live view on a terminal, no signs of life in a log")


def _add_plan(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    description = "Shows the stages of a pipeline as they would run."
    plan = commands.add_parser("plan", help="show what would run, and start nothing", description=description, allow_abbrev=False)
    _add_pipeline(plan)
    _add_places(plan)


def _add_pipeline(command: argparse.ArgumentParser) -> None:
    command.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="id of the pipeline (default: defaultPipeline of the file)")
    command.add_argument("--target", metavar="STAGE", help="the stage whose report stands first (CODEX_ORCHESTRATOR_TARGET_STAGE)")


def _add_places(command: argparse.ArgumentParser, formats: Sequence[str] = ("text", "json")) -> None:
    command.add_argument("--root", type=path, metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where the file is found)")
    command.add_argument(
        "--config",
        type=path,
        metavar="FILE",
        help="the configuration (CODEX_ORCHESTRATOR_REPO_CONFIG_PATH, else codex.orchestrator.json in the root)",
    )
    command.add_argument("--runs-dir", type=path, metavar="DIR", help="where runs are written (CODEX_ORCHESTRATOR_RUNS_DIR, else .runs)")
    command.add_argument("--out-dir", type=path, metavar="DIR", help="where state is written (CODEX_ORCHESTRATOR_OUT_DIR, else out)")
    command.add_argument("--format", choices=formats, default="text", help="what stands on stdout (default: %(default)s)")


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


def processors() -> int:
    """Those that we may use: a container often has fewer than its machine."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS does not know it
        return os.cpu_count() or 1


class _Version(argparse.Action):
    """Says which program this is."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> "NoReturn":
        from orchestrator_py import __version__

        parser.exit(print_lines([f"{parser.prog} {__version__}"], 0))
