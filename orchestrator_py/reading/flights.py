"""Embedded runs in flight, as the processes that they run in tell of them: `.runs/<task>/in-flight/`, a document and a marker for each.

A process that is gone has left its document, and its runs are lost until somebody opens the task and puts them on record.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from orchestrator_py.core import places
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_run_id
from orchestrator_py.reading.files import Data, UnreadableError, list_names, read_document
from orchestrator_py.reading.locks import is_locked
from orchestrator_py.reading.run import LOST, RUNNING, Run, text_of

_LOOKED_AT = 1_000
"""Entries of the history in which a run that was in flight may turn out to be on record."""


class Flight(Run):
    """An embedded run that goes on, or was lost. Of its subtasks those that `left_out` counts, by word, are not told one by one."""

    __slots__ = ()

    @property
    def left_out(self) -> dict[str, int]:
        counts = self.manifest.get("left_out")
        return {word: count for word, count in counts.items() if type(count) is int and count > 0} if isinstance(counts, dict) else {}

    @property
    def counts(self) -> Counter[str]:
        """Of all its subtasks."""
        counts = super().counts
        for status, count in self.left_out.items():
            counts[self.word_of_status(status)] += count
        return counts

    @property
    def told(self) -> dict[str, Data]:
        """What the events of a command-line run tell of its stages, by id."""
        return {text_of(one, "id"): told for one in self.objects("commands") if isinstance(told := one.get("told"), dict)}


def read_flights(runs_root: str, task: str, problems: list[UnreadableError]) -> list[Flight]:
    """Those of the task that are not on record yet. What cannot be read goes to `problems`."""
    try:
        flights = [one for path in flight_documents(runs_root, task) for one in _read(path, runs_root, task, problems)]
        if not flights:
            return []
        from orchestrator_py.reading.history_tail import read_tail  # only where something is in flight is the history asked

        entries = {text_of(entry, "run_id"): entry for entry in read_tail(os.path.join(runs_root, task), _LOOKED_AT).entries}
    except UnreadableError as error:
        problems.append(error)
        return []
    return unrecorded(flights, entries)


def unrecorded(flights: Iterable[Flight], entries: Mapping[str, Data]) -> list[Flight]:
    """Without those that have an entry: a run may have ended since its process last told of it. Entries are read after flights."""
    by_id = {flight.run_id: flight for flight in sorted(flights, key=lambda flight: flight.word == RUNNING)}
    return [one for one in by_id.values() if text_of(entries.get(one.run_id, {}), "recorded_at") < one.text("started_at")]


def flight_documents(runs_root: str, task: str) -> list[str]:
    """Their paths. UnreadableError if the folder cannot be listed."""
    folder = os.path.join(runs_root, task, places.IN_FLIGHT)
    return [os.path.join(folder, name) for name in sorted(list_names(folder)) if name.endswith(places.FLIGHTS_SUFFIX)]


def read_flight_document(path: str) -> list[Data]:
    """What a process tells, one object for each run; none if it has nothing to tell any more. UnreadableError says what is wrong."""
    document = read_document(path) or {}
    version = document.get("version")
    if isinstance(version, int) and version > places.FLIGHTS_VERSION:
        raise UnreadableError(path, "was written by a newer version of orchestrator-py", "upgrade orchestrator-py")
    runs = document.get("runs")
    return [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []


def flights_in(path: str, runs_root: str, task: str, read: Callable[[str], list[Data]] = read_flight_document) -> Iterator[Flight]:
    """The runs of one document, as going on or as lost. UnreadableError if it, or the marker beside it, cannot be read."""
    told, word = read(path), RUNNING
    if not is_locked(path.removesuffix(places.FLIGHTS_SUFFIX)):
        told, word = read(path), LOST  # a living process takes its document away before it lets go of the marker
    return _create_flights(told, word, runs_root, task)


def _create_flights(told: list[Data], word: str, runs_root: str, task: str) -> Iterator[Flight]:
    for run in told:
        try:
            run_id = parse_run_id(run.get("run_id"))
        except IdentifierError:
            continue
        path = os.path.join(runs_root, task, run_id, places.MANIFEST)  # where its summary will be
        yield Flight(task=task, run_id=run_id, path=path, manifest=run, word=word)


def _read(path: str, runs_root: str, task: str, problems: list[UnreadableError]) -> Iterator[Flight]:
    try:
        yield from flights_in(path, runs_root, task)
    except UnreadableError as error:
        problems.append(error)
