"""How an embedded run in flight looks from outside: data of the shape that a command-line run's manifest has.

Each look reads only what is new in the record since the last one, so that a run of a million subtasks costs no more than a small one.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from orchestrator_py.core.codec.scheduler import scheduler_to_manifest
from orchestrator_py.core.metrics_entry import command_word
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.core.tally import why
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import define, evolve, field
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.assignment import Assignment
from orchestrator_py.model.task import PlanItem
from orchestrator_py.model.timestamp import Timestamp

Data = dict[str, object]

MOST_SUBTASKS, MOST_INSTANCES = 200, 64
"""So many of a run are told one by one; the other subtasks are counted."""
_LONGEST_NOTES = 300

PENDING, RUNNING, FAILED = "pending", "running", "failed"


@define(eq=False)
class FlightView:
    """One run. Subtasks that run or went wrong are told before others, all in the order of the plan."""

    record: RunRecord
    _taken: int = field(default=0, init=False)  # so many of the record's were looked at
    _reported: int = field(default=0, init=False)
    _running: dict[SubtaskId, None] = field(factory=dict, init=False)
    _bad: dict[SubtaskId, None] = field(factory=dict, init=False)
    _ended: Counter[str] = field(factory=Counter, init=False)
    _told: tuple[int, ...] = field(default=(), init=False)
    _instances: list[Assignment] = field(factory=list, init=False)

    @property
    def weight(self) -> int:
        """How much there is to tell."""
        return min(len(self.record.order), MOST_SUBTASKS) + min(len(self.record.instances), MOST_INSTANCES)

    def has_news(self) -> bool:
        """Whether it looks different from how it was told last."""
        return self._told != self._news() or self._instances != self._told_instances()

    def head(self, at: Timestamp) -> Data:
        """The run without its parts, which are still to be told: its subtasks are counted only."""
        self._look()
        return self._run(at, [], None)

    def data(self, at: Timestamp) -> Data:
        """The run as it stands."""
        self._look()
        self._told, self._instances = self._news(), self._told_instances()
        return self._run(at, [self._subtask(item) for item in self._told_items()], self._scheduler())

    def _run(self, at: Timestamp, subtasks: list[Data], scheduler: Data | None) -> Data:
        opening = self.record.opening
        return {
            "run_id": opening.run_id,
            "task_id": opening.task.id,
            "pipeline_id": opening.pipeline_id,
            "pipeline_title": opening.task.title,
            "status": "in_progress",
            "started_at": opening.started_at,
            "completed_at": None,
            "updated_at": at,
            "artifact_root": opening.artifact_root,
            "commands": subtasks,
            "left_out": self._left_out(subtasks),
            "scheduler": scheduler,
        }

    def _look(self) -> None:
        record = self.record
        for subtask_id in _newest(record.taken_at, len(record.taken_at) - self._taken):
            self._running[subtask_id] = None
        for subtask_id in _newest(record.reports, len(record.reports) - self._reported):
            word = command_word(record.reports[subtask_id])
            self._running.pop(subtask_id, None)
            self._ended[word] += word != PENDING
            if word == FAILED and len(self._bad) < MOST_SUBTASKS:
                self._bad[subtask_id] = None
        self._taken, self._reported = len(record.taken_at), len(record.reports)

    def _news(self) -> tuple[int, ...]:
        """Differs as soon as anything was told of the run; instances apart."""
        record = self.record
        tried = sum(record.attempts.get(subtask_id, 0) for subtask_id in islice(self._running, MOST_SUBTASKS))
        return len(record.taken_at), len(record.reports), len(record.workers), tried

    def _told_items(self) -> list[PlanItem]:
        order, places = self.record.opening.order, self.record.order
        if len(order) <= MOST_SUBTASKS:
            return list(order)
        chosen = dict.fromkeys(islice((*self._running, *self._bad), MOST_SUBTASKS))
        others = (subtask_id for subtask_id in places if subtask_id not in chosen)
        chosen.update(dict.fromkeys(islice(others, MOST_SUBTASKS - len(chosen))))
        return [order[place] for place in sorted(places[subtask_id] for subtask_id in chosen)]

    def _left_out(self, told: list[Data]) -> dict[str, int]:
        """How many subtasks have each word that are not told one by one."""
        planned, ended = len(self.record.order), self._ended.total()
        words = Counter({**self._ended, RUNNING: len(self._running), PENDING: planned - ended - len(self._running)})
        return dict(words - Counter(str(one["status"]) for one in told))

    def _subtask(self, item: PlanItem) -> Data:
        subtask_id = SubtaskId(item.id)
        report = self.record.reports.get(subtask_id)
        started_at = self.record.taken_at.get(subtask_id)
        told: Data = {
            "instance": self.record.taken_by.get(subtask_id),
            "worker": self.record.workers.get(subtask_id),
            "attempt": None if started_at is None else self.record.attempts.get(subtask_id, 0) + 1,
        }
        data: Data = {
            "id": item.id,
            "title": None if item.description is ABSENT else item.description,
            "kind": "subtask",
            "status": PENDING if started_at is None else RUNNING,
            "started_at": started_at,
            "completed_at": None,
            "summary": None,
            "told": told,
        }
        if report is None:
            return data
        told |= {"outcome": report.outcome.value, "reason": why(report) or None, "flaky": report.flaky, "waived": report.waived}
        told |= {"attempt": len(report.attempts) or None}
        notes = None if report.build is None else report.build.notes
        return {
            **data,
            "status": command_word(report),
            "completed_at": report.completed_at,
            "summary": notes[:_LONGEST_NOTES] if notes else None,
        }

    def _scheduler(self) -> Data | None:
        planned = self.record.opening.scheduler
        if planned is None:
            return None
        return scheduler_to_manifest(evolve(planned, assignments={one.instance_id: one for one in self._told_instances()}))

    def _told_instances(self) -> list[Assignment]:
        return list(islice(self.record.instances.values(), MOST_INSTANCES))


def _newest(known: dict[SubtaskId, Any], count: int) -> Iterator[SubtaskId]:
    """The last ones of a dict that only grows, the oldest of them first."""
    return reversed(list(islice(reversed(known), count)))
