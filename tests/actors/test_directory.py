"""One aggregator for each task and event loop: who joins, who leaves, and what happens in between."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from attrs import define, field

from orchestrator_py.actors.aggregator import Aggregator
from orchestrator_py.actors.directory import Handle, join_aggregator
from orchestrator_py.actors.event_stream import EventRouter, Switchboard
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.errors import InputError, StoreError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.messages import Flush
from orchestrator_py.store.run_files import MemoryRunFiles


@define(eq=False)
class Store:
    """Says when it is opened and closed; opening and closing wait for their gates."""

    life: list[str] = field(factory=list)
    may_open: threading.Event = field(factory=threading.Event)
    may_close: threading.Event = field(factory=threading.Event)

    def open(self) -> "Store":
        self.may_open.wait(20)
        self.life.append("open")
        return self

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        self.life.append("commit")

    def publish(self) -> None:
        self.life.append("publish")

    def rest(self) -> None:
        self.life.append("rest")

    def flush(self) -> None:
        self.life.append("flush")

    def close(self) -> None:
        self.may_close.wait(20)
        self.life.append("close")


@pytest.fixture
def store() -> Store:
    store = Store()
    store.may_open.set()
    store.may_close.set()
    return store


def creator(store: Store) -> Callable[[EventRouter], Aggregator]:
    def create(events: EventRouter) -> Aggregator:
        return Aggregator(task_id=TaskId("t"), open_history=store.open, files=MemoryRunFiles(), sink=events, clock=SystemClock())

    return create


async def test_all_who_join_share_one_aggregator_and_the_last_to_leave_ends_it(store: Store) -> None:
    with anyio.fail_after(20):
        async with await join_aggregator("t", creator(store)) as one, await join_aggregator("t", creator(store)) as other:
            assert one.is_same(other)
            assert one.ref is not other.ref
            await one.ref.ask(Flush())
        assert store.life == ["open", "flush", "close"]
        async with await join_aggregator("t", creator(store)) as later:
            assert not later.is_same(one)
            await later.ref.ask(Flush())
    assert store.life == ["open", "flush", "close"] * 2


async def test_different_keys_have_different_aggregators(store: Store) -> None:
    with anyio.fail_after(20):
        async with await join_aggregator("x", creator(store)) as one, await join_aggregator("y", creator(store)) as other:
            assert not one.is_same(other)


async def test_a_hold_may_be_taken_again_and_keeps_the_aggregator(store: Store) -> None:
    with anyio.fail_after(20):
        async with await join_aggregator("t", creator(store)) as handle:
            kept = handle.again()
        await kept.ref.ask(Flush())
        assert "close" not in store.life
        await kept.leave()
    assert store.life[-1] == "close"


async def test_who_joins_while_it_is_leaving_waits_for_its_end(store: Store) -> None:
    store.may_close.clear()
    with anyio.fail_after(20):

        async def come_and_go() -> None:
            async with await join_aggregator("t", creator(store)) as handle:
                await handle.ref.ask(Flush())

        first = asyncio.ensure_future(come_and_go())
        await wait_all_tasks_blocked()
        second = asyncio.ensure_future(come_and_go())
        await wait_all_tasks_blocked()
        assert store.life == ["open", "flush"]
        store.may_close.set()
        await asyncio.gather(first, second)
    assert store.life == ["open", "flush", "close"] * 2


async def test_who_is_cancelled_while_joining_holds_nothing(store: Store) -> None:
    store.may_close.clear()

    async def come_and_go() -> None:
        async with await join_aggregator("t", creator(store)):
            await checkpoint()

    with anyio.fail_after(20):
        first = asyncio.ensure_future(come_and_go())
        await wait_all_tasks_blocked()
        second = asyncio.ensure_future(come_and_go())
        await wait_all_tasks_blocked()
        second.cancel()
        await asyncio.wait({second})
        store.may_close.set()
        await first
        async with await join_aggregator("t", creator(store)) as again:
            await again.ref.ask(Flush())
    assert store.life == ["open", "close", "open", "flush", "close"]


async def test_who_leaves_waits_for_the_end_whoever_cancels(store: Store) -> None:
    store.may_close.clear()

    async def come_and_go() -> None:
        async with await join_aggregator("t", creator(store)):
            await checkpoint()

    with anyio.fail_after(20):
        leaving = asyncio.ensure_future(come_and_go())
        for _ in range(3):
            await wait_all_tasks_blocked()
            leaving.cancel()
        await wait_all_tasks_blocked()
        assert not leaving.done()
        store.may_close.set()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    assert store.life == ["open", "close"]


async def test_a_store_that_cannot_be_opened_is_told_to_all_and_tried_again_by_the_next(store: Store) -> None:
    def refuse() -> Store:
        raise StoreError("held by nobody; free some space")

    def create(events: EventRouter) -> Aggregator:
        return Aggregator(task_id=TaskId("t"), open_history=refuse, files=MemoryRunFiles(), sink=events, clock=SystemClock())

    async def ask(handle: Handle) -> object:
        return await handle.ref.ask(Flush())

    with anyio.fail_after(20):
        async with await join_aggregator("t", create) as one, await join_aggregator("t", create) as other:
            told = await asyncio.gather(ask(one), ask(other), return_exceptions=True)
            assert [str(error) for error in told] == ["held by nobody; free some space"] * 2
            async with await join_aggregator("t", creator(store)) as healthy:
                assert not healthy.is_same(one)
                await healthy.ref.ask(Flush())
    assert store.life == ["open", "flush", "close"]


async def test_an_aggregator_whose_task_never_began_tells_whoever_asks(store: Store) -> None:
    with anyio.fail_after(20):
        async with await join_aggregator("t", creator(store)) as handle:
            (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "aggregator of t"]
            task.cancel()
            (told,) = await asyncio.gather(handle.ref.ask(Flush()), return_exceptions=True)
            assert isinstance(told, Exception)
    assert store.life == []


async def test_an_aggregator_that_is_cancelled_finishes_and_tells_whoever_comes(store: Store) -> None:
    with anyio.fail_after(20):
        async with await join_aggregator("t", creator(store)) as handle:
            await handle.ref.ask(Flush())
            (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "aggregator of t"]
            task.cancel()
            await asyncio.wait({task})
            assert store.life[-1] == "close"
            (told,) = await asyncio.gather(handle.ref.ask(Flush()), return_exceptions=True)
            assert isinstance(told, Exception)


def test_a_run_id_is_routed_once_at_a_time() -> None:
    router = EventRouter()
    board = Switchboard()
    with router.routing(RunId("r"), board):
        with pytest.raises(InputError, match="in flight already"), router.routing(RunId("r"), board):
            pass
        with router.routing(RunId("other"), board):
            pass
    with router.routing(RunId("r"), board):
        pass


def test_a_run_is_heard_while_it_is_routed_to_somebody_who_listens() -> None:
    router, board = EventRouter(), Switchboard()
    with router.routing(RunId("r"), board):
        assert not router.hears(RunId("r"))
        unsubscribe = board.subscribe(print)
        assert router.hears(RunId("r"))
        assert not router.hears(RunId("other"))
        unsubscribe()
        assert not router.hears(RunId("r"))
        stream = board.follow()
        assert router.hears(RunId("r"))
        del stream  # a reader that walks away
        assert not router.hears(RunId("r"))
