"""The words of the commands that run a pipeline, or show what would run: `run`, `resume`, `plan`."""

import os

from orchestrator_py.cli.executor_arguments import add_executor
from orchestrator_py.cli.exit_codes import EXIT_CODES
from orchestrator_py.cli.output_arguments import RUN_FORMATS, add_outputs
from orchestrator_py.cli.path_arguments import path, unfit
from orchestrator_py.cli.scheduling_arguments import add_rules, add_selection

TYPE_CHECKING = False  # type checkers read the names; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence


def add_run(run: "ArgumentParser") -> None:
    """`run`, which runs a pipeline."""
    run.description = "Runs the stages of a pipeline. The report goes to stdout, progress to stderr."
    run.epilog = EXIT_CODES
    _add_pipeline(run)
    _add_places(run, RUN_FORMATS)
    _add_manner(run)
    add_selection(run)


def add_resume(resume: "ArgumentParser") -> None:
    """`resume`, which takes a run up again."""
    resume.description = "Takes a run up again under its id: stages that succeeded are kept, the run counts once, with its last outcome."
    resume.epilog = EXIT_CODES
    resume.add_argument("--run", required=True, metavar="ID", help="the run to take up again")
    resume.add_argument("--token", metavar="HEX", help="its resume token; refused if it is another run's")
    _add_places(resume, RUN_FORMATS)
    _add_manner(resume)


def add_plan(plan: "ArgumentParser") -> None:
    """`plan`, which shows what would run."""
    plan.description = "Shows the stages of a pipeline as they would run."
    _add_pipeline(plan)
    _add_places(plan)


def _add_manner(run: "ArgumentParser") -> None:
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


def _add_looks(run: "ArgumentParser") -> None:
    loudness = run.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q", "--quiet", action="count", default=0, help="of progress only what fails; twice: nothing but the report on stdout"
    )
    loudness.add_argument("-v", "--verbose", action="count", default=0, help="also what starts, and what the stages print, as it comes")
    run.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours (default: auto, which heeds NO_COLOR and FORCE_COLOR)"
    )
    run.add_argument("--no-progress", action="store_true", help="no live view on a terminal, no signs of life in a log")


def _add_pipeline(command: "ArgumentParser") -> None:
    command.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="id of the pipeline (default: defaultPipeline of the file)")
    command.add_argument("--target", metavar="STAGE", help="the stage whose report stands first (CODEX_ORCHESTRATOR_TARGET_STAGE)")


def _add_places(command: "ArgumentParser", formats: "Sequence[str]" = ("text", "json")) -> None:
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
        raise unfit(f"{text!r} is not a whole number from 1")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise unfit(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds


def processors() -> int:
    """Those that we may use: a container often has fewer than its machine."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS does not know it
        return os.cpu_count() or 1
