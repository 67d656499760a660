"""What may start now: a state machine over the planned subtasks, under needs, limits, named resources and the failure policy.

It knows no clock and no concurrency of its own: the manager asks it, and tells it how each subtask ended.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator_py.core.outcome import satisfies_needs
from orchestrator_py.core.resources import Resources
from orchestrator_py.core.slots import Slots
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import define, field, frozen
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


_NOTHING_FOLLOWS = Settled()


@frozen(kw_only=True)
class Bounds:
    """How much may run at once: `limit` subtasks of the run, on `slots` that it may share, with a number of units of each resource.

    `slotless` subtasks take no slot: what works for them is a run of its own, whose subtasks do. `slots` None: as many as the limit.
    """

    limit: int
    slots: Slots | None = None
    slotless: frozenset[str] = frozenset()
    resources: Mapping[str, int] = field(factory=dict)


class Claim(NamedTuple):
    """What a subtask takes when it starts: all of it at once, or nothing."""

    slots: int
    resources: frozenset[str]


_A_SLOT = Claim(1, frozenset())


def _claims(items: Iterable[PlanItem], slotless: frozenset[str]) -> list[Claim]:
    """One for each; equal ones are the same object, since a plan of many thousand subtasks has a handful."""
    same: dict[Claim, Claim] = {}
    return [
        _A_SLOT if not item.policy.resources and item.id not in slotless else same.setdefault(claim := _claim(item, slotless), claim)
        for item in items
    ]


def _claim(item: PlanItem, slotless: frozenset[str]) -> Claim:
    return Claim(0 if item.id in slotless else 1, frozenset(item.policy.resources))


@define
class Schedule:
    """The plan of one run while it is being worked off. Needs are known to exist and to hold no circle, resources to have units.

    Whoever is ready and has to wait, for a slot or a resource, keeps its resources from those behind it in the plan, and from nobody else.
    So nobody is overtaken for ever, and whoever names no resource does not wait for those who do.
    """

    items: Sequence[PlanItem]
    bounds: Bounds
    on_failure: FailurePolicy
    settled: frozenset[str] = frozenset()
    stopped: StopCause | None = field(default=None, init=False)
    slots: Slots = field(init=False)
    _resources: Resources = field(init=False)
    _claims: list[Claim] = field(init=False)
    _running: set[int] = field(factory=set, init=False)
    _ready: dict[Claim, list[int]] = field(factory=dict, init=False)  # a heap for each claim: who claims the same waits for the same
    _open_needs: dict[int, int] = field(factory=dict, init=False)
    _needed_by: dict[str, list[int]] = field(factory=dict, init=False)
    _unstarted: set[int] = field(factory=set, init=False)
    _place: dict[str, int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.slots = self.bounds.slots or Slots(self.bounds.limit)
        self._resources = Resources(dict(self.bounds.resources))
        self._claims = _claims(self.items, self.bounds.slotless)
        self._place = {item.id: place for place, item in enumerate(self.items)}
        for place, item in enumerate(self.items):
            if item.id in self.settled:
                continue
            self._unstarted.add(place)
            needs = item.policy.needs and [need for need in item.policy.needs if need in self._place and need not in self.settled]
            for need in needs:
                self._needed_by.setdefault(need, []).append(place)
            if needs:
                self._open_needs[place] = len(needs)
            else:
                self._ready.setdefault(self._claims[place], []).append(place)  # ascending, so the list is a heap

    def take(self) -> PlanItem | None:
        """The next subtask in plan order that may start now; it counts as running from here."""
        if self.stopped is not None or self._room <= 0:
            return None
        left = self._resources
        for claim in sorted(self._ready, key=self._first_of) if len(self._ready) > 1 else self._ready:
            if claim.slots <= self.slots.free and (not claim.resources or left.has(claim.resources)):
                return self._start(claim)
            if left is self._resources:
                left = Resources(dict(left.free))
            left.reserve(claim.resources)
        return None

    @property
    def startable(self) -> int:
        """At most so many subtasks would `take` give out now; exactly so many if nobody names resources."""
        free = self.slots.free
        ready = sum(min(len(places), free) if claim.slots else len(places) for claim, places in self._ready.items())
        return 0 if self.stopped is not None else max(0, min(ready, self._room))

    @property
    def over(self) -> bool:
        """Nothing will start any more."""
        return self.stopped is not None or not (self._running or self._ready)

    def settle(self, report: SubtaskReport) -> Settled:
        """Take note of the end of a subtask that `take` gave out."""
        self._give_back(self._place[report.subtask_id])
        if satisfies_needs(report):
            self._release(report.subtask_id)
            return _NOTHING_FOLLOWS
        skipped = tuple(self._skip_dependents(report.subtask_id))
        return Settled(skipped=skipped, cancel=self._apply_policy(report))

    def give_up(self) -> None:
        """What was given out and not told of will not be told of: others who share the slots must not wait for it."""
        for place in tuple(self._running):
            self._give_back(place)

    def stop(self, cause: StopCause) -> None:
        """Start nothing any more. The first cause stays."""
        self.stopped = self.stopped or cause

    def unstarted(self) -> tuple[SubtaskReport, ...]:
        """The reports of those that never started since the run was stopped, in plan order; each is given once."""
        cause = self.stopped
        places = () if cause is None else sorted(self._unstarted)
        self._unstarted.clear()
        return tuple(kept_back(SubtaskId(self.items[place].id), cause) for place in places if cause is not None)

    # Starting and ending -------------------------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        return self.bounds.limit - len(self._running)

    def _first_of(self, claim: Claim) -> int:
        return self._ready[claim][0]

    def _start(self, claim: Claim) -> PlanItem:
        place = heapq.heappop(self._ready[claim])
        if not self._ready[claim]:
            del self._ready[claim]
        self._unstarted.remove(place)
        self._running.add(place)
        self.slots.taken += claim.slots
        if claim.resources:
            self._resources.take(claim.resources)
        return self.items[place]

    def _give_back(self, place: int) -> None:
        claim = self._claims[place]
        self._running.remove(place)
        self.slots.taken -= claim.slots
        if claim.resources:
            self._resources.give_back(claim.resources)

    # What follows from an end --------------------------------------------------------------------------------------

    def _release(self, subtask_id: str) -> None:
        for place in self._needed_by.get(subtask_id, ()):
            self._open_needs[place] -= 1
            if self._open_needs[place] == 0 and place in self._unstarted:
                heapq.heappush(self._ready.setdefault(self._claims[place], []), place)

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


def kept_back(subtask_id: SubtaskId, cause: StopCause) -> SubtaskReport:
    """The report of a subtask that a stop kept from starting: cancelled; or skipped by the run's deadline, which counts as its word."""
    if cause.kind is not StopKind.TIMEOUT:
        return SubtaskReport(subtask_id=subtask_id, outcome=Outcome.CANCELLED, cause=cause)
    return SubtaskReport(
        subtask_id=subtask_id,
        outcome=Outcome.SKIPPED,
        cause=cause,
        skip_reason=SkipReason.DEADLINE,
        counts_as=cause.outcome,
    )
