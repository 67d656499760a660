"""The outbox of a worker: nothing is lost or told twice, and only so much is held."""

import anyio
from anyio import create_task_group, fail_after

from orchestrator_py.executors.outbox import Outbox
from orchestrator_py.executors.wire import PIECE_BYTES

HALF = "x" * (PIECE_BYTES // 2)


def numbered(count: int, text: str = "") -> list[dict[str, object]]:
    return [{"number": number, "data": text} for number in range(count)]


async def test_what_is_asked_for_again_is_told_again_until_later_news_is_asked_for() -> None:
    outbox = Outbox()
    await outbox.append(*numbered(3))
    outbox.close()
    assert await outbox.fetch(0, 1) == (numbered(3), True)
    assert await outbox.fetch(0, 1) == (numbered(3), True)
    assert await outbox.fetch(2, 1) == (numbered(3)[2:], True)
    assert await outbox.fetch(3, 1) == ([], True)


async def test_who_says_too_much_waits_until_it_was_fetched() -> None:
    outbox, said = Outbox(), []

    async def talk() -> None:
        for event in numbered(20, HALF):
            await outbox.append(event)
            said.append(event)
        outbox.close()

    with fail_after(20):
        async with create_task_group() as group:
            group.start_soon(talk)
            await anyio.wait_all_tasks_blocked()
            assert len(said) < 8
            got: list[object] = []
            last = False
            while not last:
                events, last = await outbox.fetch(len(got), 10)
                assert len(events) <= 2
                got += events
    assert got == numbered(20, HALF)


async def test_one_event_that_is_larger_than_a_piece_is_told_all_the_same() -> None:
    outbox = Outbox()
    await outbox.append({"data": HALF * 3})
    outbox.close()
    assert await outbox.fetch(0, 1) == ([{"data": HALF * 3}], True)


async def test_a_discarded_outbox_holds_nobody_up() -> None:
    outbox = Outbox()
    with fail_after(20):
        async with create_task_group() as group:
            for event in numbered(20, HALF):
                group.start_soon(outbox.append, event)
            await anyio.wait_all_tasks_blocked()
            outbox.discard()
        await outbox.append(*numbered(20, HALF))


async def test_who_asks_while_nothing_is_said_gets_nothing_after_a_while() -> None:
    assert await Outbox().fetch(0, 0.01) == ([], False)
