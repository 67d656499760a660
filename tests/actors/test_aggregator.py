"""The single writer: in which order it writes, what a reply means, when it publishes, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing
from itertools import pairwise

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from attrs import define, field

from orchestrator_py.actors.aggregator import PROGRESS_SECONDS, QUEUE_SECONDS, ROLLUP_SECONDS, Aggregator
from orchestrator_py.actors.mailbox import Mailbox, Ref, open_mailbox
from orchestrator_py.errors import DefectError, NotRecordedError, StoreError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.events import Event, RunCompleted
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.messages import Beat, ClosedRun, CloseRun, Flush, Message
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.timestamp import Timestamp
from tests.app.permuted_loop import PermutedLoop, without_threads
from tests.core.conversations import RUN, conversation, open_pipeline_run, open_run, reports_of, stamp


@define(eq=False)
class Disk:
    """Store, files and followers in one: keeps what happened in its order; `breaks` names what raises."""

    breaks: str = ""
    error: BaseException = field(factory=lambda: StoreError("disk full"))
    told: list[str] = field(factory=list)

    def note(self, what: str) -> None:
        self.told.append(what)
        if what.split(" ")[0] == self.breaks:
            raise self.error

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        self.note(f"commit {len(entries)}")

    def write(self, documents: Sequence[RunDocument], /) -> None:
        for document in documents:
            self.note(f"write {document.kind.value}")

    def hears(self, run_id: RunId, /) -> bool:
        return True

    def publish(self, event: Event | None = None, /) -> None:
        if event is None:
            self.note("publish")
        elif isinstance(event, RunCompleted):
            self.note("tell")

    def rest(self) -> None:
        self.note("rest")

    def flush(self) -> None:
        self.note("flush")

    def close(self) -> None:
        self.note("close")


@define(eq=False)
class HandClock:
    """Time that passes when it is told to."""

    seconds: float = 0

    def now(self) -> Timestamp:
        return stamp(int(self.seconds) % 60)

    def monotonic(self) -> float:
        return self.seconds


class LoopClock(HandClock):
    """The time of the event loop that runs, and what was put on it."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.seconds


@define(eq=False)
class SlowDisk(Disk):
    """Takes so long for a commit that what the one before has left to publish is overdue."""

    clock: HandClock = field(factory=LoopClock)

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        super().commit(entries)
        self.clock.seconds += 2 * ROLLUP_SECONDS


@asynccontextmanager
async def serving(disk: Disk, clock: HandClock | None = None, has_queued: Callable[[], bool] | None = None) -> AsyncIterator[Ref[Message]]:
    """A handle to a running aggregator; leaving waits for its end."""
    ref: Ref[Message]
    mailbox: Mailbox[Message]
    ref, mailbox = open_mailbox()
    clock = clock or HandClock()
    aggregator = Aggregator(task_id=TaskId("task-1"), open_history=lambda: disk, files=disk, sink=disk, clock=clock, has_queued=has_queued)
    with anyio.fail_after(20):
        running = asyncio.ensure_future(aggregator.run(mailbox))
        with ref:
            yield ref
        await running


async def tell(ref: Ref[Message], messages: Sequence[Message]) -> ClosedRun:
    """Tell them all and ask for the last."""
    for message in messages[:-1]:
        await ref.tell(message)
    closed = await ref.ask(messages[-1])
    assert isinstance(closed, ClosedRun)
    return closed


PIPELINE = open_pipeline_run(1)
RUN_OF_ONE = conversation(PIPELINE, reports_of(PIPELINE, [Outcome.SUCCEEDED]))


async def test_the_summary_stands_before_the_entry_and_the_manifest_speaks_of_it_afterwards() -> None:
    disk = Disk()
    async with serving(disk) as ref:
        await ref.ask(RUN_OF_ONE[0])
        await tell(ref, RUN_OF_ONE[1:])
        order = [what for what in disk.told if what != "publish"]
        last = order[order.index("write run summary") :]
    assert last[:5] == ["write run summary", "write manifest", "commit 1", "write manifest", "tell"]
    assert disk.told[-1] == "close"


async def test_a_reply_means_that_it_is_on_disk() -> None:
    disk = Disk()
    async with serving(disk) as ref:
        await tell(ref, RUN_OF_ONE)
        assert "commit 1" in disk.told


async def test_all_mail_that_waits_is_committed_at_once() -> None:
    disk = Disk()
    opening = open_run(1)
    async with serving(disk) as ref:
        for message in conversation(opening, reports_of(opening, [Outcome.SUCCEEDED]))[:-1]:
            await ref.tell(message)
        closing = [ref.ask(CloseRun(run_id=RUN, at=stamp(59))), ref.ask(Flush())]
        await asyncio.gather(*closing)
    assert [what for what in disk.told if what.startswith(("commit", "flush"))] == ["commit 1", "flush"]


async def test_progress_is_published_when_its_time_has_come_and_not_before() -> None:
    disk, clock = Disk(), HandClock()
    async with serving(disk, clock) as ref:
        await ref.ask(PIPELINE)
        await ref.ask(Beat(run_id=RUN, at=stamp(1)))
        await ref.ask(Beat(run_id=RUN, at=stamp(2)))
        written = disk.told.count("write manifest")
        await ref.ask(Beat(run_id=RUN, at=stamp(3)))
        assert disk.told.count("write manifest") == written
        clock.seconds += 1
        await ref.ask(Beat(run_id=RUN, at=stamp(4)))
        await ref.ask(Beat(run_id=RUN, at=stamp(5)))
        assert disk.told.count("write manifest") == written + 1


async def test_what_is_for_readers_only_takes_no_verdict_if_it_cannot_be_written() -> None:
    disk, clock = Disk(), HandClock()
    async with serving(disk, clock) as ref:
        await ref.ask(PIPELINE)
        clock.seconds += 1
        before, disk.breaks = len(disk.told), "write"
        await ref.tell(RUN_OF_ONE[1])
        for second in (1, 2):  # the answer to the second comes after what the first has made due
            await ref.ask(Beat(run_id=RUN, at=stamp(second)))
        assert {"write manifest", "write heartbeat"} <= set(disk.told[before:])
        disk.breaks = ""
        assert (await tell(ref, RUN_OF_ONE[2:])).summary.outcome is Outcome.SUCCEEDED
    assert ref.failure is None


async def test_who_comes_again_as_soon_as_a_run_is_on_record_does_not_wait_for_files_that_are_for_readers() -> None:
    disk, clock = Disk(), HandClock()
    async with serving(disk, clock) as ref:
        await tell(ref, RUN_OF_ONE)
        late = Beat(run_id=RUN, at=stamp(59))
        for _ in range(2):  # a run that takes longer than the breath, and is told of all the time
            await ref.ask(late)
            assert not {"publish", "rest"} & {*disk.told[disk.told.index("commit 1") :]}
            clock.seconds += PROGRESS_SECONDS
        clock.seconds += ROLLUP_SECONDS
        await ref.ask(late)
        await ref.ask(late)  # the answer to it comes after what the one before has made due
        assert "publish" in disk.told[disk.told.index("commit 1") :]


def test_while_mail_keeps_coming_rollups_are_published_once_a_second_and_when_it_stays_away_soon() -> None:
    disk = Disk()

    async def work() -> None:
        async with serving(disk, LoopClock()) as ref:
            for _ in range(500):  # one after the other, for two seconds and a half: after each of them the box is empty
                await tell(ref, messages)
                await asyncio.sleep(0.005)
            assert [disk.told.count(what) for what in ("commit 1", "publish", "rest")] == [500, 2, 0]
            await asyncio.sleep(2 * PROGRESS_SECONDS)
            assert disk.told.count("rest") == 1

    opening = open_run(1)
    messages = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED]))
    in_its_own_time(work)


@pytest.mark.parametrize("breaks", ["commit", "write", "close"])
async def test_a_store_that_fails_is_told_to_whoever_waits_and_is_closed(breaks: str) -> None:
    disk = Disk(breaks)
    async with serving(disk) as ref:
        told = await asyncio.gather(tell(ref, RUN_OF_ONE), return_exceptions=True)
        if breaks in ("commit", "write"):
            assert [str(error).partition(" Run ")[0] for error in told] == ["disk full"]
            assert [type(error) for error in told] == [NotRecordedError]
    assert disk.told.count("close") == 1
    assert isinstance(ref.failure, StoreError)


def test_what_was_published_under_load_is_put_in_order_when_nothing_more_comes() -> None:
    disk = SlowDisk()

    async def work() -> None:
        async with serving(disk, disk.clock) as ref:
            for _ in range(2):  # the second commit ends when the publication of the first is due
                await tell(ref, messages)
            await asyncio.sleep(1)
            assert [what for what in disk.told if what in ("publish", "rest")][-2:] == ["publish", "rest"]

    opening = open_run(1)
    messages = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED]))
    in_its_own_time(work)


def test_a_store_that_fails_while_nothing_comes_is_told_to_whoever_comes_next() -> None:
    disk = Disk("rest")

    async def work() -> None:
        async with serving(disk, LoopClock()) as ref:
            await tell(ref, RUN_OF_ONE)
            await asyncio.sleep(1)
            with pytest.raises(StoreError, match="disk full"):
                await ref.ask(RUN_OF_ONE[0])
        assert isinstance(ref.failure, StoreError)

    in_its_own_time(work)
    assert disk.told.count("close") == 1


async def test_a_defect_is_told_as_one() -> None:
    disk = Disk("commit", error=ZeroDivisionError("oops"))
    async with serving(disk) as ref:
        with pytest.raises(DefectError, match=r"ZeroDivisionError: oops.*cannot be vouched for"):
            await tell(ref, RUN_OF_ONE)


@pytest.mark.parametrize("error", [ValueError("no thanks"), asyncio.CancelledError(), pytest.fail.Exception("no thanks")], ids=repr)
async def test_a_follower_that_raises_changes_no_reply(error: BaseException) -> None:
    disk = Disk("tell", error=error)
    async with serving(disk) as ref:
        assert (await tell(ref, RUN_OF_ONE)).summary.outcome is Outcome.SUCCEEDED


def in_its_own_time(work: Callable[[], Coroutine[object, object, None]]) -> None:
    """Seconds of the loop take no time."""
    loop = PermutedLoop()
    with without_threads(loop), closing(loop):
        loop.run_until_complete(work())


@pytest.mark.parametrize("is_filled", [True, False])
def test_an_idle_writer_looks_every_few_seconds_and_writes_only_what_others_have_queued(is_filled: bool) -> None:
    disk, looks = Disk(), list[float]()

    def has_queued() -> bool:
        looks.append(asyncio.get_running_loop().time())
        return is_filled

    async def work() -> None:
        async with serving(disk, has_queued=has_queued) as ref:
            await ref.ask(Flush())
            looks.clear()
            await asyncio.sleep(3.5 * QUEUE_SECONDS)

    in_its_own_time(work)
    assert [later - earlier for earlier, later in pairwise(looks)] == [QUEUE_SECONDS] * 2
    assert disk.told == ["flush", *(["rest"] * 3 if is_filled else []), "close"]


def test_nobody_looks_while_a_run_goes_on() -> None:
    """What others have queued may be what cannot be written; it must not take the run's record."""
    opening, disk, looks = open_run(1), Disk(), list[bool]()
    messages = conversation(opening, reports_of(opening, [Outcome.SUCCEEDED]))

    def has_queued() -> bool:
        looks.append("commit 1" in disk.told)
        return False

    async def work() -> None:
        async with serving(disk, LoopClock(), has_queued=has_queued) as ref:
            await ref.tell(messages[0])
            await asyncio.sleep(3.5 * QUEUE_SECONDS)
            await tell(ref, messages[1:])
            await asyncio.sleep(1.5 * QUEUE_SECONDS)

    in_its_own_time(work)
    assert looks == [True]
    assert disk.told.count("rest") == 1


async def test_an_idle_writer_that_looks_does_not_outlast_its_event_loop() -> None:
    disk = Disk()
    ref: Ref[Message]
    mailbox: Mailbox[Message]
    ref, mailbox = open_mailbox()
    aggregator = Aggregator(
        task_id=TaskId("task-1"), open_history=lambda: disk, files=disk, sink=disk, clock=HandClock(), has_queued=lambda: False
    )
    with anyio.fail_after(20), ref:
        running = asyncio.ensure_future(aggregator.run(mailbox))
        await ref.ask(Flush())
        running.cancel()
        await running
    assert disk.told == ["flush", "close"]


async def test_a_cancelled_aggregator_waits_for_the_runs_that_are_in_flight() -> None:
    disk = Disk()
    ref: Ref[Message]
    mailbox: Mailbox[Message]
    ref, mailbox = open_mailbox()
    aggregator = Aggregator(task_id=TaskId("task-1"), open_history=lambda: disk, files=disk, sink=disk, clock=HandClock())
    with anyio.fail_after(20):
        running = asyncio.ensure_future(aggregator.run(mailbox))
        await ref.ask(RUN_OF_ONE[0])
        for _ in range(3):
            running.cancel()
            await wait_all_tasks_blocked()
        assert not running.done()
        assert (await tell(ref, RUN_OF_ONE[1:])).summary.outcome is Outcome.SUCCEEDED
        await running
    assert disk.told[-1] == "close"
    with pytest.raises(DefectError):
        await ref.tell(Flush())
    ref.close()
