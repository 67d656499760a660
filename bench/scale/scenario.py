"""What is simulated: how much work, by whom, what goes wrong, and what things are taken to cost."""

from math import isfinite

from attrs import astuple, field, frozen
from attrs.validators import and_, ge, gt, le

from bench.errors import BenchError
from orchestrator_py.actors.mailbox import CAPACITY

_chance = and_(ge(0.0), le(1.0))


@frozen(kw_only=True)
class Scenario:
    """All seconds are virtual ones, and means of what varies.

    `subtasks` are spread over `runs`, of which so many as `in_flight` share the workers. An attempt takes `seconds`. Of each `chain`
    subtasks every one needs the one before. A worker lives `life` seconds, is missed `notice` seconds after its death and replaced
    `restart` seconds after it. Up to `attempts` are made at a subtask whose worker died. Of all ends `failing` are failures and `rejecting`
    no's of a review; `twice` of all messages are told twice.

    The event loop takes `step_us` for a lane's step (an end, and taking up the next), `message_us` for a message of the writer, `open_us`
    and `close_us` for each subtask when its run is opened and closed, and the writer's thread `print_us` for each subtask of the summary:
    what they add up to, W5 measures of whole runs. The disk waits `sync_ms` for a sync, `stall_seconds` for one in `stall` beside that, and
    writes `megabytes` a second.
    """

    workers: int = field(default=1_000, validator=ge(1))
    subtasks: int = field(default=20_000, validator=ge(1))
    runs: int = field(default=1, validator=ge(1))
    in_flight: int = field(default=1, validator=ge(1))
    seed: int = 1
    seconds: float = field(default=30.0, validator=gt(0))
    chain: int = field(default=4, validator=ge(1))
    failing: float = field(default=0.001, validator=_chance)
    rejecting: float = field(default=0.0005, validator=_chance)
    twice: float = field(default=0.0005, validator=_chance)
    attempts: int = field(default=3, validator=ge(1))
    life: float = field(default=20_000.0, validator=gt(0))
    notice: float = field(default=30.0, validator=ge(0))
    restart: float = field(default=60.0, validator=ge(0))
    capacity: int = field(default=CAPACITY, validator=ge(1))
    step_us: float = field(default=50.0, validator=ge(0))
    message_us: float = field(default=9.0, validator=ge(0))
    open_us: float = field(default=6.0, validator=ge(0))
    close_us: float = field(default=6.0, validator=ge(0))
    print_us: float = field(default=12.0, validator=ge(0))
    sync_ms: float = field(default=2.0, validator=ge(0))
    stall: float = field(default=0.01, validator=_chance)
    stall_seconds: float = field(default=1.0, validator=ge(0))
    megabytes: float = field(default=200.0, validator=gt(0))

    def __attrs_post_init__(self) -> None:
        if not all(map(isfinite, astuple(self))):
            raise BenchError("every figure of a scenario is finite")
        if self.in_flight > min(self.runs, self.workers) or self.runs > self.subtasks:
            raise BenchError("there are at most as many runs in flight as runs and as workers, and at most as many runs as subtasks")

    def size_of(self, run: int) -> int:
        """How many subtasks a run has; the first ones have those that are left over."""
        each, rest = divmod(self.subtasks, self.runs)
        return each + (run < rest)

    @property
    def lanes(self) -> int:
        """Of a run: a lane for each worker that is its share."""
        return self.workers // self.in_flight
