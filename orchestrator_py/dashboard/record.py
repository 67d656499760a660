"""The record below the runs folder as the dashboard reads it: in worker threads, each manifest once for each time that it changes."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from orchestrator_py.core import places
from orchestrator_py.dashboard.flight_documents import FlightDocuments
from orchestrator_py.dashboard.rows import history_row, run_row
from orchestrator_py.dashboard.signatures import Problems, Signature, signature_of
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import RunId, TaskId, parse_run_id
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.reading.confined import refuse_outside
from orchestrator_py.reading.embedded_summary import summarised_subtasks
from orchestrator_py.reading.files import Data, UnreadableError, list_names
from orchestrator_py.reading.flights import Flight, unrecorded
from orchestrator_py.reading.history_tail import Tail, read_tail
from orchestrator_py.reading.lookup import list_tasks, newest_names
from orchestrator_py.reading.run import LOST, Run, is_alive, read_run, text_of
from orchestrator_py.reading.unfinished import live_names

HISTORY = 1_000
"""So many of a task's newest entries are looked at; whether there is another one is known."""
_MOST_KEPT = 20_000


@frozen
class _Kept:
    signature: Signature
    row: Data


@define(eq=False)
class Record:
    """Answers come from the files as they stand; what is kept is checked against them each time."""

    runs_root: str
    out_root: str
    _rows: dict[tuple[str, str], _Kept] = field(factory=dict, init=False)
    _tails: dict[str, tuple[Signature, Tail]] = field(factory=dict, init=False)
    _flights: FlightDocuments = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._flights = FlightDocuments(self.runs_root)

    def tasks(self, problems: Problems) -> list[str]:
        """Sorted. One whose folder leads elsewhere is none of ours."""
        try:
            return [task for task in list_tasks(self.runs_root) if self._is_inside(problems, task)]
        except UnreadableError as error:
            problems.append(error)
            return []

    def newest(self, tasks: list[str], problems: Problems) -> list[tuple[str, str, str]]:
        """Time, task and id of all runs, the newest first, whether a manifest or the history alone tells of them."""
        named = newest_names(self.runs_root, tasks, problems)
        named += [(_as_in_ids(one.text("started_at")), task, one.run_id) for task in tasks for one in self.flights(task, problems)]
        known = {(task, run_id) for _, task, run_id in named}
        told = [
            (_as_in_ids(entry.get("started_at")), task, run_id)
            for task in tasks
            for run_id, entry in self.entries(task, problems).items()
            if (task, run_id) not in known
        ]
        return sorted([*named, *told], reverse=True)

    def rows(self, names: list[tuple[str, str, str]], problems: Problems) -> Iterator[Data]:
        """Of those that can be read, each read when it is asked for."""
        flights = cache(self.flights_by_id)
        for _, task, run_id in names:
            try:
                row = self.row(TaskId(task), RunId(run_id), flights)
            except UnreadableError as error:
                problems.append(error)
                continue
            if row is not None:
                yield row

    def row(self, task: TaskId, run_id: RunId, flights: Callable[[str], Mapping[str, Flight]] | None = None) -> Data | None:
        """None if nothing is on record. UnreadableError if what is there cannot be read. `flights` answers as `flights_by_id` has done."""
        flight = (flights or self.flights_by_id)(task).get(run_id)
        if flight is not None:
            return run_row(flight)
        path = os.path.join(self.runs_root, task, places.RUNS_OF_COMMAND_LINE, run_id, places.MANIFEST)
        signature, kept = signature_of(path), self._rows.get((task, run_id))
        if kept is not None and kept.signature == signature and self._holds(kept.row):
            return kept.row
        run = self.run(task, run_id)
        if run is not None:
            return self._keep(signature, run_row(run))
        entry = self.entries(task, []).get(run_id)
        return None if entry is None else history_row(task, entry)

    def run(self, task: TaskId, run_id: RunId) -> Run | None:
        """The command-line run; None if it has no manifest. UnreadableError if it cannot be read, or leads elsewhere."""
        refuse_outside(self.runs_root, os.path.join(self.runs_root, task, places.RUNS_OF_COMMAND_LINE, run_id, places.COMMANDS))
        return read_run(self.runs_root, task, run_id)

    def flights_by_id(self, task: str) -> dict[str, Flight]:
        """The embedded runs of a task that go on, or were lost; there may be a thousand."""
        return {flight.run_id: flight for flight in self.flights(task, [])}

    def flights(self, task: str, problems: Problems) -> list[Flight]:
        """The embedded runs of a task that go on, or were lost, and are not on record."""
        told = self._flights.read(task, problems)
        return unrecorded(told, self.entries(task, problems)) if told else []

    def summarised(self, task: TaskId, run_id: RunId) -> list[Data]:
        """The subtasks of an embedded run, as far as its summary tells of them; none if that leads elsewhere."""
        try:
            refuse_outside(self.runs_root, os.path.join(self.runs_root, task, run_id, places.MANIFEST))
        except UnreadableError:
            return []
        return summarised_subtasks(self.runs_root, task, run_id)

    def live_names(self, task: str) -> list[str]:
        """The runs of a task that go on, or are lost and not sealed yet."""
        return [*live_names(self.runs_root, task, []), *(one.run_id for one in self.flights(task, []))]

    def entries(self, task: str, problems: Problems) -> dict[str, Data]:
        """The newest of the task's history by run id, the newest first."""
        newest = self.tail(task, problems).entries[:HISTORY]
        return {run_id: entry for entry in newest if _is_run_id(run_id := text_of(entry, "run_id"))}

    def has_older(self, task: str) -> bool:
        """Whether the task's history holds entries that are not looked at: of their runs is known only what has a folder."""
        return len(self.tail(task, []).entries) > HISTORY

    def newest_told(self, task: TaskId, most: int) -> Iterator[Data]:
        """Rows of the runs among the task's newest entries that have no manifest. UnreadableError if the history cannot be read."""
        folder = os.path.join(self.runs_root, task)
        refuse_outside(self.runs_root, os.path.join(folder, places.PENDING))
        for entry in read_tail(folder, most).entries:
            run_id = text_of(entry, "run_id")
            if _is_run_id(run_id) and not os.path.lexists(os.path.join(folder, places.RUNS_OF_COMMAND_LINE, run_id)):
                yield history_row(task, entry)

    def tail(self, task: str, problems: Problems) -> Tail:
        """The end of the task's history."""
        folder = os.path.join(self.runs_root, task)
        try:
            refuse_outside(self.runs_root, os.path.join(folder, places.PENDING))
            signature = _history_signature(folder)
            kept = self._tails.get(task)
            if kept is None or kept[0] != signature:
                self._tails[task] = kept = (signature, read_tail(folder, HISTORY + 1))
            problems += kept[1].problems
            return kept[1]
        except UnreadableError as error:
            problems.append(error)
            return Tail()

    def relative(self, problem: UnreadableError) -> str:
        """What is wrong, without telling where on this machine the runs folder is."""
        place = os.path.relpath(problem.path, self.runs_root)
        return f"{os.path.basename(problem.path) if place.startswith(os.pardir) else place}: {problem.problem}"

    def _is_inside(self, problems: Problems, task: str) -> bool:
        try:
            refuse_outside(self.runs_root, os.path.join(self.runs_root, task, places.RUNS_OF_COMMAND_LINE))
        except UnreadableError as error:
            problems.append(error)
            return False
        return True

    def _holds(self, row: Data) -> bool:
        """The manifest is the same: then so is the row, unless its process has died, or somebody takes the run up again."""
        if row["terminal"] and row["status"] != LOST:
            return True
        return is_alive(self.runs_root, str(row["task"]), str(row["run_id"])) is (row["status"] != LOST)

    def _keep(self, signature: Signature, row: Data) -> Data:
        if len(self._rows) >= _MOST_KEPT:
            self._rows.clear()
        self._rows[str(row["task"]), str(row["run_id"])] = _Kept(signature, row)
        return row


def _history_signature(folder: str) -> Signature:
    pending = os.path.join(folder, places.PENDING)
    names = sorted(list_names(pending))
    return (signature_of(os.path.join(folder, places.METRICS)), *((name, signature_of(os.path.join(pending, name))) for name in names))


def _is_run_id(text: str) -> bool:
    """Other writers may have put anything there."""
    try:
        parse_run_id(text)
    except IdentifierError:
        return False
    return True


def _as_in_ids(started_at: object) -> str:
    return started_at.replace(":", "-").replace(".", "-") if isinstance(started_at, str) else ""
