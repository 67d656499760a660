"""Everything that is exported of a task: its counted history, its published rollups, its newest run and those that go on."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock

from orchestrator_py.core.figures import is_figure
from orchestrator_py.errors import IdentifierError, StoreError
from orchestrator_py.exports.history_counts import UNKNOWN, CountedHistory, Counts, ended_at
from orchestrator_py.ids import TaskId, parse_run_id
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.reading.confined import refuse_outside
from orchestrator_py.reading.files import UnreadableError, read_document
from orchestrator_py.reading.run import LOST, QUEUED, RUNNING, WORDS, Run, read_run, word_of_entry
from orchestrator_py.reading.unfinished import read_unfinished
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.run_folders import list_tasks, refuse_strange_folders

MOST_TASKS = 1000
"""So many are told of, those whose record changed last: whoever reads the figures keeps a series for each of them."""

ENDINGS = (*(word for word in WORDS if word not in (QUEUED, RUNNING)), UNKNOWN)
"""The exact words for how the newest run ended."""


@frozen(kw_only=True)
class TaskFigures:
    """`problems` say what could not be read; what could is there all the same."""

    task_id: TaskId
    counts: Counts | None
    """None if the history could not be read: no figure at all, for a counter that falls to nought would be taken for a restart."""
    rollups: Mapping[str, object]
    """What the published rollups hold; no key is in two of them but `updated_at` and `meets_threshold`. Each run counts once in them."""
    running: int
    lost: int
    last_word: str | None
    problems: tuple[str, ...]

    def total(self, key: str) -> float | None:
        """A figure of the rollups."""
        return _number(self.rollups, key)

    @property
    def last_success_at(self) -> float | None:
        """When a run last ended in success."""
        return None if self.counts is None else self.counts.last_success_at

    @property
    def unreadable_lines(self) -> int | None:
        """Lines of the history that are no entries."""
        return None if self.counts is None else self.counts.unreadable

    @property
    def last_ended_at(self) -> float | None:
        """When the newest entry's run ended, in seconds since 1970."""
        return None if self.counts is None else ended_at(self.counts.last)

    @property
    def last_seconds(self) -> float | None:
        """How long it took."""
        return None if self.counts is None else _number(self.counts.last, "duration_seconds")


@frozen(kw_only=True)
class Figures:
    """Of all tasks that were asked for, in the order of their ids; `left_out` tasks beyond MOST_TASKS have changed longest ago."""

    tasks: tuple[TaskFigures, ...]
    left_out: int = 0


@define(eq=False)
class Memory:
    """What was counted of each history. Whoever asks again and again keeps one: each time only what is new is read. For any threads."""

    _histories: dict[TaskLayout, CountedHistory] = field(factory=dict, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def figures(self, layout: Layout, tasks: Iterable[TaskId] | None = None) -> Figures:
        """Of the tasks that are named, else of all that have anything on record. StoreError if the runs folder cannot be listed."""
        with self._lock:
            wanted = [layout.task(task_id) for task_id in (list_tasks(layout) if tasks is None else tasks)]
            told = sorted(sorted(wanted, key=_changed_at, reverse=True)[:MOST_TASKS], key=lambda task: task.task_id)
            self._histories = {task: self._histories.get(task, CountedHistory()) for task in told}
            return Figures(tasks=tuple(map(self._read, told)), left_out=len(wanted) - len(told))

    def _read(self, task: TaskLayout) -> TaskFigures:
        problems: list[str] = []
        counts, runs = self._count(task, problems), _unfinished(task, problems)
        return TaskFigures(
            task_id=task.task_id,
            counts=counts,
            rollups=_rollups(task, problems),
            running=sum(not run.has_ended for run in runs),
            lost=sum(run.word == LOST for run in runs),
            last_word=_last_word(task, counts, problems),
            problems=tuple(problems),
        )

    def _count(self, task: TaskLayout, problems: list[str]) -> Counts | None:
        try:
            refuse_strange_folders(task)
            return self._histories[task].read(task)
        except StoreError as error:
            problems.append(str(error))
            self._histories[task] = CountedHistory()
            return None


def _number(document: Mapping[str, object], key: str) -> float | None:
    """What stands there, if it is a number."""
    value = document.get(key)
    return value if is_figure(value) else None


def _changed_at(task: TaskLayout) -> float:
    """When anything was last recorded or begun."""
    return max(map(_modified_at, (task.metrics, task.pending, task.live_runs, task.in_flight, task.folder)))


def _modified_at(path: Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _rollups(task: TaskLayout, problems: list[str]) -> Mapping[str, object]:
    """What lies elsewhere, behind a link, is none of the task's."""
    runs, out = task.layout.runs_root, task.layout.out_root
    found: dict[str, object] = {}
    for root, path in ((runs, task.post_rollout), (out, task.mttr_delta), (runs, task.completeness)):
        try:
            refuse_outside(str(root), str(path))
            found |= read_document(str(path)) or {}
        except StoreError as error:
            problems.append(str(error))
    return found


def _unfinished(task: TaskLayout, problems: list[str]) -> list[Run]:
    """Runs that go on, and those whose process died, until somebody has put them on record."""
    unreadable: list[UnreadableError] = []
    runs = list(read_unfinished(str(task.layout.runs_root), task.task_id, unreadable))
    problems.extend(map(str, unreadable))
    return runs


def _run(task: TaskLayout, run_id: object, problems: list[str]) -> Run | None:
    try:
        return read_run(str(task.layout.runs_root), task.task_id, parse_run_id(run_id))
    except IdentifierError:
        return None  # another writer's; no folder can have that name
    except StoreError as error:
        problems.append(str(error))
        return None


def _last_word(task: TaskLayout, counts: Counts | None, problems: list[str]) -> str | None:
    """The manifest has the exact word; without one the history's own has to do."""
    if counts is None or not counts.last:
        return None
    run = _run(task, counts.last.get("run_id"), problems)
    word = run.word if run is not None and run.has_ended else word_of_entry(counts.last)
    return word if word in ENDINGS else UNKNOWN
