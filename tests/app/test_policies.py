"""What failures, needs, retries, time limits and stops do to a run, seen from the outside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from orchestrator_py.actors.mailbox import CAPACITY
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.model.events import AttemptFailed, Event
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy
from orchestrator_py.model.result import BuildInput, ReviewInput, TestInput
from orchestrator_py.model.summary import RunSummary, SubtaskReport
from orchestrator_py.model.task import PlanResult
from tests.app.agents import TASK, Crew, built, checked, forever, items, reviewed

SOON = timedelta(milliseconds=50)  # agents that do not wait are done before an event loop can even look at the time
NEVER = timedelta(hours=1)
GOOD: dict[str, Callable[..., Any]] = {"build": built, "test": checked, "review": reviewed}


def needing(*needs: str, **rest: Any) -> SubtaskPolicy:
    return SubtaskPolicy(needs=needs, **rest)


def words(summary: RunSummary) -> dict[str, str]:
    return {report.subtask_id: report.outcome.value for report in summary.subtasks}


def report_of(summary: RunSummary, subtask: str) -> SubtaskReport:
    return next(report for report in summary.subtasks if report.subtask_id == subtask)


async def run(crew: Crew, **options: Any) -> RunSummary:
    with anyio.fail_after(20):
        async with crew.manager(**options) as manager:
            return await manager.execute(TASK)


@asynccontextmanager
async def in_flight(crew: Crew, **options: Any) -> AsyncIterator[tuple[Any, list[RunSummary]]]:
    """The manager with one run in flight; leaving waits for its summary, which then stands in the list."""
    summaries: list[RunSummary] = []
    with anyio.fail_after(20):
        async with crew.manager(**options) as manager, anyio.create_task_group() as group:

            async def execute() -> None:
                summaries.append(await manager.execute(TASK))

            group.start_soon(execute)
            await wait_all_tasks_blocked()
            yield manager, summaries


def failing(*names: str) -> Any:
    async def build(input: BuildInput) -> object:
        return built(input, success=input.target.id not in names)

    return build


# Between subtasks ---------------------------------------------------------------------------------------------------


async def test_stop_starts_nothing_new_and_lets_running_ones_finish() -> None:
    gate = anyio.Event()

    async def build(input: BuildInput) -> object:
        await crew.started("b").wait()
        if input.target.id == "b":
            await gate.wait()
        return built(input, success=input.target.id != "a")

    crew = Crew(items("a", "b", "c"), on_build=build)
    async with in_flight(crew, max_concurrency=2) as (_, summaries):
        gate.set()
    assert words(summaries[0]) == {"a": "failed", "b": "succeeded", "c": "cancelled"}
    assert summaries[0].outcome is Outcome.FAILED
    assert report_of(summaries[0], "c").cause == StopCause(StopKind.FAILURE_POLICY, "a failed")
    assert ("build", "c") not in crew.calls


async def test_cancel_also_ends_running_ones() -> None:
    async def build(input: BuildInput) -> object:
        await crew.started("b").wait()
        return await forever(input) if input.target.id == "b" else built(input, success=False)

    crew = Crew(items("a", "b", "c"), on_build=build)
    summary = await run(crew, max_concurrency=2, on_failure="cancel")
    assert words(summary) == {"a": "failed", "b": "cancelled", "c": "cancelled"}
    assert summary.outcome is Outcome.FAILED
    assert summary.build.subtask_id == "a"
    assert report_of(summary, "b").started
    assert report_of(summary, "b").build is not None


async def test_cancel_also_ends_those_whose_start_is_still_waiting_to_be_told() -> None:
    async def build(input: BuildInput) -> object:
        if input.target.id != "s0":
            return await forever(input)
        await crew.started("s1").wait()
        return built(input, success=False)

    crew = Crew(items(*(f"s{number}" for number in range(CAPACITY + 100))), on_build=build)
    summary = await run(crew, max_concurrency=CAPACITY + 100, on_failure="cancel")
    assert summary.outcome is Outcome.FAILED
    assert {report.outcome for report in summary.subtasks[1:]} == {Outcome.CANCELLED}


async def test_continue_runs_everything_whose_needs_succeeded() -> None:
    plan = items("a", "b", "c", "d", b=needing("a"), c=needing("b"))
    summary = await run(Crew(plan, on_build=failing("a")), on_failure="continue")
    assert words(summary) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "succeeded"}
    assert {report_of(summary, name).skip_reason for name in "bc"} == {SkipReason.UPSTREAM}
    assert summary.outcome is Outcome.FAILED


async def test_what_was_skipped_for_a_failure_is_no_cancel_under_stop() -> None:
    plan = items("a", "b", "c", b=needing("a"))
    summary = await run(Crew(plan, on_build=failing("a")), max_concurrency=1)
    assert words(summary) == {"a": "failed", "b": "skipped", "c": "cancelled"}


async def test_needs_order_the_work() -> None:
    crew = Crew(items("a", "b", "c", a=needing("c"), b=needing("a", "c", "a")))
    assert (await run(crew)).outcome is Outcome.SUCCEEDED
    assert [name for stage, name in crew.calls if stage == "build"] == ["c", "a", "b"]


async def test_a_waived_failure_satisfies_those_that_need_it_and_stays_visible() -> None:
    plan = items("a", "b", a=SubtaskPolicy(allow_failure=True), b=needing("a"))
    summary = await run(Crew(plan, on_build=failing("a")))
    assert words(summary) == {"a": "failed", "b": "succeeded"}
    assert report_of(summary, "a").waived
    assert summary.outcome is Outcome.SUCCEEDED
    assert summary.build.subtask_id == "b"


async def test_the_top_level_of_a_success_is_not_a_waived_failure() -> None:
    plan = items("a", "b", b=SubtaskPolicy(allow_failure=True))
    summary = await run(Crew(plan, on_build=failing("b")))
    assert summary.outcome is Outcome.SUCCEEDED
    assert (summary.build.subtask_id, summary.build.success) == ("a", True)
    assert summary.group is not None
    assert [entry.status for entry in summary.group.entries] == ["succeeded", "failed"]


async def test_a_cancel_is_never_waived() -> None:
    plan = items("a", a=SubtaskPolicy(allow_failure=True))
    async with in_flight(Crew(plan, on_build=forever)) as (manager, summaries):
        manager.stop()
    assert summaries[0].outcome is Outcome.CANCELLED
    assert not summaries[0].subtasks[0].waived


async def test_a_rejected_review_gates_nothing_and_decides_at_the_end() -> None:
    async def review(input: ReviewInput) -> object:
        return reviewed(input, approved=input.target.id != "a")

    summary = await run(Crew(items("a", "b", b=needing("a")), on_review=review), max_concurrency=1)
    assert words(summary) == {"a": "rejected", "b": "succeeded"}
    assert summary.outcome is Outcome.REJECTED
    assert summary.build.subtask_id == "a"


async def test_a_reviewer_that_raises_is_a_crash_and_never_a_no() -> None:
    async def review(_: ReviewInput) -> object:
        raise ValueError("away")

    summary = await run(Crew(items("a", "b", b=needing("a")), on_review=review), max_concurrency=1)
    assert words(summary) == {"a": "crashed", "b": "crashed"}
    assert summary.review.summary == "Reviewer stage error: away"


# Retries ------------------------------------------------------------------------------------------------------------


def retrying(attempts: int, **rest: Any) -> SubtaskPolicy:
    return SubtaskPolicy(retry=RetryPolicy(max_attempts=attempts, **rest))


async def test_the_last_attempt_decides_and_a_late_success_is_marked_flaky() -> None:
    events: list[Event] = []

    async def build(input: BuildInput) -> object:
        return built(input, success=input.attempt == 3)

    crew = Crew(items("a", "b", a=retrying(3), b=needing("a", retry=RetryPolicy(max_attempts=3))), on_build=build)
    with anyio.fail_after(20):
        async with crew.manager() as manager:
            manager.subscribe(events.append)
            summary = await manager.execute(TASK)
    assert words(summary) == {"a": "succeeded", "b": "succeeded"}
    assert summary.outcome is Outcome.SUCCEEDED
    assert report_of(summary, "a").flaky
    assert [attempt.outcome.value for attempt in report_of(summary, "a").attempts] == ["failed", "failed", "succeeded"]
    assert [(event.subtask_id, event.attempt.number) for event in events if isinstance(event, AttemptFailed)] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("b", 2),
    ]
    assert summary.group is not None
    assert (summary.group.size, summary.group.processed, len(summary.builds or ())) == (2, 2, 2)


async def test_attempts_are_used_up_and_the_failure_stays() -> None:
    crew = Crew(items("a", a=retrying(2)), on_build=failing("a"))
    summary = await run(crew)
    assert words(summary) == {"a": "failed"}
    assert crew.calls == [("build", "a"), ("build", "a")]
    assert not summary.subtasks[0].flaky


async def test_a_retry_follows_only_the_outcomes_that_the_policy_names() -> None:
    crew = Crew(items("a", a=retrying(5, on={Outcome.TIMED_OUT})), on_build=failing("a"))
    assert words(await run(crew)) == {"a": "failed"}
    assert len(crew.calls) == 1


async def test_a_stop_while_the_task_is_planned_keeps_all_of_it_from_starting() -> None:
    go_on = anyio.Event()

    async def plan(_: object) -> object:
        await go_on.wait()
        return PlanResult(items=items("a", "b"))

    crew = Crew(on_plan=plan)
    async with in_flight(crew) as (manager, summaries):
        manager.stop("enough")
        go_on.set()
    assert words(summaries[0]) == {"a": "cancelled", "b": "cancelled"}
    assert (summaries[0].outcome, str(summaries[0].cause)) == (Outcome.CANCELLED, "embedder: enough")
    assert crew.calls == []
    summary = await run(crew)  # it was meant for those that were there
    assert summary.outcome is Outcome.SUCCEEDED


async def test_a_cancelled_attempt_is_not_repeated() -> None:
    crew = Crew(items("a", a=retrying(5)), on_build=forever)
    async with in_flight(crew) as (manager, summaries):
        manager.stop()
    assert words(summaries[0]) == {"a": "cancelled"}
    assert crew.calls == [("build", "a")]


async def test_a_stop_while_waiting_for_a_retry_keeps_the_failure() -> None:
    crew = Crew(items("a", a=retrying(5, backoff=NEVER)), on_build=failing("a"))
    async with in_flight(crew) as (manager, summaries):
        manager.stop()
    assert words(summaries[0]) == {"a": "failed"}
    assert summaries[0].outcome is Outcome.FAILED
    assert len(crew.calls) == 1


# Time limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["build", "test", "review"])
async def test_an_agent_that_hangs_is_timed_out_and_named(stage: str) -> None:
    crew = Crew(items("a", a=SubtaskPolicy(timeout=SOON)))
    setattr(crew, f"on_{stage}", forever)
    summary = await run(crew)
    assert words(summary) == {"a": "timed_out"}
    assert summary.subtasks[0].cause == StopCause(StopKind.TIMEOUT, "0.05 s")
    notes = {"build": summary.build.notes, "test": (summary.test.reports or (None,))[0], "review": summary.review.summary}
    assert "stage timed out (0.05 s)." in str(notes[stage])


async def test_each_attempt_has_its_own_time() -> None:
    async def build(input: BuildInput) -> object:
        return await forever(input) if input.attempt < 3 else built(input)

    summary = await run(Crew(items("a", a=SubtaskPolicy(timeout=SOON, retry=RetryPolicy(max_attempts=3))), on_build=build))
    assert words(summary) == {"a": "succeeded"}
    assert [attempt.outcome.value for attempt in summary.subtasks[0].attempts] == ["timed_out", "timed_out", "succeeded"]


async def ignore_the_end(input: Any) -> None:
    """Waits until it is cancelled, and takes no notice."""
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        return  # swallowed on purpose: this is the agent that must not be trusted


@pytest.mark.parametrize("stage", ["build", "test", "review"])
async def test_an_agent_that_ignores_its_end_and_answers_well_has_timed_out_nevertheless(stage: str) -> None:
    async def build(input: BuildInput) -> object:
        await ignore_the_end(input)
        return built(input)

    async def test(input: TestInput) -> object:
        await ignore_the_end(input)
        return checked(input)

    async def review(input: ReviewInput) -> object:
        await ignore_the_end(input)
        return reviewed(input)

    crew = Crew(items("a", a=SubtaskPolicy(timeout=SOON)))
    setattr(crew, f"on_{stage}", {"build": build, "test": test, "review": review}[stage])
    summary = await run(crew)
    assert words(summary) == {"a": "timed_out"}
    assert crew.calls[-1] == (stage, "a"), "nothing is started after the end was asked for"
    data: Any = to_json(summary)
    assert not (data["build"]["success"] and data["test"]["success"] and data["review"]["decision"]["approved"])


async def test_an_agent_that_raises_when_it_is_ended_was_ended_by_us() -> None:
    async def build(input: BuildInput) -> object:
        await ignore_the_end(input)
        raise OSError("cleaning up failed")

    async with in_flight(Crew(items("a"), on_build=build)) as (manager, summaries):
        manager.stop("enough")
    assert words(summaries[0]) == {"a": "cancelled"}
    assert summaries[0].build.notes == "Builder stage error: cleaning up failed"


# Which cause was first ----------------------------------------------------------------------------------------------


async def test_a_stop_after_the_deadline_leaves_it_timed_out() -> None:
    ended = anyio.Event()

    async def build(input: BuildInput) -> object:
        await ignore_the_end(input)
        ended.set()
        with anyio.CancelScope(shield=True):
            await gate.wait()
        return built(input)

    gate = anyio.Event()
    events: list[Event] = []
    crew = Crew(items("a", a=SubtaskPolicy(timeout=SOON, retry=RetryPolicy(max_attempts=3))), on_build=build)
    async with in_flight(crew) as (manager, summaries):
        manager.subscribe(events.append)
        await ended.wait()
        manager.stop()
        gate.set()
    assert words(summaries[0]) == {"a": "timed_out"}
    assert crew.calls == [("build", "a")]
    assert [event for event in events if isinstance(event, AttemptFailed)] == [], "no other attempt followed"


async def test_a_deadline_after_a_stop_leaves_it_cancelled() -> None:
    async def build(input: BuildInput) -> object:
        await ignore_the_end(input)
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.02)  # beyond the deadline, which has to be a real one here
        return built(input)

    crew = Crew(items("a", a=SubtaskPolicy(timeout=timedelta(milliseconds=10))), on_build=build)
    with anyio.fail_after(20):
        async with crew.manager() as manager, anyio.create_task_group() as group:

            async def stop_at_once() -> None:
                await crew.started("a").wait()
                manager.stop()

            group.start_soon(stop_at_once)
            summary = await manager.execute(TASK)
    assert words(summary) == {"a": "cancelled"}
    assert summary.cause == StopCause(StopKind.EMBEDDER, "stop was called")


async def test_of_two_stops_the_first_is_named() -> None:
    async with in_flight(Crew(items("a", "b"), on_build=forever), max_concurrency=1) as (manager, summaries):
        manager.stop("first")
        manager.stop("second")
    assert {report.cause for report in summaries[0].subtasks} == {StopCause(StopKind.EMBEDDER, "first")}


async def test_a_subtask_that_ended_before_the_stop_keeps_its_success() -> None:
    async def build(input: BuildInput) -> object:
        return await forever(input) if input.target.id == "b" else built(input)

    async with in_flight(Crew(items("a", "b"), on_build=build)) as (manager, summaries):
        manager.stop()
    assert words(summaries[0]) == {"a": "succeeded", "b": "cancelled"}
    assert summaries[0].build.subtask_id == "b"
    assert summaries[0].build.notes == "Builder stage cancelled (stop was called)."


async def test_an_agent_may_stop_its_own_run_and_does_not_read_as_a_success() -> None:
    async def build(input: BuildInput) -> object:
        manager.stop()
        return built(input)

    crew = Crew(items("a", "b"), on_build=build)
    with anyio.fail_after(20):
        async with crew.manager(max_concurrency=1) as manager:
            summary = await manager.execute(TASK)
    assert words(summary) == {"a": "cancelled", "b": "cancelled"}
    assert crew.calls == [("build", "a")]
    assert (summary.build.success, summary.test.success) == (True, False)


# Agents that misbehave ----------------------------------------------------------------------------------------------


async def test_an_agent_that_cancels_itself_fails_and_harms_nobody_else() -> None:
    async def build(input: BuildInput) -> object:
        if input.target.id == "a":
            raise anyio.get_cancelled_exc_class()
        await checkpoint()
        return built(input)

    summary = await run(Crew(items("a", "b", "c"), on_build=build), on_failure="continue")
    assert words(summary) == {"a": "failed", "b": "succeeded", "c": "succeeded"}
    assert "cancellation that nobody asked for" in str(summary.build.notes)


@pytest.mark.parametrize("answer", [None, "yes", 7, {"success": True}, object(), [], built])
@pytest.mark.parametrize("stage", ["build", "test", "review"])
async def test_nonsense_from_an_agent_crashes_its_subtask_alone(stage: str, answer: object) -> None:
    async def nonsense(input: Any) -> object:
        if input.target.id == "a":
            return answer
        return GOOD[stage](input)

    crew = Crew(items("a", "b"))
    setattr(crew, f"on_{stage}", nonsense)
    summary = await run(crew, on_failure="continue")
    assert words(summary) == {"a": "crashed", "b": "succeeded"}
    assert summary.outcome is Outcome.CRASHED


@pytest.mark.parametrize("stage", ["build", "test", "review"])
async def test_an_answer_that_no_summary_could_hold_crashes_its_subtask_alone(stage: str) -> None:
    async def unprintable(input: Any) -> object:
        result = GOOD[stage](input)
        extra: dict[str, object] = {"held": {1, 2}} if input.target.id == "a" else {"held": [1, 2]}
        return type(result)(**{name: getattr(result, name) for name in result.__slots__ if name != "__weakref__"} | {"extra": extra})

    crew = Crew(items("a", "b"))
    setattr(crew, f"on_{stage}", unprintable)
    summary = await run(crew, on_failure="continue")
    assert words(summary) == {"a": "crashed", "b": "succeeded"}
    assert "JSON cannot hold a value of type set" in str(to_json(summary))


def leaving_a_scope_open(then: Callable[[BuildInput], Any]) -> Any:
    async def build(input: BuildInput) -> object:
        if input.target.id == "a":
            anyio.CancelScope().__enter__()
        return await then(input)

    return build


async def built_at_once(input: BuildInput) -> object:
    await checkpoint()
    return built(input)


@pytest.mark.parametrize("lanes", [1, 3])
async def test_an_agent_that_leaves_a_scope_open_takes_nobody_s_verdict(lanes: int, caplog: pytest.LogCaptureFixture) -> None:
    crew = Crew(items("a", "b", "c"), on_build=leaving_a_scope_open(built_at_once))
    summary = await run(crew, on_failure="continue", max_concurrency=lanes)
    assert words(summary) == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    assert summary.outcome is Outcome.SUCCEEDED
    assert "left a cancel scope open" in caplog.text


@pytest.mark.parametrize("lanes", [1, 3])
async def test_where_a_scope_of_ours_stands_around_it_that_is_its_failure_alone(lanes: int) -> None:
    limited = SubtaskPolicy(timeout=NEVER)
    crew = Crew(items("a", "b", "c", a=limited, b=limited, c=limited), on_build=leaving_a_scope_open(built_at_once))
    summary = await run(crew, on_failure="continue", max_concurrency=lanes)
    assert words(summary) == {"a": "failed", "b": "succeeded", "c": "succeeded"}
    assert "cancel scope" in str(summary.build.notes)
    assert isinstance(report_of(summary, "a").error, RuntimeError)


@pytest.mark.parametrize("limit", [None, NEVER])
@pytest.mark.parametrize("lanes", [1, 3])
async def test_a_stop_ends_an_agent_that_has_left_a_scope_open(lanes: int, limit: timedelta | None) -> None:
    limited = SubtaskPolicy(timeout=limit)
    crew = Crew(items("a", "b", "c", a=limited, b=limited, c=limited), on_build=leaving_a_scope_open(forever))
    async with in_flight(crew, max_concurrency=lanes) as (manager, summaries):
        manager.stop("enough")
    assert words(summaries[0]) == {"a": "cancelled", "b": "cancelled", "c": "cancelled"}
    assert summaries[0].cause == StopCause(StopKind.EMBEDDER, "enough")


async def pending(task: "asyncio.Task[Any]") -> None:
    task.cancel()


async def swallowed(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


async def pending_twice_and_raising(task: "asyncio.Task[Any]") -> None:
    await swallowed(task)
    task.cancel()
    raise OSError("lost")


@pytest.mark.parametrize("leave", [pending, swallowed, pending_twice_and_raising])
@pytest.mark.parametrize("stage", ["build", "test", "review"])
@pytest.mark.parametrize("lanes", [1, 3])
async def test_a_cancellation_that_an_agent_leaves_behind_reaches_no_other_one(lanes: int, stage: str, leave: Callable[..., Any]) -> None:
    async def answer(input: Any) -> object:
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await (leave(task) if input.target.id == "a" else checkpoint())
        return GOOD[stage](input)

    crew = Crew(items("a", "b", "c"))
    setattr(crew, f"on_{stage}", answer)
    summary = await run(crew, on_failure="continue", max_concurrency=lanes)
    word = "succeeded" if leave is not pending_twice_and_raising else "crashed" if stage == "review" else "failed"
    assert words(summary) == {"a": word, "b": "succeeded", "c": "succeeded"}


async def test_a_stop_that_comes_with_the_cancellation_that_an_agent_leaves_behind_is_not_lost() -> None:
    async def build(input: BuildInput) -> object:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        asyncio.get_running_loop().call_soon(manager.stop, "enough")
        return built(input)

    crew = Crew(items("a"), on_build=build, on_test=forever)
    with anyio.fail_after(20):
        async with crew.manager() as manager:
            summary = await manager.execute(TASK)
    assert words(summary) == {"a": "cancelled"}
    assert summary.cause == StopCause(StopKind.EMBEDDER, "enough")
