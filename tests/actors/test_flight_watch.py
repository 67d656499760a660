"""When embedded runs are shown: those that last, in the aggregator's own time; quick ones are never looked at."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from attrs import define, evolve, field

from orchestrator_py.actors.aggregator import Aggregator
from orchestrator_py.actors.flight_watch import DISK_SHARE, LOOK_SECONDS, LOOP_SHARE, FlightWatch
from orchestrator_py.actors.mailbox import Mailbox, Ref, open_mailbox
from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.messages import Flush, Message
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.ports import FlightBoard
from tests.actors.test_aggregator import Disk, HandClock, tell
from tests.core.conversations import conversation, open_pipeline_run, open_run, reports_of

TASK = TaskId("task-1")
OPENING = open_run(2)
MESSAGES = conversation(OPENING, reports_of(OPENING, [Outcome.SUCCEEDED] * 2))


@define
class Board:
    """Keeps how many bytes it was shown, and then how it ended."""

    told: list[object] = field(factory=list)
    write: Callable[[], None] = lambda: None

    def show(self, document: bytes, /) -> None:
        self.write()
        self.told.append(document.count(b'"run_id"'))

    def close(self) -> None:
        self.told.append("closed")


@define(eq=False)
class SlowClock(HandClock):
    """Each question after the time takes some."""

    step: float = 0

    def now(self) -> Timestamp:
        self.seconds += self.step
        return super().now()


async def at_once(work: Callable[[], None]) -> None:
    work()


def watching(board: FlightBoard | None, clock: HandClock) -> tuple[Aggregation, FlightWatch]:
    mind = Aggregation(TASK)
    return mind, FlightWatch(TASK, mind.runs, None if board is None else lambda: board, clock)


@asynccontextmanager
async def serving(board: Board, clock: HandClock) -> AsyncIterator[Ref[Message]]:
    ref: Ref[Message]
    mailbox: Mailbox[Message]
    ref, mailbox = open_mailbox()
    disk = Disk()
    aggregator = Aggregator(task_id=TASK, open_history=lambda: disk, files=disk, sink=disk, clock=clock, open_board=lambda: board)
    with anyio.fail_after(20):
        running = asyncio.ensure_future(aggregator.run(mailbox))
        with ref:
            yield ref
        await running


async def let_pass(ref: Ref[Message], clock: HandClock) -> None:
    """Time for one look: it is taken after the mail that comes then, and over when the next mail is answered."""
    clock.seconds += LOOK_SECONDS
    await ref.ask(Flush())
    await ref.ask(Flush())


async def test_a_run_that_lasts_is_shown_and_taken_away_when_it_has_ended() -> None:
    board, clock = Board(), HandClock()
    async with serving(board, clock) as ref:
        await ref.tell(MESSAGES[0])
        await ref.ask(Flush())
        await let_pass(ref, clock)
        assert board.told == []
        await let_pass(ref, clock)
        assert board.told == [1]
        await let_pass(ref, clock)
        assert board.told == [1]
        await tell(ref, MESSAGES[1:])
        await let_pass(ref, clock)
        assert board.told == [1, 0]
    assert board.told == [1, 0, "closed"]


async def test_quick_runs_are_never_looked_at() -> None:
    board, clock = Board(), HandClock()
    async with serving(board, clock) as ref:
        for number in range(20):
            messages = [evolve(message, run_id=RunId(f"r{number}")) for message in MESSAGES if not isinstance(message, Flush)]
            await ref.tell(messages[0])
            await ref.ask(Flush())
            await tell(ref, messages[1:])
            clock.seconds += LOOK_SECONDS / 4
    assert board.told == ["closed"]


async def test_it_is_shown_although_no_mail_comes() -> None:
    shown = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell_that_it_is_shown() -> None:
        loop.call_soon_threadsafe(shown.set)

    class LoopClock(HandClock):
        def monotonic(self) -> float:
            return loop.time()

    board = Board(write=tell_that_it_is_shown)
    async with serving(board, LoopClock()) as ref:
        await ref.tell(MESSAGES[0])
        await shown.wait()
        await tell(ref, MESSAGES[1:])
    assert board.told[0] == 1
    assert board.told[-1] == "closed"


async def test_nothing_is_planned_for_command_line_runs_or_without_a_board() -> None:
    mind, watch = watching(Board(), HandClock())
    watch.plan()
    mind.handle(open_pipeline_run(1))
    watch.plan()
    assert watch.due_at == math.inf
    mind, watch = watching(None, HandClock())
    mind.handle(OPENING)
    watch.plan()
    assert (watch.due_at, watch.is_due) == (math.inf, False)
    watch.close()


async def test_nothing_is_planned_any_more_once_no_embedded_run_is_in_flight() -> None:
    clock = HandClock()
    mind, watch = watching(Board(), clock)
    mind.handle(OPENING)
    watch.plan()
    assert watch.due_at == LOOK_SECONDS
    mind.runs.clear()
    await watch.look(at_once)
    assert watch.due_at == math.inf


async def test_looks_and_writes_take_a_small_share_of_the_time() -> None:
    slow = SlowClock(step=LOOK_SECONDS)
    mind, watch = watching(Board(), slow)
    mind.handle(OPENING)
    await watch.look(at_once)
    assert watch.due_at - slow.seconds == LOOK_SECONDS / LOOP_SHARE
    clock = HandClock()

    def write() -> None:
        clock.seconds += 1

    mind, watch = watching(Board(write=write), clock)
    mind.handle(OPENING)
    for _ in range(2):
        await watch.look(at_once)
    assert watch.due_at - clock.seconds == 1 / DISK_SHARE
