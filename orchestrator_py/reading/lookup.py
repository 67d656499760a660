"""Which tasks and runs there are, newest first, and which of them a person means."""

import os
import re
from collections.abc import Iterable, Iterator

from orchestrator_py.core import places
from orchestrator_py.errors import IdentifierError, InputError
from orchestrator_py.ids import parse_run_id, parse_task_id
from orchestrator_py.reading.files import UnreadableError, list_names
from orchestrator_py.reading.run import Run, read_run

LATEST = "latest"
NAMED = 5
_CLOSE_ENOUGH = 200

_TIMED = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-"
"""How an id begins that sorts by time."""


def list_tasks(runs_root: str) -> list[str]:
    """The tasks that have anything on record, sorted."""
    return [name for name in sorted(list_names(runs_root)) if _is_task(name) and _has_record(os.path.join(runs_root, name))]


def task_folder(runs_root: str, task: str) -> str:
    return os.path.join(runs_root, task)


def newest_runs(runs_root: str, tasks: Iterable[str], problems: list[UnreadableError], others: Iterable[Run] = ()) -> Iterator[Run]:
    """The command-line runs of the tasks, each read when it is asked for; the newest first, as their ids say. `others` stand among them.

    An id that does not begin with a time is put where its start belongs. What cannot be read goes to `problems`.
    """
    given = {(_started(run), run.task, run.run_id): run for run in others}
    for name in sorted([*_keyed(runs_root, tasks, problems), *given], reverse=True):
        try:
            run = given.get(name) or read_run(runs_root, name[1], name[2])
        except UnreadableError as error:
            problems.append(error)
            continue
        if run is not None:
            yield run


def newest_names(runs_root: str, tasks: Iterable[str], problems: list[UnreadableError]) -> list[tuple[str, str, str]]:
    """Time, task and id of all that may be command-line runs, the newest first; the time is written as ids have it."""
    return sorted(_keyed(runs_root, tasks, problems), reverse=True)


def find_run(runs_root: str, tasks: list[str], wanted: str, problems: list[UnreadableError], others: Iterable[Run] = ()) -> tuple[str, str]:
    """Task and id of the run that is meant: `latest`, an id, or the beginning of one alone, among command-line runs and `others`.

    InputError tells what there is.
    """
    keyed = [*_keyed(runs_root, tasks, problems), *((_started(run), run.task, run.run_id) for run in others)]
    if not keyed:
        raise InputError(f"{runs_root}: there are no runs here; start one with `orchestrator-py run`.")
    if wanted == LATEST:
        _, task, run_id = max(keyed)
        return task, run_id
    names = [(run_id, task) for _, task, run_id in keyed]
    parse_run_id(wanted)
    found = [name for name in names if name[0] == wanted] or [name for name in names if name[0].startswith(wanted)]
    if len(found) == 1:
        return found[0][1], found[0][0]
    newest = sorted(found or names, reverse=True)
    listed = ", ".join(f"{run_id} (task {task})" if found and len(tasks) > 1 else run_id for run_id, task in newest[:NAMED])
    if found:
        raise InputError(f"Run {wanted!r} could be any of {len(found)}: {listed}{', …' * (len(found) > NAMED)}; say more of its id.")
    raise InputError(f"There is no run {wanted!r}{_close_to(wanted, newest)}; the newest: {listed}.")


def _close_to(wanted: str, newest: list[tuple[str, str]]) -> str:
    from difflib import get_close_matches  # only who has mistyped waits for it

    close = get_close_matches(wanted, [run_id for run_id, _ in newest[:_CLOSE_ENOUGH]], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _keyed(runs_root: str, tasks: Iterable[str], problems: list[UnreadableError]) -> Iterator[tuple[str, str, str]]:
    """Time, task and id of all that may be runs; whether they are is seen when they are read."""
    is_timed = re.compile(_TIMED).match
    for task in tasks:
        for name in _names(runs_root, task, problems):
            if is_timed(name):
                yield name, task, name
            elif _may_be_run(name):
                yield _start_of(runs_root, task, name), task, name


def _names(runs_root: str, task: str, problems: list[UnreadableError]) -> list[str]:
    try:
        return list_names(os.path.join(task_folder(runs_root, task), places.RUNS_OF_COMMAND_LINE))
    except UnreadableError as error:
        problems.append(error)
        return []


def _start_of(runs_root: str, task: str, run_id: str) -> str:
    """As the ids have it."""
    try:
        run = read_run(runs_root, task, run_id)
    except UnreadableError:
        return ""  # it is told when its turn comes
    return "" if run is None else _started(run)


def _started(run: Run) -> str:
    """As the ids have it."""
    return run.text("started_at").replace(":", "-").replace(".", "-")


def _may_be_run(name: str) -> bool:
    try:
        parse_run_id(name)
    except IdentifierError:
        return False
    return True


def _is_task(name: str) -> bool:
    try:
        parse_task_id(name)
    except IdentifierError:
        return False
    return name.lower() not in places.RESERVED_TASK_IDS


def _has_record(folder: str) -> bool:
    standing = (places.RUNS_OF_COMMAND_LINE, places.METRICS, places.PENDING)
    return any(os.path.lexists(os.path.join(folder, name)) for name in standing)
