"""The words of the commands that read back what is on record: `status`, `runs`, `report`, `logs`."""

from orchestrator_py.cli.path_arguments import add_record_place, path, unfit

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser

_LATEST = "an id, the beginning of one, or latest (default: %(default)s)"


def add_status(status: "ArgumentParser") -> None:
    """`status`, which tells where one run stands."""
    status.description = (
        "Tells where a run stands, from any process, while it goes on and afterwards. Changes nothing.\n"
        "Exit code 0 if that can be told; with --watch the code that the run itself has, 6 for one that is lost."
    )
    status.add_argument("--run", default="latest", metavar="ID", help=_LATEST)
    status.add_argument("--watch", action="store_true", help="tell every change until the run has ended")
    _add_common(status)


def add_runs(runs: "ArgumentParser") -> None:
    """`runs`, which lists runs."""
    runs.description = "Lists the command-line runs of all tasks, the newest first. Changes nothing."
    runs.add_argument("--status", metavar="WORD", help="only these: running, lost, succeeded, failed, timed_out, cancelled and so on")
    runs.add_argument("--last", default="20", metavar="N|TIME", help="so many, or those of a time like 7d, 12h, 30m (default: %(default)s)")
    _add_common(runs)


def add_report(report: "ArgumentParser") -> None:
    """`report`, which tells how it has been going."""
    report.description = "Tells how the newest runs of each task went, from rollups and newest entries. Changes nothing."
    report.add_argument("--last", type=_count, default=20, metavar="N", help="look at so many runs (default: %(default)s)")
    report.add_argument("-o", "--output", type=path, metavar="FILE", help="where the HTML goes, replaced whole (default: stdout, also -)")
    _add_common(report, formats=("text", "json", "markdown", "html"))


def add_logs(logs: "ArgumentParser") -> None:
    """`logs`, which prints what stages have printed."""
    logs.description = (
        "Prints what a stage has printed, or what all have, line by line with their names in front.\n"
        "With --format json: one JSON object a line for each piece of output."
    )
    logs.add_argument("stage", nargs="?", metavar="STAGE", help="the stage (default: all, in the order of the pipeline)")
    logs.add_argument("--run", default="latest", metavar="ID", help=_LATEST)
    logs.add_argument("--follow", action="store_true", help="wait for more until the run has ended")
    logs.add_argument("--stream", choices=("stdout", "stderr", "both"), default="both", help="which output (default: %(default)s)")
    _add_common(logs)


def _add_common(command: "ArgumentParser", formats: tuple[str, ...] = ("text", "json")) -> None:
    command.add_argument("--task", metavar="ID", help="this task alone (default: every task in the runs folder)")
    add_record_place(command)
    command.add_argument("--format", choices=formats, default="text", help="what stands on stdout (default: %(default)s)")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10_000):
        raise unfit(f"{text!r} is not a whole number from 1 to 10000")
    return int(text)
