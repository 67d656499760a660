"""One simulated run: its plan, its lanes, and what they tell, step by step as the package's own lanes do."""

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from random import Random

from attrs import define, field, frozen

from bench.scale.engine import Ended, Engine
from bench.scale.mailbox import Mail
from bench.scale.meter import Meter
from bench.scale.results import create_report, loss_of
from bench.scale.scenario import Scenario
from bench.scale.virtual_time import Call, EventLoop, VirtualTime
from bench.scale.words import Recoveries, Truth, count_up, name_of, place_of
from bench.scale.writer import TASK_ID, Writer
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.core.answers import accept_plan
from orchestrator_py.core.plan import validate_needs
from orchestrator_py.core.run_opening import RunPaths, open_embedded
from orchestrator_py.core.schedule import Bounds, Schedule, order_of_work
from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.model.messages import AttemptEnded, CloseRun, InstanceReleased, Message, OpenRun, SubtaskEnded, SubtaskTaken
from orchestrator_py.model.outcome import FailurePolicy, Outcome
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.task import PlanItem, PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp


@frozen
class World:
    """What all runs share."""

    scenario: Scenario
    time: VirtualTime
    loop: EventLoop
    engine: Engine
    writer: Writer
    meter: Meter
    chance: Random


OnClosed = Callable[["SimulatedRun", object], object]


@define(eq=False)
class SimulatedRun:
    """`on_closed` is given the writer's reply once it is durable."""

    number: int
    world: World
    on_closed: OnClosed
    truth: Truth = field(init=False)
    clock: RunClock = field(init=False)
    opening: OpenRun = field(init=False)
    schedule: Schedule = field(init=False)
    released: set[InstanceId] = field(factory=set, init=False)
    recoveries: Recoveries = field(factory=Recoveries, init=False)
    waiting: "deque[Lane]" = field(factory=deque, init=False)
    _lanes: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        scenario, meter = self.world.scenario, self.world.meter
        self.truth = Truth(scenario.size_of(self.number), scenario.chain)
        self.clock = RunClock(self.world.time)
        plan = self._plan(scenario)
        accepted = meter.call("plan: accept", accept_plan, plan)
        if not isinstance(accepted, PlanResult):
            raise TypeError(accepted)
        meter.call("plan: needs", validate_needs, accepted.items)
        self.opening = meter.call("plan: open", self._open, accepted)
        bounds = Bounds(limit=scenario.lanes)
        self.schedule = meter.call("schedule: create", Schedule, order_of_work(self.opening), bounds, FailurePolicy.CONTINUE)

    @property
    def run_id(self) -> RunId:
        return RunId(f"run-{self.number}")

    def start(self) -> None:
        self.world.writer.mailbox.tell(Mail(self.opening), self._start_lanes)

    def _plan(self, scenario: Scenario) -> PlanResult:
        retry = RetryPolicy(max_attempts=scenario.attempts, on=(Outcome.CRASHED,))
        return PlanResult(items=[self._item(place, retry) for place in range(self.truth.size)])

    def _item(self, place: int, retry: RetryPolicy) -> PlanItem:
        need = self.truth.need_of(place)
        return PlanItem(id=name_of(place), policy=SubtaskPolicy(needs=() if need is None else (name_of(need),), retry=retry))

    def _open(self, plan: PlanResult) -> OpenRun:
        return open_embedded(
            run_id=self.run_id,
            task=TaskContext(id=TASK_ID, title="Simulated"),
            plan=plan,
            grouped=True,
            limit=self.world.scenario.lanes,
            pipeline_id="simulated",
            paths=RunPaths(artifact_root=f".runs/{TASK_ID}/{self.run_id}"),
            started_at=self.clock.started_at,
            keep_summary=True,
        )

    # Lanes ---------------------------------------------------------------------------------------------------------

    def _start_lanes(self) -> None:
        scheduler = self.opening.scheduler
        lanes = [] if scheduler is None else [Lane(self, instance_id) for instance_id in scheduler.assignments]
        self._lanes = len(lanes)
        for lane in lanes:
            lane.come_to_turn()

    def settle(self, report: SubtaskReport) -> tuple[SubtaskReport, ...]:
        """Those that will never start by it; lanes that wait are woken, as many as can start something."""
        skipped = self.world.meter.call("schedule: settle", self.schedule.settle, report).skipped
        waiting = len(self.waiting)
        for _ in range(waiting if self.schedule.over else min(waiting, self.schedule.startable)):
            self.waiting.popleft().come_to_turn()
        return skipped

    def leave(self) -> None:
        """The last lane to leave closes the run."""
        self._lanes -= 1
        if self._lanes == 0:
            message = CloseRun(run_id=self.run_id, at=self.clock.now())
            self.world.meter.note_memory("before a close")
            self.world.writer.mailbox.tell(Mail(message, lambda reply: self.on_closed(self, reply)), lambda: None)


@define(eq=False)
class Lane:
    """One worker slot of a run: takes what may start, has it done, tells how it went, until nothing is left."""

    run: SimulatedRun
    instance_id: InstanceId
    _subtask_id: SubtaskId = field(default=SubtaskId(""), init=False)
    _policy: SubtaskPolicy = field(factory=SubtaskPolicy, init=False)
    _attempts: list[AttemptReport] = field(factory=list, init=False)
    _started_at: Timestamp = field(default=Timestamp(""), init=False)

    def come_to_turn(self) -> None:
        self._post(self._take_turn)

    def _take_turn(self) -> None:
        run, schedule = self.run, self.run.schedule
        item = run.world.meter.call("schedule: take", schedule.take)
        if item is not None:
            self._subtask_id, self._policy, self._attempts = SubtaskId(item.id), item.policy, []
            count_up(run.truth.taken, place_of(item.id))
            taken = SubtaskTaken(run_id=run.run_id, subtask_id=self._subtask_id, instance_id=self.instance_id, at=run.clock.now())
            self._tell([taken], self._try)
        elif schedule.over:
            run.released.add(self.instance_id)
            released = InstanceReleased(run_id=run.run_id, instance_id=self.instance_id, at=run.clock.now())
            self._tell([released], run.leave)
        else:
            run.waiting.append(self)

    def _try(self) -> None:
        self._started_at = self.run.clock.now()
        count_up(self.run.truth.attempts, place_of(self._subtask_id))
        self.run.world.engine.submit(lambda ended: self._post(lambda: self._end(ended)))

    def _end(self, ended: Ended) -> None:
        attempt = self._attempt(ended)
        self._attempts.append(attempt)
        if self._policy.retry.allows_another(attempt=attempt.number, outcome=attempt.outcome):
            self.run.recoveries.begin_again(self.instance_id, attempt.outcome)
            self._tell([AttemptEnded(run_id=self.run.run_id, subtask_id=self._subtask_id, attempt=attempt)], self._try)
        else:
            self._settle(ended.outcome)

    def _attempt(self, ended: Ended) -> AttemptReport:
        return AttemptReport(
            number=len(self._attempts) + 1,
            outcome=ended.outcome,
            started_at=self._started_at,
            completed_at=self.run.clock.now(),
            elapsed=timedelta(seconds=ended.worked),
            loss=loss_of(ended.outcome),
        )

    def _settle(self, outcome: Outcome) -> None:
        run, at = self.run, self.run.clock.now()
        run.truth.end(place_of(self._subtask_id), outcome)
        run.recoveries.end(self.instance_id, outcome)
        report = run.world.meter.call("lane: report", create_report, self._subtask_id, run.run_id, outcome, tuple(self._attempts), at)
        skipped = run.settle(report)
        ends: list[Message] = [SubtaskEnded(run_id=run.run_id, report=report, instance_id=self.instance_id, at=at)]
        ends += [SubtaskEnded(run_id=run.run_id, report=one, instance_id=None, at=at) for one in skipped]
        self._tell(ends, self._take_turn)

    # Virtual time --------------------------------------------------------------------------------------------------

    def _post(self, step: Call) -> None:
        seconds = self.run.world.scenario.step_us / 1e6
        self.run.world.loop.post(lambda: (seconds, step))

    def _tell(self, messages: list[Message], follow: Call) -> None:
        """One after the other; now and then one of them twice, as after a cancellation."""
        world = self.run.world
        again = messages[:1] if world.chance.random() < world.scenario.twice else []
        self._tell_all([*again, *messages], follow)

    def _tell_all(self, messages: list[Message], follow: Call) -> None:
        mailbox = self.run.world.writer.mailbox
        first, *rest = messages
        mailbox.tell(Mail(first), (lambda: self._tell_all(rest, follow)) if rest else follow)
