"""What may start now: a state machine over the planned subtasks, under needs, a limit and the failure policy.

It knows no clock and no concurrency of its own: the manager asks it, and tells it how each subtask ended.
"""

import heapq
from collections.abc import Sequence

from attrs import field

from orchestrator_py.core.outcome import satisfies_needs
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import define, frozen
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.outcome import FailurePolicy, Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.task import PlanItem


def order_of_work(opening: OpenRun) -> tuple[PlanItem, ...]:
    """An embedded group is worked off in its reported order, target first; a pipeline in the order of its file, whatever the target."""
    if opening.manifest is None:
        return opening.order
    planned = {item.id for item in opening.order}
    return tuple(item for item in opening.plan.items if item.id in planned)


@frozen(kw_only=True)
class Settled:
    """What follows from the end of a subtask: these will never start, and perhaps the running ones have to be ended."""

    skipped: tuple[SubtaskReport, ...] = ()
    cancel: StopCause | None = None


@define
class Schedule:
    """The plan of one run while it is being worked off. Needs are known to exist and to hold no cycle."""

    items: Sequence[PlanItem]
    limit: int
    on_failure: FailurePolicy
    kept: frozenset[str] = frozenset()
    stopped: StopCause | None = field(default=None, init=False)
    running: int = field(default=0, init=False)
    _ready: list[int] = field(factory=list, init=False)
    _open_needs: dict[int, int] = field(factory=dict, init=False)
    _needed_by: dict[str, list[int]] = field(factory=dict, init=False)
    _unstarted: set[int] = field(factory=set, init=False)
    _place: dict[str, int] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        planned = {item.id for item in self.items}
        for place, item in enumerate(self.items):
            needs = [need for need in item.policy.needs if need in planned and need not in self.kept]
            self._place[item.id] = place
            if item.id in self.kept:
                continue
            self._unstarted.add(place)
            self._open_needs[place] = len(needs)
            for need in needs:
                self._needed_by.setdefault(need, []).append(place)
            if not needs:
                self._ready.append(place)  # ascending, so the list is a heap

    def take(self) -> PlanItem | None:
        """The next subtask in plan order that may start now; it counts as running from here."""
        if self.stopped is not None or self.running >= self.limit or not self._ready:
            return None
        place = heapq.heappop(self._ready)
        self._unstarted.remove(place)
        self.running += 1
        return self.items[place]

    @property
    def startable(self) -> int:
        """How many subtasks `take` would give out now."""
        return 0 if self.stopped is not None else max(0, min(len(self._ready), self.limit - self.running))

    @property
    def over(self) -> bool:
        """Nothing will start any more."""
        return self.stopped is not None or (self.running == 0 and not self._ready)

    def settle(self, report: SubtaskReport) -> Settled:
        """Take note of the end of a subtask that `take` gave out."""
        self.running -= 1
        if satisfies_needs(report):
            self._release(report.subtask_id)
            return Settled()
        skipped = tuple(self._skip_dependents(report.subtask_id))
        return Settled(skipped=skipped, cancel=self._apply_policy(report))

    def stop(self, cause: StopCause) -> None:
        """Start nothing any more. The first cause stays."""
        self.stopped = self.stopped or cause

    def unstarted(self) -> tuple[SubtaskReport, ...]:
        """The reports of those that never started since the run was stopped, in plan order; each is given once."""
        cause = self.stopped
        places = [] if cause is None else sorted(self._unstarted)
        self._unstarted.clear()
        return tuple(SubtaskReport(subtask_id=SubtaskId(self.items[p].id), outcome=Outcome.CANCELLED, cause=cause) for p in places)

    def _release(self, subtask_id: str) -> None:
        for place in self._needed_by.get(subtask_id, ()):
            self._open_needs[place] -= 1
            if self._open_needs[place] == 0 and place in self._unstarted:
                heapq.heappush(self._ready, place)

    def _skip_dependents(self, subtask_id: str) -> list[SubtaskReport]:
        """Everything that needs the subtask, directly or through others, is skipped: it is never a verdict of its own."""
        skipped: list[SubtaskReport] = []
        waiting = [subtask_id]
        while waiting:
            for place in self._needed_by.get(waiting.pop(), ()):
                if place in self._unstarted:
                    self._unstarted.remove(place)
                    dependent = SubtaskId(self.items[place].id)
                    skipped.append(SubtaskReport(subtask_id=dependent, outcome=Outcome.SKIPPED, skip_reason=SkipReason.UPSTREAM))
                    waiting.append(dependent)
        return sorted(skipped, key=lambda report: self._place[report.subtask_id])

    def _apply_policy(self, report: SubtaskReport) -> StopCause | None:
        if self.on_failure is FailurePolicy.CONTINUE:
            return None
        cause = StopCause(StopKind.FAILURE_POLICY, f"{report.subtask_id} {report.outcome.value}")
        self.stop(cause)
        return cause if self.on_failure is FailurePolicy.CANCEL else None
