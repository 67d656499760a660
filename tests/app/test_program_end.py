"""What an agent raises that is no Exception fails its subtask alone; what ends the program does so when the run is on record."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from orchestrator_py.model.outcome import Outcome, StopKind
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy
from orchestrator_py.model.result import BuildInput
from tests.app.agents import TASK, Crew, built, checked, forever, items, reviewed

pytestmark = pytest.mark.anyio

GOOD: dict[str, Any] = {"build": built, "test": checked, "review": reviewed}
WORDS = {"build": "failed", "test": "failed", "review": "crashed"}


class Panic(BaseException):
    """As extension modules raise it."""


def crew_of(stage: str, names: tuple[str, ...], error: BaseException) -> Crew:
    """Each of three subtasks is at work in a lane of its own when the named ones raise."""
    missing, complete = {"a", "b", "c"}, anyio.Event()

    async def answer(input: Any) -> object:
        missing.discard(input.target.id)
        if not missing:
            complete.set()
        await complete.wait()
        if input.target.id in names:
            raise error
        return GOOD[stage](input)

    crew = Crew(items("a", "b", "c"))
    setattr(crew, f"on_{stage}", answer)
    return crew


def entries(root: Path) -> list[Any]:
    return [json.loads(line) for line in (root / ".runs" / TASK.id / "metrics.json").read_text().splitlines()]


@pytest.mark.parametrize(
    "error", [Panic("boom"), pytest.fail.Exception("boom"), BaseExceptionGroup("boom", [Panic(), ValueError()])], ids=repr
)
@pytest.mark.parametrize("names", [("a",), ("b", "c")])
@pytest.mark.parametrize("stage", ["build", "test", "review"])
async def test_what_is_no_exception_fails_its_subtask_alone(
    stage: str, names: tuple[str, ...], error: BaseException, tmp_path: Path
) -> None:
    with anyio.fail_after(20):
        async with crew_of(stage, names, error).manager(on_failure="continue", root=tmp_path) as manager:
            summary = await manager.execute(TASK)
    word = WORDS[stage]
    assert {report.subtask_id: report.outcome.value for report in summary.subtasks} == {
        name: word if name in names else "succeeded" for name in "abc"
    }
    assert [report.error for report in summary.subtasks if report.subtask_id in names] == [error] * len(names)
    assert summary.outcome is Outcome(word)
    assert [entry["status"] for entry in entries(tmp_path)] == ["failed"]


async def test_it_is_tried_again_as_every_failure_is() -> None:
    async def build(input: BuildInput) -> object:
        if input.attempt == 1:
            raise Panic("boom")
        return built(input)

    policy = SubtaskPolicy(retry=RetryPolicy(max_attempts=2))
    async with Crew(items("a", a=policy), on_build=build).manager() as manager:
        summary = await manager.execute(TASK)
    assert (summary.outcome, summary.subtasks[0].flaky) == (Outcome.SUCCEEDED, True)


async def test_a_planner_is_no_exception_to_that() -> None:
    async def plan(task: object) -> object:
        raise Panic("no plan")

    async with Crew(on_plan=plan).manager() as manager:
        summary = await manager.execute(TASK)
    assert (summary.outcome, summary.plan.notes) == (Outcome.FAILED, "Planner stage error: no plan")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["a", "b", "c"])
async def test_what_ends_the_program_leaves_execute_when_everything_is_on_record(
    name: str, kind: type[BaseException], tmp_path: Path
) -> None:
    error = kind(3)
    events: list[Any] = []
    crew = crew_of("build", (name,), error)
    crew.on_test = forever
    with anyio.fail_after(20):
        async with crew.manager(on_failure="continue", root=tmp_path) as manager:
            manager.subscribe(events.append)
            with pytest.raises(kind) as raised:
                await manager.execute(TASK)
            told = tuple(events)
    assert raised.value is error
    assert [entry["status"] for entry in entries(tmp_path)] == ["cancelled"]
    (summary,) = [event.summary for event in told if hasattr(event, "summary")]
    assert {report.outcome for report in summary.subtasks} == {Outcome.CANCELLED}
    assert (summary.cause.kind, summary.cause.detail) == (StopKind.EMBEDDER, f"{kind.__name__} was raised")


async def test_a_caller_that_was_cancelled_before_is_told_as_well() -> None:
    async def build(input: BuildInput) -> object:
        try:
            await anyio.sleep_forever()
        finally:
            raise SystemExit(3)

    crew = Crew(items("a"), on_build=build)

    async def execute() -> BaseException | None:
        try:
            await manager.execute(TASK)
        except BaseException as error:  # what ends the program has to get here, whatever it is
            return error
        return None

    with anyio.fail_after(20):
        async with crew.manager() as manager:
            caller = asyncio.create_task(execute())
            await crew.started("a").wait()
            caller.cancel()
            assert isinstance(await caller, SystemExit)


PROGRAM = """
import asyncio, sys
from tests.app.agents import TASK, Crew, built, forever, items
HOW = {"exit": lambda: sys.exit(3), "interrupt": lambda: exec("raise KeyboardInterrupt")}[sys.argv[1]]

async def build(input):
    if input.target.id == sys.argv[2]:
        await asyncio.sleep(0)
        HOW()
    return await forever(input)

def hear(event):
    if sys.argv[2] == type(event).__name__:
        HOW()

async def main():
    async with Crew(items("a", "b"), on_build=build).manager(root=sys.argv[3]) as manager:
        manager.subscribe(hear)
        await manager.execute(TASK)

asyncio.run(main())
"""


@pytest.mark.parametrize(("how", "code"), [("exit", 3), ("interrupt", -signal.SIGINT)])
@pytest.mark.parametrize("name", ["a", "b", "PlanCompleted"])
def test_the_program_ends_as_it_would_without_us_and_its_run_is_on_record(name: str, how: str, code: int, tmp_path: Path) -> None:
    program = [sys.executable, "-c", PROGRAM, how, name, str(tmp_path)]
    ended = subprocess.run(program, timeout=60, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    assert [entry["status"] for entry in entries(tmp_path)] == ["cancelled"]
    assert not list((tmp_path / ".runs" / TASK.id).glob("in-flight/*"))
