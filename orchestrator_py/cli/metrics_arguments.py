"""The words of `metrics` and its commands."""

from orchestrator_py.cli.path_arguments import add_record_place, path, unfit

TYPE_CHECKING = False  # type checkers read the names; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

    Actions = _SubParsersAction[ArgumentParser]

_EXIT_CODES = """\
exit codes:
  0   done; verify: everything agrees
  1   verify: something differs
  2   wrong usage; nothing was changed
  74  something could not be read or written
  75  another live process holds the task"""

_MOST_DAYS = 1_000_000


def add_metrics(metrics: "ArgumentParser") -> None:
    """`metrics`, which has commands of its own."""
    metrics.description = "Works on the metrics history of tasks."
    metrics.epilog = _EXIT_CODES
    actions = metrics.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_show(actions)
    _add_verify(actions)
    _add_rebuild(actions)
    _add_prune(actions)
    _add_record(actions)
    _add_export(actions)


def _add_show(actions: "Actions") -> None:
    description = "Shows the totals of each task, as history and journal give them at this moment."
    _add_common(_add(actions, "show", "show the totals of each task", description))


def _add_verify(actions: "Actions") -> None:
    description = "Reads everything again and holds it against everything else. Changes nothing."
    _add_common(_add(actions, "verify", "check that everything on record agrees", description))


def _add_rebuild(actions: "Actions") -> None:
    description = (
        "Merges history, journal and queue, each run once with its last entry that can be read, and makes the rollups anew. "
        "Damaged files are set aside as NAME.corrupt-ID, never deleted."
    )
    _add_common(_add(actions, "rebuild", "mend what verify finds", description))


def _add_prune(actions: "Actions") -> None:
    description = "Removes the folders of runs that have ended, oldest first. History and totals stay as they are."
    prune = _add(actions, "prune", "remove the folders of old runs", description)
    rule = prune.add_mutually_exclusive_group(required=True)
    rule.add_argument("--keep", type=_count, metavar="N", help="keep the newest N finished runs of each task")
    rule.add_argument("--older-than", type=_days, metavar="DAYS", help="remove the runs that ended longer ago")
    prune.add_argument("--dry-run", action="store_true", help="only say which runs would go")
    _add_common(prune)


def _add_record(actions: "Actions") -> None:
    description = "Records an entry that could not be recorded when its run ended. An entry that is on record already changes nothing."
    record = _add(actions, "record", "record an entry that is missing", description)
    record.add_argument("file", metavar="FILE", help="a file that holds the entry, one line of JSON; - is stdin")
    _add_common(record)


def _add_export(actions: "Actions") -> None:
    description = "Writes the figures of each task for Prometheus: counters, durations, the rollups, what runs now. Changes nothing else."
    export = _add(actions, "export", "write the figures for Prometheus", description)
    formats = ("prometheus", "openmetrics")
    words = "the classic text format, which textfile collectors read, or OpenMetrics 1.0 (default: %(default)s)"
    export.add_argument("--format", choices=formats, default="prometheus", help=words)
    export.add_argument("-o", "--output", type=path, metavar="FILE", help="replace this file, whole (default: stdout)")
    _add_places(export)


def _add(actions: "Actions", name: str, what: str, description: str) -> "ArgumentParser":
    return actions.add_parser(name, help=what, description=description, epilog=_EXIT_CODES, allow_abbrev=False)


def _add_common(action: "ArgumentParser") -> None:
    _add_places(action)
    action.add_argument("--format", choices=("text", "json"), default="text", help="what stands on stdout (default: %(default)s)")


def _add_places(action: "ArgumentParser") -> None:
    action.add_argument("--task", metavar="ID", help="this task alone (default: every task in the runs folder; record: the entry's)")
    add_record_place(action)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise unfit(f"{text!r} is not a whole number from 0")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= _MOST_DAYS:
        raise unfit(f"{text!r} is not a number of days from 0 to {_MOST_DAYS}")
    return days
