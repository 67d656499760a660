"""Runs inside of a program: a driver for each way to have them on record, a history to begin with, and what is on record at the end."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from attrs import asdict, frozen

from bench.model import OURS, Case, Place, Sample
from bench.peers import REFERENCE_PACKAGE
from bench.workloads.histories import history_of
from bench.workloads.pipelines import FLOORS, count_runs

DRIVERS = FLOORS.parent
PER_RUN, PER_SUBTASK = "ms a run", "µs a subtask"
SYNCS, COMMITS = "syncs a run", "commits a run"
"""What waits for the disk; the commits are those that a caller waits for, the others publish what is only for readers."""


@frozen(kw_only=True)
class Spec:
    """What a driver has to do."""

    runs: int
    in_flight: int = 1
    subtasks: int = 4
    summaries: bool = False


def ours(size: str, spec: Spec, *, history: int = 0) -> Case:
    """A TaskManager."""
    command = [sys.executable, "-m", "bench.drivers.ours", json.dumps(asdict(spec))]
    return Case(
        program=OURS, size=size, command=lambda _: command, prepare=partial(_copy_history, history), find=partial(_find, spec, history)
    )


def reference(size: str, spec: Spec, *, history: int = 0) -> Case:
    """Its manager and its metrics."""
    return Case(
        program="reference",
        size=size,
        command=lambda place: ["node", str(DRIVERS / "reference.mjs"), str(place.peers / REFERENCE_PACKAGE), json.dumps(asdict(spec))],
        prepare=partial(_copy_history, history),
        find=partial(_find, spec, history),
    )


def sqlite(size: str, spec: Spec, *, journal: str = "DELETE") -> Case:
    """One insert a run. `journal`: DELETE is what SQLite does unless told otherwise, WAL takes the fewest syncs."""
    text = json.dumps({**asdict(spec), "journal": journal})
    program = "SQLite" if journal == "DELETE" else f"SQLite {journal}"
    return _script(program, size, [str(DRIVERS / "sqlite.py"), text], find=partial(_find_rows, spec))


def floor(name: str, spec: Spec) -> Case:
    """`append` or `replace`."""
    return _script(f"{name} floor", "", [str(FLOORS), name, json.dumps(asdict(spec))], find=partial(_find_time, spec))


def tasks(program: str, size: str, spec: Spec, interpreter: str, driver: str, *, calls: int) -> Case:
    """Of another tool, by its own interpreter, with so many calls for each subtask."""
    text = json.dumps({**asdict(spec), "calls": calls})
    return Case(
        program=program,
        size=size,
        command=lambda place: [str(place.peers / interpreter), str(DRIVERS / driver), text],
        find=partial(_find_time, spec),
        environment={"PYTHONPATH": ""},
    )


def _script(program: str, size: str, words: Sequence[str], *, find: Callable[[Place, Sequence[str]], Sample]) -> Case:
    return Case(program=program, size=size, command=lambda _: [sys.executable, *words], find=find)


def _copy_history(length: int, place: Place) -> None:
    if length:
        path = place.folder / ".runs" / "bench" / "metrics.json"
        path.parent.mkdir(parents=True)
        shutil.copyfile(history_of(length, place.shared), path)


def _find(spec: Spec, history: int, place: Place, outputs: Sequence[str]) -> Sample:
    """Every run that was awaited, and every one before, is on record once."""
    answer = _answer(outputs)
    counts = count_runs(
        place.folder / ".runs" / "bench", [*_strings(answer["run_ids"]), *(f"earlier-{number}" for number in range(history))]
    )
    figures = {name: float(str(answer[key])) / spec.runs for key, name in (("syncs", SYNCS), ("commits", COMMITS)) if key in answer}
    return Sample(figures={**_times(spec, answer), **figures}, counts=counts)


def _find_rows(spec: Spec, place: Place, outputs: Sequence[str]) -> Sample:
    import sqlite3  # only here, where the other workloads need none

    answer = _answer(outputs)
    database = sqlite3.connect(place.folder / "runs.db")
    recorded = [row[0] for row in database.execute("SELECT run_id FROM runs")]
    database.close()
    lost = len(set(_strings(answer["run_ids"])) - set(recorded))
    return Sample(figures=_times(spec, answer), counts={"lost": lost, "doubled": len(recorded) - len(set(recorded))})


def _find_time(spec: Spec, place: Place, outputs: Sequence[str]) -> Sample:
    return Sample(figures=_times(spec, _answer(outputs)))


def _times(spec: Spec, answer: Mapping[str, object]) -> dict[str, float]:
    seconds = float(str(answer["seconds"]))
    return {PER_RUN: seconds / spec.runs * 1e3, PER_SUBTASK: seconds / spec.runs / spec.subtasks * 1e6}


def _answer(outputs: Sequence[str]) -> dict[str, object]:
    """The last line: what stands before it are a program's log lines."""
    data = json.loads(outputs[0].strip().splitlines()[-1])
    if not isinstance(data, dict):
        raise TypeError(f"not the answer of a driver: {data!r}")
    return data


def _strings(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []
