"""What a manager's time limit, resources and verdict rules do to a run, and how long pauses before retries are."""

from datetime import timedelta
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from orchestrator_py.errors import InputError, PlanError
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy
from orchestrator_py.model.result import BuildInput
from orchestrator_py.model.summary import RunSummary
from tests.app.agents import TASK, Crew, built, forever, items

SOON = timedelta(milliseconds=50)
TWICE = SubtaskPolicy(retry=RetryPolicy(max_attempts=2))


async def run(crew: Crew, **options: Any) -> RunSummary:
    with anyio.fail_after(20):
        async with crew.manager(**options) as manager:
            return await manager.execute(TASK)


async def second_time(input: BuildInput) -> object:
    return built(input, success=input.attempt > 1)


# The time of a run --------------------------------------------------------------------------------------------------


async def test_what_works_when_the_time_is_up_is_timed_out_and_the_rest_is_skipped_with_that_reason() -> None:
    async def build(input: BuildInput) -> object:
        return await forever(input) if input.target.id == "b" else built(input)

    plan = items("a", "b", "c", "d", d=SubtaskPolicy(needs=["b"]))
    summary = await run(Crew(plan, on_build=build), max_concurrency=1, timeout=SOON)
    a, b, c, d = summary.subtasks
    cause = StopCause(StopKind.TIMEOUT, "0.05 s for the whole run")
    assert (summary.outcome, summary.cause) == (Outcome.TIMED_OUT, cause)
    assert (a.outcome, a.cause) == (Outcome.SUCCEEDED, None)
    assert (b.outcome, b.cause) == (Outcome.TIMED_OUT, cause)
    assert (c.outcome, c.skip_reason, c.cause) == (Outcome.SKIPPED, SkipReason.DEADLINE, cause)
    assert (d.outcome, d.skip_reason) == (Outcome.SKIPPED, SkipReason.UPSTREAM)
    assert summary.build.notes == "Builder stage timed out (0.05 s for the whole run)."


async def test_a_subtask_that_may_fail_does_not_excuse_that_the_time_of_the_run_was_up() -> None:
    lenient = SubtaskPolicy(allow_failure=True)
    summary = await run(Crew(items("a", a=lenient), on_build=forever), timeout=SOON)
    assert (summary.outcome, summary.subtasks[0].waived) == (Outcome.TIMED_OUT, False)
    own = SubtaskPolicy(allow_failure=True, timeout=SOON)
    summary = await run(Crew(items("a", a=own), on_build=forever), timeout=timedelta(hours=1))
    assert (summary.outcome, summary.subtasks[0].waived) == (Outcome.SUCCEEDED, True)


async def test_time_that_is_up_during_a_pause_hides_no_failure() -> None:
    patient = SubtaskPolicy(retry=RetryPolicy(max_attempts=2, backoff=timedelta(hours=1)))
    summary = await run(Crew(items("a", "b", a=patient), on_build=second_time), max_concurrency=1, timeout=SOON)
    assert [report.outcome for report in summary.subtasks] == [Outcome.FAILED, Outcome.SKIPPED]
    assert summary.outcome is Outcome.FAILED


async def test_a_run_that_only_kept_something_from_starting_is_no_success() -> None:
    """The second one waits for a resource that the first gives back too late."""

    async def build(input: BuildInput) -> object:
        with anyio.CancelScope(shield=True):  # an agent that does not let itself be disturbed
            await gate.wait()
        return built(input)

    gate = anyio.Event()
    shared = SubtaskPolicy(resources=["r"])
    crew = Crew(items("a", "b", a=shared, b=shared), on_build=build)
    async with crew.manager(timeout=SOON, resources={"r": 1}) as manager, anyio.create_task_group() as group:
        manager.subscribe(lambda event: gate.set() if type(event).__name__ == "RunStopping" else None)
        summaries: list[RunSummary] = []

        async def execute() -> None:
            summaries.append(await manager.execute(TASK))

        group.start_soon(execute)
    assert [report.outcome for report in summaries[0].subtasks] == [Outcome.TIMED_OUT, Outcome.SKIPPED]
    assert summaries[0].outcome is Outcome.TIMED_OUT


async def test_a_run_that_ends_in_time_is_not_touched_by_its_limit() -> None:
    summary = await run(Crew(items("a", "b")), timeout=timedelta(hours=1))
    assert (summary.outcome, summary.cause) == (Outcome.SUCCEEDED, None)


# Resources ----------------------------------------------------------------------------------------------------------


async def test_who_shares_a_resource_never_works_at_the_same_time_not_even_between_attempts() -> None:
    working: set[str] = set()

    async def build(input: BuildInput) -> object:
        assert not working - {input.target.id}
        working.add(input.target.id)
        await checkpoint()
        if input.attempt == 2:
            working.remove(input.target.id)
        return built(input, success=input.attempt == 2)

    shared = SubtaskPolicy(resources=["db"], retry=RetryPolicy(max_attempts=2))
    summary = await run(Crew(items("a", "b", "c", a=shared, b=shared, c=shared), on_build=build), resources={"db": 1})
    assert summary.outcome is Outcome.SUCCEEDED


async def test_a_resource_of_which_there_is_none_is_told_before_anything_starts() -> None:
    crew = Crew(items("a", a=SubtaskPolicy(resources=["prot"])))
    with pytest.raises(PlanError, match=r"'a' names the resource 'prot', of which there is none; did you mean 'port'\?"):
        await run(crew, resources={"port": 1})
    assert crew.calls == []


# Verdict rules ------------------------------------------------------------------------------------------------------


async def test_a_strict_manager_waives_nothing_and_still_runs_what_needs_it() -> None:
    async def build(input: BuildInput) -> object:
        return built(input, success=input.target.id != "a")

    plan = items("a", "b", a=SubtaskPolicy(allow_failure=True), b=SubtaskPolicy(needs=["a"]))
    lenient, strict = [await run(Crew(plan, on_build=build), strict=rule) for rule in (False, True)]
    assert (lenient.outcome, strict.outcome) == (Outcome.SUCCEEDED, Outcome.FAILED)
    assert strict.subtasks[1].outcome is Outcome.SUCCEEDED
    assert strict.build.subtask_id == "a"


async def test_a_flaky_success_counts_as_failed_if_the_manager_says_so() -> None:
    lenient, severe = [await run(Crew(items("a", a=TWICE), on_build=second_time), fail_on_flaky=rule) for rule in (False, True)]
    assert (lenient.outcome, severe.outcome) == (Outcome.SUCCEEDED, Outcome.FAILED)
    assert severe.subtasks[0].outcome is Outcome.SUCCEEDED
    assert (severe.build.success, severe.build.notes) == (False, "Succeeded only at attempt 2: flaky, which counts as failed.")


# Pauses -------------------------------------------------------------------------------------------------------------


async def test_each_pause_is_as_long_as_the_policy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    retry = RetryPolicy(max_attempts=4, backoff=timedelta(seconds=8), backoff_factor=2, max_backoff=timedelta(seconds=20))

    async def build(input: BuildInput) -> object:
        return built(input, success=False)

    summary = await run(Crew(items("a", a=SubtaskPolicy(retry=retry)), on_build=build))
    assert slept == [8, 16, 20]
    assert [attempt.number for attempt in summary.subtasks[0].attempts] == [1, 2, 3, 4]
    assert len(summary.subtasks) == 1


# What makes no sense ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 5}, "timeout is 5; give a timedelta of more than nothing, or None."),
        ({"timeout": timedelta()}, "timeout is datetime.timedelta(0); give a timedelta"),
        ({"resources": {"db": 0}}, "resources['db'] is 0; give a whole number from 1."),
        ({"resources": ["db"]}, "give a mapping of names to whole numbers from 1."),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_the_remedy(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        Crew().manager(**options)
    assert words in str(refusal.value)
