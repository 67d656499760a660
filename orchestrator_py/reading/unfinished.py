"""The runs of a task that go on, and those whose process died and that nobody has put on record yet."""

import os
from collections.abc import Iterator

from orchestrator_py.core import places
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.reading.files import UnreadableError, list_names
from orchestrator_py.reading.flights import read_flights
from orchestrator_py.reading.run import LOST, Run, read_run


def read_unfinished(runs_root: str, task: str, problems: list[UnreadableError]) -> Iterator[Run]:
    """A command-line run has a marker as long, an embedded one is told of by its process. What cannot be read goes to `problems`."""
    for name in live_names(runs_root, task, problems):
        try:
            run = read_run(runs_root, task, parse_run_id(name))
        except IdentifierError:
            continue  # another program's; no run can have that name
        except UnreadableError as error:
            problems.append(error)
            continue
        if run is not None and (not run.has_ended or run.word == LOST):
            yield run
    yield from read_flights(runs_root, task, problems)


def live_names(runs_root: str, task: str, problems: list[UnreadableError]) -> list[str]:
    """The names of the markers of command-line runs, sorted."""
    try:
        names = list_names(os.path.join(runs_root, task, places.LIVE_RUNS))
    except UnreadableError as error:
        problems.append(error)
        return []
    return sorted(name for name in names if not name.startswith("."))
