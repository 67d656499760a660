"""The words that say what of a pipeline runs, for how long, and what counts."""

from orchestrator_py.cli.path_arguments import unfit

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser

_LONGEST = 1e9  # seconds: some thirty years


def add_selection(run: "ArgumentParser") -> None:
    """For a new run alone: one that is taken up again keeps its selection."""
    group = run.add_argument_group("selection", "Stages that are not selected are skipped, and what needs them does not wait for them.")
    group.add_argument("--only", nargs="+", action="extend", default=[], metavar="STAGE", help="run these stages, and not what they need")
    group.add_argument("--skip", nargs="+", action="extend", default=[], metavar="STAGE", help="run all stages but these")


def add_rules(run: "ArgumentParser") -> None:
    """For every run."""
    run.add_argument(
        "--timeout",
        type=_limit,
        metavar="SECONDS",
        help="for the whole run: what still works then is timed out (default: timeoutSeconds of the pipeline)",
    )
    run.add_argument("--strict", action="store_true", help="a failure that the file allows (allowFailure, optional) counts all the same")
    run.add_argument("--fail-on-flaky", action="store_true", help="a success that needed a retry counts as failed")


def _limit(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.001 <= seconds <= _LONGEST:
        raise unfit(f"{text!r} is not a number of seconds, at least 0.001")
    return seconds
