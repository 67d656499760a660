"""A scenario from its first run to its last, watched and checked."""

from hashlib import blake2b
from random import Random
from time import perf_counter

from attrs import define, field

from bench.scale.checks import Checks
from bench.scale.engine import Engine
from bench.scale.meter import Meter
from bench.scale.run import SimulatedRun, World
from bench.scale.scenario import Scenario
from bench.scale.virtual_time import EventLoop, VirtualTime
from bench.scale.words import RANKED
from bench.scale.writer import Writer
from orchestrator_py.ids import RunId
from orchestrator_py.model.events import Event
from orchestrator_py.model.messages import ClosedRun
from orchestrator_py.model.outcome import Outcome

_LOOKS = 200  # at the runs in flight, in the course of a simulation


@define(eq=False)
class Simulation:
    """Everything that is told of it afterwards stands in its parts."""

    scenario: Scenario
    time: VirtualTime = field(factory=VirtualTime, init=False)
    loop: EventLoop = field(init=False)
    meter: Meter = field(factory=Meter, init=False)
    engine: Engine = field(init=False)
    writer: Writer = field(init=False)
    checks: Checks = field(factory=Checks, init=False)
    outcomes: dict[Outcome, int] = field(factory=lambda: dict.fromkeys(RANKED, 0), init=False)
    flaky: int = field(default=0, init=False)
    requeued: int = field(default=0, init=False)
    escalated: int = field(default=0, init=False)
    wall: float = field(default=0.0, init=False)
    _runs: dict[RunId, SimulatedRun] = field(factory=dict, init=False)
    _begun: int = field(default=0, init=False)
    _world: World = field(init=False)
    _told: "blake2b" = field(factory=lambda: blake2b(digest_size=8), init=False)

    def __attrs_post_init__(self) -> None:
        self.loop = EventLoop(self.time)
        self.engine = Engine(self.scenario, self.time)
        self.writer = Writer(self.scenario, self.time, self.loop, self.meter, self._hear, self._look)
        chance = Random(f"messages {self.scenario.seed}")
        self._world = World(self.scenario, self.time, self.loop, self.engine, self.writer, self.meter, chance)

    def run(self) -> None:
        """To the end: every run closed, everything published, every promise looked at."""
        began = perf_counter()
        with self.meter.watching_collector():
            self._work_off()
        self.checks.look_at_history(self.writer.history, self.scenario.runs)
        self.wall = perf_counter() - began

    def _work_off(self) -> None:
        self.meter.note_memory("at the start")
        for _ in range(self.scenario.in_flight):
            self._begin()
        self.meter.note_memory("with what is planned")
        self.time.run()
        self.writer.close()

    def digest(self) -> str:
        """Differs if anything of the virtual part does: each subtask's word and end, each entry, each figure of time."""
        for line in self.writer.history.lines:
            self._told.update(line)
        self._told.update(repr((self.time.seconds, self.loop.busy, self.writer.disk.busy, self.writer.mailbox.waited)).encode())
        return self._told.hexdigest()

    def _begin(self) -> None:
        run = SimulatedRun(self._begun, self._world, self._end)
        self._begun += 1
        self._runs[run.run_id] = run
        run.start()

    def _end(self, run: SimulatedRun, reply: object) -> None:
        if not isinstance(reply, ClosedRun):
            raise TypeError(f"{run.run_id} was closed with {reply!r:.80}")
        self.meter.note_memory("a run is closed")
        self.checks.look_at_closed(run, reply)
        for report in reply.summary.subtasks:
            self.outcomes[report.outcome] += 1
            self.flaky += report.flaky
            self._told.update(f"{report.subtask_id} {report.outcome.value} {report.completed_at}\n".encode())
        self.requeued += run.recoveries.requeued.total()
        self.escalated += run.recoveries.escalated.total()
        del self._runs[run.run_id]
        if self._begun < self.scenario.runs:
            self._begin()

    def _hear(self, event: Event) -> None:
        self.checks.hear(self._runs[event.run_id], event)

    def _look(self) -> None:
        every = max(1, self.scenario.subtasks // _LOOKS)
        if self.writer.batches % every == 0:
            for run_id, record in self.writer.mind.runs.items():
                if record.scheduler is not None:
                    self.checks.look_at_instances(self._runs[run_id], record.scheduler.assignments.values())
