"""The embedded manager with agents that work on real workers: their answers, their exceptions, and what is lost."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import fail_after
from distributed import Client

from orchestrator_py import (
    BuildInput,
    BuildResult,
    DaskExecutor,
    InputError,
    Outcome,
    PlanItem,
    PlanResult,
    RetryPolicy,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    RunSummary,
    SubtaskPolicy,
    TaskContext,
    TaskManager,
    TestInput,
    TestResult,
)
from tests.executors.cluster import Cluster, connected, running_cluster
from tests.stages.running import PATIENCE_SECONDS, until

TASK = TaskContext(id="t", title="T")


class OfTwoError(Exception):
    """Made of two values, and said in one: it cannot be made again from what it says."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class PrefixedError(Exception):
    """Made again from what it says, it says something else."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"bad: {problem}")


class Agent:
    """What a subtask is called says what its builder does; the process that did it stands in the notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def build(self, input: BuildInput) -> BuildResult:
        word, _, _ = input.target.id.partition("-")
        (self.folder / f"{input.target.id}-{input.attempt}").write_text(f"{os.getpid()}")
        if word == "raise":
            raise ValueError("no good")
        if word == "held":
            error = ValueError("no good")
            error.held = threading.Lock()  # type: ignore[attr-defined]  # as libraries do it
            raise error
        if word == "two":
            raise OfTwoError("this", "that")
        if word == "foreign":
            sys.path.insert(0, str(self.folder))
            raise import_module("only_there").ForeignError("no good")
        if word == "prefixed":
            raise PrefixedError("this")
        if word == "wait":
            await asyncio.sleep(1000)
        if word == "open":
            while not (self.folder / "go").exists():  # noqa: ASYNC110 - what opens it is in another process
                await asyncio.sleep(0.01)
        if word == "block":
            time.sleep(0.5)  # noqa: ASYNC251 - an agent may be badly behaved
        if word == "first" and input.attempt == 1:
            await asyncio.sleep(1000)
        return BuildResult(subtask_id=input.target.id, success=True, notes=str(os.getpid()))

    async def test(self, input: TestInput) -> TestResult:
        return TestResult(subtask_id=input.build.subtask_id, success=True)

    async def review(self, input: ReviewInput) -> ReviewResult:
        return ReviewResult(summary="read", decision=ReviewDecision(approved=not input.target.id.startswith("reject")))


class Plans:
    def __init__(self, names: Sequence[str], policy: SubtaskPolicy) -> None:
        self.names, self.policy = names, policy

    async def plan(self, _: TaskContext) -> PlanResult:
        return PlanResult(items=[PlanItem(id=name, description=name, policy=self.policy) for name in self.names])


def manager_of(client: Client | None, folder: Path, *names: str, policy: SubtaskPolicy | None = None) -> TaskManager:
    """Without a client the agents work here."""
    agent = Agent(folder)
    return TaskManager(
        planner=Plans(names, policy or SubtaskPolicy()),
        builder=agent,
        tester=agent,
        reviewer=agent,
        on_failure="continue",
        executor=None if client is None else DaskExecutor(client, grace=timedelta(seconds=5)),
    )


async def execute(client: Client | None, folder: Path, *names: str, policy: SubtaskPolicy | None = None) -> RunSummary:
    with fail_after(PATIENCE_SECONDS):
        async with manager_of(client, folder, *names, policy=policy) as manager:
            return await manager.execute(TASK)


def words(summary: RunSummary) -> dict[str, Outcome]:
    return {str(report.subtask_id): report.outcome for report in summary.subtasks}


async def test_agents_work_in_other_processes_and_their_words_count_as_they_do_here(client: Client, tmp_path: Path) -> None:
    summary = await execute(client, tmp_path, "fine", "raise", "reject", "block")
    assert words(summary) == {
        "fine": Outcome.SUCCEEDED,
        "raise": Outcome.FAILED,
        "reject": Outcome.REJECTED,
        "block": Outcome.SUCCEEDED,
    }
    notes = {build.subtask_id: str(build.notes) for build in summary.builds or ()}
    assert notes["raise"] == "Builder stage error: no good"
    assert notes["fine"] != str(os.getpid())


async def test_whatever_an_agent_raises_has_failed_with_the_words_that_it_has_here(client: Client, tmp_path: Path) -> None:
    names = ("raise", "held", "two", "prefixed")
    here, there = await execute(None, tmp_path, *names), await execute(client, tmp_path, *names)
    assert words(there) == words(here) == dict.fromkeys(names, Outcome.FAILED)
    assert [build.notes for build in there.builds or ()] == [build.notes for build in here.builds or ()]
    notes = {build.subtask_id: str(build.notes) for build in there.builds or ()}
    assert notes["held"] == notes["raise"] == "Builder stage error: no good"


async def test_an_exception_that_is_known_on_the_worker_alone_has_failed_with_its_words(client: Client, tmp_path: Path) -> None:
    (tmp_path / "only_there.py").write_text("class ForeignError(Exception): ...")
    summary = await execute(client, tmp_path, "foreign")
    assert words(summary) == {"foreign": Outcome.FAILED}
    assert summary.build.notes == "Builder stage error: no good"


async def test_an_agent_that_takes_too_long_is_cancelled_where_it_works(client: Client, tmp_path: Path) -> None:
    summary = await execute(client, tmp_path, "wait", "fine", policy=SubtaskPolicy(timeout=timedelta(seconds=1)))
    assert words(summary) == {"wait": Outcome.TIMED_OUT, "fine": Outcome.SUCCEEDED}


async def test_an_agent_whose_worker_is_killed_has_crashed(tmp_path: Path) -> None:
    with running_cluster(tmp_path / "dask", threads=1) as cluster:
        async with connected(cluster) as client, anyio.create_task_group() as group:
            summaries = []

            async def work() -> None:
                summaries.append(await execute(client, tmp_path, "wait"))

            group.start_soon(work)
            await until((tmp_path / "wait-1").exists)
            await until(lambda: bool((tmp_path / "wait-1").read_text()))
            os.kill(int((tmp_path / "wait-1").read_text()), signal.SIGKILL)
    assert words(summaries[0]) == {"wait": Outcome.CRASHED}
    assert "worker-lost" in str(summaries[0].build.notes)


async def test_an_agent_is_tried_again_on_another_worker_if_its_policy_says_so(tmp_path: Path) -> None:
    with running_cluster(tmp_path / "dask", threads=1) as cluster:
        async with connected(cluster) as client, anyio.create_task_group() as group:
            summaries = []
            policy = SubtaskPolicy(retry=RetryPolicy(max_attempts=2, on={Outcome.CRASHED}))

            async def work() -> None:
                summaries.append(await execute(client, tmp_path, "first", policy=policy))

            group.start_soon(work)
            await until(lambda: (tmp_path / "first-1").exists() and bool((tmp_path / "first-1").read_text()))
            os.kill(int((tmp_path / "first-1").read_text()), signal.SIGKILL)
    assert words(summaries[0]) == {"first": Outcome.SUCCEEDED}
    (report,) = summaries[0].subtasks
    assert [attempt.outcome for attempt in report.attempts] == [Outcome.CRASHED, Outcome.SUCCEEDED]
    assert report.attempts[0].loss is not None
    assert (tmp_path / "first-1").read_text() != (tmp_path / "first-2").read_text()


async def test_an_agent_that_cannot_be_sent_fails_the_subtask_and_says_why(client: Client, tmp_path: Path) -> None:
    class Unsendable(Agent):
        def __reduce__(self) -> str:
            raise TypeError("this agent stays at home")

    agent = Unsendable(tmp_path)
    plans = Plans(["fine"], SubtaskPolicy())
    async with TaskManager(planner=plans, builder=agent, tester=agent, reviewer=agent, executor=DaskExecutor(client)) as manager:
        summary = await manager.execute(TASK)
    assert words(summary) == {"fine": Outcome.FAILED}
    assert "stays at home" in str(summary.build.notes)


# One executor after another, and at the same time ------------------------------------------------------------------


async def test_an_executor_is_used_again_after_its_manager_has_closed(client: Client, tmp_path: Path) -> None:
    agent, executor = Agent(tmp_path), DaskExecutor(client)
    for attempt in range(3):
        plans = Plans([f"fine-{attempt}", f"block-{attempt}"], SubtaskPolicy())
        with fail_after(PATIENCE_SECONDS):
            async with TaskManager(planner=plans, builder=agent, tester=agent, reviewer=agent, executor=executor) as manager:
                assert set(words(await manager.execute(TASK)).values()) == {Outcome.SUCCEEDED}


async def test_an_executor_that_is_in_use_is_refused_and_takes_nothing_from_who_uses_it(client: Client, tmp_path: Path) -> None:
    agent, executor = Agent(tmp_path), DaskExecutor(client)
    async with TaskManager(
        planner=Plans(["fine"], SubtaskPolicy()), builder=agent, tester=agent, reviewer=agent, executor=executor
    ) as manager:
        for _ in range(2):
            with pytest.raises(InputError, match="in use already; give each manager a DaskExecutor of its own"):
                await executor.__aenter__()
        with fail_after(PATIENCE_SECONDS):
            assert words(await manager.execute(TASK)) == {"fine": Outcome.SUCCEEDED}


async def test_a_manager_that_closes_takes_nothing_from_another_one_with_the_same_client(client: Client, tmp_path: Path) -> None:
    async with manager_of(client, tmp_path, "open") as manager:
        running = asyncio.ensure_future(manager.execute(TASK))
        await until((tmp_path / "open-1").exists)
        assert words(await execute(client, tmp_path, "fine")) == {"fine": Outcome.SUCCEEDED}
        (tmp_path / "go").touch()
        with fail_after(PATIENCE_SECONDS):
            assert words(await running) == {"open": Outcome.SUCCEEDED}


async def test_an_executor_that_did_not_fit_may_be_tried_again(client: Client) -> None:
    executor = DaskExecutor(client, resources={"tpu": 1})
    for _ in range(2):
        with pytest.raises(InputError, match="No worker has 1 of the resource 'tpu'"):
            await executor.__aenter__()


# Which client ------------------------------------------------------------------------------------------------------


def test_a_client_with_a_loop_of_its_own_lends_its_scheduler_and_stays_open(cluster: Cluster, tmp_path: Path) -> None:
    with Client(cluster.address, set_as_default=False) as client:
        assert words(asyncio.run(execute(client, tmp_path, "fine", "block"))) == {"fine": Outcome.SUCCEEDED, "block": Outcome.SUCCEEDED}
        assert client.submit(os.getpid, pure=False).result() != os.getpid()


async def test_a_client_that_was_made_and_not_yet_awaited_is_used(cluster: Cluster, tmp_path: Path) -> None:
    client: Any = Client(cluster.address, asynchronous=True, set_as_default=False)
    summary = await execute(client, tmp_path, "fine")
    await client.close()
    assert words(summary) == {"fine": Outcome.SUCCEEDED}


async def test_a_client_that_is_closed_or_reaches_nobody_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    closed: Any = await Client(cluster.address, asynchronous=True, set_as_default=False)
    await closed.close()
    nobody: Any = Client("tcp://127.0.0.1:9", asynchronous=True, set_as_default=False, timeout=0.2)
    for client, problem in ((closed, "is closed"), (nobody, "cannot reach")):
        with pytest.raises(InputError, match=f"The client {problem}.*give one that is connected"):
            async with manager_of(client, tmp_path, "fine"):
                pass
