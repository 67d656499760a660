"""A disk that cannot write: every run is told, nobody hangs, and what comes after works again."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest
from attrs import define, field

from orchestrator_py.actors.agents import Agents, RunRules
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.core.mode import default_mode
from orchestrator_py.core.run_opening import RunPaths, open_embedded
from orchestrator_py.core.schedule import Bounds
from orchestrator_py.errors import NotRecordedError, OrchestratorError, StoreError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.outcome import FailurePolicy, Outcome, StopCause, StopKind
from orchestrator_py.model.task import PlanResult, TaskContext
from orchestrator_py.ports import HistoryStore, RunFiles
from orchestrator_py.store.run_files import MemoryRunFiles
from tests.app.agents import TASK, Crew, forever, items

STOP = StopCause(StopKind.EMBEDDER, "enough")
CALLS = ("open", "commit", "publish", "rest", "flush", "close")


@define(eq=False)
class Fault:
    """Raises at the n-th call of one method, once or from then on."""

    method: str
    number: int
    for_good: bool
    calls: int = 0
    fired: int = 0

    def pass_by(self, method: str) -> None:
        if method != self.method:
            return
        self.calls += 1
        if self.calls == self.number or (self.for_good and self.calls > self.number):
            self.fired += 1
            raise StoreError(f"/task-1: {method} failed; free some space.")


@define(eq=False)
class FaultyStore:
    """Keeps entries in memory; some call fails."""

    fault: Fault
    lines: list[bytes]

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        self.fault.pass_by("commit")
        self.lines += [entry.line for entry in entries]

    def publish(self) -> None:
        self.fault.pass_by("publish")

    def rest(self) -> None:
        self.fault.pass_by("rest")

    def flush(self) -> None:
        self.fault.pass_by("flush")

    def close(self) -> None:
        self.fault.pass_by("close")


@define(eq=False)
class FaultyService(RunService):
    """A service whose tasks are stored where some call fails."""

    fault: Fault = field(kw_only=True)
    lines: list[bytes] = field(factory=list, kw_only=True)

    def _in_memory(self, task_id: TaskId) -> tuple[Callable[[], HistoryStore], RunFiles]:
        def open_store() -> HistoryStore:
            self.fault.pass_by("open")
            return FaultyStore(self.fault, self.lines)

        return open_store, MemoryRunFiles()


async def execute(service: RunService, crew: Crew, run_id: str) -> Outcome | None:
    clock = RunClock(service.clock)
    opening = open_embedded(
        run_id=RunId(run_id),
        task=TASK,
        plan=PlanResult(items=tuple(crew.plan_items)),
        grouped=True,
        limit=2,
        pipeline_id="p",
        paths=RunPaths(artifact_root=run_id),
        started_at=clock.started_at,
        keep_summary=True,
    )
    agents = Agents(builder=crew, tester=crew, reviewer=crew)
    rules = RunRules(agents=agents, mode_policy=default_mode, bounds=Bounds(limit=2), on_failure=FailurePolicy.STOP, chance=lambda: 0.5)
    return (await service.wait(service.start(opening, rules, clock))).summary.outcome


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("method", CALLS)
async def test_whichever_call_of_the_store_fails_everybody_is_told_and_nobody_hangs(method: str, number: int, for_good: bool) -> None:
    fault = Fault(method, number, for_good)
    service = FaultyService(None, SystemClock(), fault=fault)
    told: list[object] = []
    with anyio.fail_after(20):
        try:
            async with service:
                for turn in range(3):
                    calls = (execute(service, Crew(items("a", "b", "c")), f"run-{turn}-{number}") for number in range(5))
                    told += await asyncio.gather(*calls, return_exceptions=True)
                    if method == "flush":
                        told += await asyncio.gather(service.flush(), return_exceptions=True)
        except StoreError as error:
            told.append(error)
    assert {answer for answer in told if not isinstance(answer, StoreError)} <= {Outcome.SUCCEEDED, None}
    acknowledged = [answer for answer in told if answer is Outcome.SUCCEEDED]
    assert len(service.lines) == len(acknowledged)
    failures = [answer for answer in told if isinstance(answer, StoreError)]
    if fault.fired:
        assert len(failures) >= (0 if method in ("publish", "rest") else 1)
        assert {str(failure).partition(" Run ")[0] for failure in failures} <= {f"/task-1: {method} failed; free some space."}
        assert all(failure.entry and failure.report for failure in failures if isinstance(failure, NotRecordedError))
    if fault.fired == 1 and not for_good and method in ("open", "commit") and number < 3:
        assert Outcome.SUCCEEDED in told, "the task is opened again for the next run"


async def test_a_store_that_fails_while_others_wait_for_their_work_tells_them_when_they_end() -> None:
    service = FaultyService(None, SystemClock(), fault=Fault("commit", 1, False))
    with anyio.fail_after(20):
        async with service:
            slow = Crew(items("a", "b"), on_build=forever)
            waiting = asyncio.ensure_future(execute(service, slow, "slow"))
            await slow.started("a").wait()
            with pytest.raises(StoreError, match="commit failed"):
                await execute(service, Crew(items("a")), "quick")
            assert await execute(service, Crew(items("a")), "later") is Outcome.SUCCEEDED
            service.stop(STOP)
            with pytest.raises(StoreError, match="commit failed"):
                await waiting
    assert len(service.lines) == 1


async def test_a_task_folder_that_is_a_file_is_named_and_harms_no_other_task(tmp_path: Path) -> None:
    (tmp_path / ".runs").mkdir()
    (tmp_path / ".runs" / "task-1").write_text("in the way")
    with anyio.fail_after(20):
        async with Crew(items("a")).manager(root=tmp_path) as manager:
            told = await asyncio.gather(*(manager.execute(TASK) for _ in range(3)), return_exceptions=True)
            assert (await manager.execute(TaskContext(id="healthy", title="T"))).outcome is Outcome.SUCCEEDED
            assert all(isinstance(answer, StoreError) and "task-1" in str(answer) for answer in told)
            (tmp_path / ".runs" / "task-1").unlink()
            assert (await manager.execute(TASK)).outcome is Outcome.SUCCEEDED
    assert len((tmp_path / ".runs" / "task-1" / "metrics.json").read_bytes().splitlines()) == 1


async def test_a_flush_that_fails_for_one_task_is_done_for_the_others(tmp_path: Path) -> None:
    async def work() -> None:
        async with Crew(items("a")).manager(root=tmp_path) as manager:
            for name in ("x", "y"):
                await manager.execute(TaskContext(id=name, title="T"))
            (tmp_path / ".runs" / "x" / ".writer.lock").unlink()
            with pytest.raises(StoreError, match="x"):
                await manager.flush()
            assert len((tmp_path / ".runs" / "y" / "metrics.json").read_bytes().splitlines()) == 1

    with anyio.fail_after(20), pytest.raises(StoreError):
        await work()


async def test_after_a_broken_store_a_new_manager_on_a_healthy_folder_works(tmp_path: Path) -> None:
    broken, healthy = tmp_path / "broken", tmp_path / "healthy"
    broken.write_text("in the way")
    crew = Crew(items("a"))
    with anyio.fail_after(20):
        with pytest.raises(StoreError):
            async with crew.manager(root=broken) as manager:
                await manager.execute(TASK)
        async with crew.manager(root=healthy) as manager:
            assert (await manager.execute(TASK)).outcome is Outcome.SUCCEEDED


async def test_a_manager_tells_of_a_broken_store_once_and_can_be_opened_again(tmp_path: Path) -> None:
    way = tmp_path / "way"
    way.write_text("in the way")
    manager = Crew(items("a")).manager(root=way)

    async def meet_the_problem() -> None:
        async with manager:
            with pytest.raises(StoreError):
                await manager.execute(TASK)

    with anyio.fail_after(20):
        with pytest.raises(StoreError):
            await meet_the_problem()
        way.unlink()
        async with manager:
            assert (await manager.execute(TaskContext(id="other", title="T"))).outcome is Outcome.SUCCEEDED


async def test_a_run_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / ".runs" / "task-1").mkdir(parents=True)
    (tmp_path / ".runs" / "task-1" / "taken").write_text("in the way")

    async def work() -> None:
        async with Crew(items("a")).manager(root=tmp_path, run_id_factory=lambda _: "taken") as manager:
            await manager.execute(TASK)

    with anyio.fail_after(20), pytest.raises(StoreError, match="taken"):
        await work()


def test_a_store_error_is_an_error_of_this_package() -> None:
    assert issubclass(StoreError, OrchestratorError)
