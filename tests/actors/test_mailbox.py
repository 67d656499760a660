"""Mail for an actor: nothing is lost, a full box makes senders wait, and whoever asks is answered whatever happens to the actor."""

import asyncio
from collections.abc import Iterator

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from orchestrator_py.actors.mailbox import Mailbox, Ref, open_mailbox
from orchestrator_py.errors import DefectError, HistoryChangedError, StoreError

Box = tuple[Ref[int], Mailbox[int]]


@pytest.fixture
def box() -> Iterator[Box]:
    ref: Ref[int]
    mailbox: Mailbox[int]
    ref, mailbox = open_mailbox(2)
    yield ref, mailbox
    ref.close()
    mailbox.close()


async def received(mailbox: Mailbox[int], timeout: float = 20) -> list[int] | None:
    mail = await mailbox.receive(timeout)
    return None if mail is None else [message for message, _ in mail]


async def test_all_mail_that_waits_comes_in_one_batch_in_its_order(box: Box) -> None:
    ref, mailbox = box
    with ref:
        await ref.tell(1)
        await ref.tell(2)
        assert not mailbox.is_empty
        assert await received(mailbox) == [1, 2]
        assert mailbox.is_empty


async def test_without_mail_the_reader_waits_for_it(box: Box) -> None:
    ref, mailbox = box
    with anyio.fail_after(20), ref:
        reading = asyncio.ensure_future(received(mailbox))
        await wait_all_tasks_blocked()
        await ref.tell(1)
        assert await reading == [1]


async def test_a_time_without_mail_ends_with_an_empty_batch(box: Box) -> None:
    ref, mailbox = box
    with ref:
        assert await received(mailbox, timeout=0) == []


async def test_a_full_box_makes_senders_wait_and_loses_nothing(box: Box) -> None:
    ref, mailbox = box
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for number in range(7):
                group.start_soon(ref.tell, number)
            await wait_all_tasks_blocked()
            batches = [await received(mailbox) for _ in range(4)]
    assert batches == [[0, 1], [2, 3], [4, 5], [6]]
    ref.close()


async def test_a_cancelled_sender_of_a_full_box_has_sent_nothing(box: Box) -> None:
    ref, mailbox = box
    with anyio.fail_after(20), ref:
        await ref.tell(1)
        await ref.tell(2)
        with anyio.move_on_after(0):
            await ref.tell(3)
        assert await received(mailbox) == [1, 2]
        assert await received(mailbox, timeout=0) == []


async def test_a_handle_closes_once_and_is_of_no_use_afterwards(box: Box) -> None:
    ref, mailbox = box
    with ref:
        other = ref.clone()
        other.close()
        other.close()
        with pytest.raises(DefectError):
            other.clone()
        with pytest.raises(DefectError):
            await other.tell(1)
        await ref.tell(2)
        assert await received(mailbox) == [2]


async def test_the_last_handle_to_close_ends_the_actor_after_its_mail(box: Box) -> None:
    ref, mailbox = box
    other = ref.clone()
    with anyio.fail_after(20):
        ref.close()
        await other.tell(1)
        other.close()
        assert await received(mailbox) == [1]
        assert await received(mailbox) is None


async def test_closing_the_last_handle_wakes_a_reader_that_waits(box: Box) -> None:
    ref, mailbox = box
    with anyio.fail_after(20):
        reading = asyncio.ensure_future(received(mailbox))
        await wait_all_tasks_blocked()
        ref.close()
        assert await reading is None


async def test_an_asker_gets_the_answer_or_the_error_that_is_the_answer(box: Box) -> None:
    ref, mailbox = box
    with anyio.fail_after(20), ref:
        for answer in (7, None):
            asking = asyncio.ensure_future(ref.ask(1))
            ((_, address),) = await mailbox.receive() or []
            assert address is not None
            address.set(answer)
            address.set("the first answer stays")
            assert await asking == answer
        asking = asyncio.ensure_future(ref.ask(1))
        ((_, address),) = await mailbox.receive() or []
        assert address is not None
        address.set(DefectError("no"))
        with pytest.raises(DefectError, match="no"):
            await asking


@pytest.mark.parametrize("taken", [False, True])
async def test_a_dying_actor_answers_everyone_who_waits_and_everyone_who_comes(box: Box, taken: bool) -> None:
    ref, mailbox = box
    with anyio.fail_after(20), ref:
        asking = [asyncio.ensure_future(ref.ask(number)) for number in range(5)]
        await wait_all_tasks_blocked()
        if taken:
            await mailbox.receive()
        mailbox.fail(StoreError("disk full"))
        told = await asyncio.gather(*asking, return_exceptions=True)
        assert [(type(error), str(error)) for error in told] == [(StoreError, "disk full")] * 5
        for late in (ref.ask(1), ref.tell(1)):
            with pytest.raises(StoreError, match="disk full"):
                await late
        with ref.clone() as clone, pytest.raises(StoreError, match="disk full"):
            await clone.tell(1)
    assert str(ref.failure) == "disk full"


async def test_each_who_is_told_of_a_failure_gets_an_error_of_its_own_and_of_the_same_kind(box: Box) -> None:
    ref, mailbox = box
    with ref:
        mailbox.fail(HistoryChangedError("metrics.json was changed"))
        errors = []
        for _ in range(2):
            with pytest.raises(HistoryChangedError) as told:
                await ref.tell(1)
            errors.append(told.value)
    assert errors[0] is not errors[1]


async def test_an_actor_that_ended_without_an_error_takes_no_mail(box: Box) -> None:
    ref, mailbox = box
    with ref:
        mailbox.close()
        with pytest.raises(DefectError, match="open the manager again"):
            await ref.tell(1)
    assert ref.failure is None


async def test_a_handle_that_was_closed_is_of_no_use(box: Box) -> None:
    ref, mailbox = box
    ref.close()
    for use in (ref.tell(1), ref.ask(1)):
        with pytest.raises(DefectError):
            await use
    with pytest.raises(DefectError):
        ref.clone()
    mailbox.close()


@pytest.mark.parametrize("steps", range(6))
async def test_a_reader_that_is_cancelled_at_any_step_loses_no_mail(steps: int, box: Box) -> None:
    ref, mailbox = box
    with anyio.fail_after(20):
        reading = asyncio.ensure_future(received(mailbox))
        for _ in range(3):
            await checkpoint()
        await ref.tell(1)
        for _ in range(steps):
            await checkpoint()
        reading.cancel()
        await asyncio.wait({reading})
        found = await received(mailbox) if reading.cancelled() else reading.result()
    assert found == [1]


async def test_what_must_not_wait_is_delivered_even_into_a_full_box(box: Box) -> None:
    ref, mailbox = box
    assert [ref.try_tell(number) for number in (1, 2, 3)] == [True, True, False]
    ref.push(4)
    assert await received(mailbox) == [1, 2, 4]
    mailbox.close()
    with pytest.raises(DefectError):
        ref.push(5)
