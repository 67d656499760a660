"""Followers of a manager's events: complete, in order, and without any power over the verdict."""

import asyncio
import gc
import logging

import anyio
import pytest
from anyio import wait_all_tasks_blocked

from orchestrator_py.actors.event_stream import WAITING_EVENTS, EventStream
from orchestrator_py.model.events import Event, RunCompleted, RunStarted, SubtaskFinished
from orchestrator_py.model.outcome import Outcome
from tests.app.agents import TASK, Crew, items


async def test_the_events_of_a_run_are_numbered_without_a_gap_and_end_in_its_verdict() -> None:
    with anyio.fail_after(20):
        async with Crew(items("a", "b", "c")).manager() as manager:
            stream = manager.events()
            summaries = [await manager.execute(TASK) for _ in range(2)]
        events = [event async for event in stream]
    for summary in summaries:
        own = [event for event in events if event.run_id == summary.run_id]
        assert [event.seq for event in own] == list(range(1, len(own) + 1))
        assert isinstance(own[0], RunStarted)
        assert isinstance(own[-1], RunCompleted)
        assert own[-1].summary == summary


async def test_every_planned_subtask_has_one_end() -> None:
    ends: list[Event] = []
    with anyio.fail_after(20):
        async with Crew(items("a", "b", "c")).manager(max_concurrency=1) as manager:
            manager.subscribe(ends.append)
            await manager.execute(TASK)
    finished = [event for event in ends if isinstance(event, SubtaskFinished)]
    assert sorted(event.report.subtask_id for event in finished) == ["a", "b", "c"]
    assert [event.done for event in finished] == [1, 2, 3]


@pytest.mark.parametrize("error", [ValueError(), pytest.fail.Exception("no"), asyncio.CancelledError(), GeneratorExit()], ids=repr)
async def test_a_subscriber_that_raises_is_logged_and_changes_no_verdict(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def broken(event: Event) -> None:
        raise error

    with anyio.fail_after(20), caplog.at_level(logging.ERROR, "orchestrator_py"):
        async with Crew(items("a")).manager() as manager:
            manager.subscribe(broken)
            manager.subscribe(seen.append)
            summary = await manager.execute(TASK)
    assert summary.outcome is Outcome.SUCCEEDED
    assert isinstance(seen[-1], RunCompleted)
    assert "an event subscriber raised" in caplog.text


async def test_who_unsubscribes_hears_nothing_more_and_takes_nobody_along() -> None:
    seen: list[Event] = []
    with anyio.fail_after(20):
        async with Crew(items("a")).manager() as manager:
            first, second = manager.subscribe(seen.append), manager.subscribe(seen.append)
            first()
            first()
            await manager.execute(TASK)
            heard = len(seen)
            second()
            await manager.execute(TASK)
    assert heard == len({event.seq for event in seen}) == len(seen) > 0


async def test_a_reader_that_is_too_slow_loses_the_oldest_and_sees_the_gap() -> None:
    stream = EventStream()
    with anyio.fail_after(20):
        async with Crew(items("a")).manager() as manager:
            example: list[Event] = []
            manager.subscribe(example.append)
            await manager.execute(TASK)
        for number in range(WAITING_EVENTS + 3):
            stream.publish(
                RunStarted(
                    seq=number, timestamp=example[0].timestamp, task_id=TASK.id, run_id=example[0].run_id, pipeline_id="p", planned=0
                )
            )
        stream.close()
        numbers = [event.seq async for event in stream]
    assert numbers == list(range(3, WAITING_EVENTS + 3))


async def test_a_stream_that_its_reader_left_is_forgotten() -> None:
    with anyio.fail_after(20):
        async with Crew(items("a")).manager() as manager:
            async with anyio.create_task_group() as group:
                group.start_soon(manager.execute, TASK)
                async for event in manager.events():
                    if isinstance(event, RunStarted):
                        break
            gc.collect()
            assert [stream for stream in gc.get_objects() if isinstance(stream, EventStream)] == []
            assert (await manager.execute(TASK)).outcome is Outcome.SUCCEEDED


async def test_several_tasks_may_read_one_stream() -> None:
    seen: list[int] = []

    async def read(stream: EventStream) -> None:
        seen.extend([event.seq async for event in stream])

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group, Crew(items("a")).manager() as manager:
            stream = manager.events()
            group.start_soon(read, stream)
            group.start_soon(read, stream)
            await wait_all_tasks_blocked()
            await manager.execute(TASK)
    assert sorted(seen) == list(range(1, len(seen) + 1))
    assert seen


async def test_a_stream_of_a_manager_that_has_closed_is_empty() -> None:
    with anyio.fail_after(20):
        async with Crew(items("a")).manager() as manager:
            await manager.execute(TASK)
        assert [event async for event in manager.events()] == []


async def test_a_manager_that_is_opened_again_has_news_again() -> None:
    manager = Crew(items("a")).manager()
    with anyio.fail_after(20):
        told = []
        for _ in range(2):
            async with manager:
                stream = manager.events()
                await manager.execute(TASK)
            told.append([type(event) async for event in stream])
    assert told[0] == told[1] != []
