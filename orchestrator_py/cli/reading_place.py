"""Where the commands that read back look, and what they say of what cannot be read."""

import os
from collections.abc import Iterable

from orchestrator_py.cli.console import say
from orchestrator_py.cli.folders import find_record, parse_task
from orchestrator_py.errors import InputError
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.flights import Flight, read_flights
from orchestrator_py.reading.lookup import find_run, list_tasks, task_folder
from orchestrator_py.reading.run import Run

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace


class Place:
    """The folders, and the tasks that are asked for, sorted."""

    __slots__ = ("out_root", "runs_root", "tasks")

    def __init__(self, runs_root: str, out_root: str, tasks: list[str]) -> None:
        self.runs_root = runs_root
        self.out_root = out_root
        self.tasks = tasks


def find_place(arguments: "Namespace") -> Place:
    """InputError if the task that is named is not there."""
    runs_root, out_root = find_record(arguments)
    if arguments.task is None:
        return Place(runs_root, out_root, list_tasks(runs_root))
    task = parse_task(arguments.task)
    folder = task_folder(runs_root, task)
    if not os.path.lexists(folder):
        raise InputError(f"{folder}: there is no such task; `orchestrator-py metrics show` names those that are there.")
    return Place(runs_root, out_root, [task])


def choose_run(place: Place, wanted: str, others: Iterable[Run] = ()) -> tuple[str, str]:
    """Task and id of the run that is meant, of the command line or one of the others. InputError if it is none, or more than one."""
    problems: list[UnreadableError] = []
    try:
        return find_run(place.runs_root, place.tasks, wanted, problems, others)
    finally:
        say_unreadable(problems)


def runs_in_flight(place: Place, problems: list[UnreadableError]) -> list[Flight]:
    """The embedded runs of the tasks that go on, or were lost."""
    return [flight for task in place.tasks for flight in read_flights(place.runs_root, task, problems)]


def say_unreadable(problems: Iterable[UnreadableError]) -> None:
    """A line for each."""
    for problem in problems:
        say(f"left out: {problem}")


def now() -> str:
    """As the record writes times. Totals need no calendar, and are spared the import."""
    from datetime import UTC, datetime

    from orchestrator_py.model.timestamp import format_timestamp

    return format_timestamp(datetime.now(UTC))
