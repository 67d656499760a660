"""Many runs, tasks and managers at once: one aggregator for each task, nothing lost, nothing seen half-written."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py.app.run_service import IDLE_TASKS
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.json_text import pretty_json
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildInput
from orchestrator_py.model.task import TaskContext
from orchestrator_py.model.timestamp import Timestamp
from tests.app.agents import TASK, Crew, built, forever, items
from tests.cli.running import entries, run

ENOUGH = 120


@contextmanager
def foreign_reader(root: Path) -> Iterator[list[str]]:
    """Reads every visible file over and over in a thread of its own; the list holds what could not be parsed."""
    torn: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for path in root.rglob("*.json"):
                try:
                    data = path.read_bytes()
                except FileNotFoundError:
                    continue  # replaced between listing and reading
                for text in data.splitlines() if path.name == "metrics.json" else [data]:
                    try:
                        json.loads(text)
                    except ValueError as error:
                        torn.append(f"{path}: {error}")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield torn
    finally:
        done.set()
        reader.join()


async def test_two_hundred_runs_of_one_task_at_once_are_all_recorded_whole_and_once(tmp_path: Path) -> None:
    crew = Crew(items("a", "b"))
    with foreign_reader(tmp_path) as torn, anyio.fail_after(ENOUGH):
        async with crew.manager(root=tmp_path) as manager:
            done = await asyncio.gather(*(manager.execute(TASK) for _ in range(200)))
    assert torn == []
    task = tmp_path / ".runs" / "task-1"
    lines = (task / "metrics.json").read_bytes().splitlines()
    run_ids = {summary.run_id for summary in done}
    assert {json.loads(line)["run_id"] for line in lines} == run_ids
    assert len(lines) == len(run_ids) == 200
    assert {path.parent.name for path in task.glob("*/manifest.json")} == run_ids
    check_rollups(tmp_path, lines)


def check_rollups(root: Path, lines: list[bytes]) -> None:
    """The rollups on disk are what a recomputation from the whole history gives."""
    task, out = root / ".runs" / "task-1" / "metrics", root / "out" / "task-1"
    stamp = json.loads((task / "post-rollout.json").read_bytes())["updated_at"]
    again = rollup_of_history(lines).documents(baseline=None, updated_at=Timestamp(stamp))
    places = {
        task / "baseline.json": again.baseline,
        task / "post-rollout.json": again.post_rollout,
        task / "completeness.json": again.completeness,
        out / "metrics" / "mttr-delta.json": again.mttr_delta,
        out / "state.json": again.state,
    }
    for path, document in places.items():
        assert json.loads(path.read_bytes()) == to_json(document), path
    assert again.post_rollout is not None
    assert again.post_rollout.total_runs == len(lines)


async def test_several_managers_share_one_aggregator_and_one_lock(tmp_path: Path) -> None:
    crew = Crew(items("a"))
    queued: list[Path] = []
    with anyio.fail_after(ENOUGH):
        async with crew.manager(root=tmp_path) as one, crew.manager(root=tmp_path) as other, crew.manager(root=tmp_path) as third:
            for _ in range(5):
                await asyncio.gather(*(manager.execute(TASK) for manager in (one, other, third) for _ in range(4)))
                queued += (tmp_path / ".runs" / "task-1" / "metrics.pending").glob("*.jsonl")
            assert {task.get_name() for task in asyncio.all_tasks() if "aggregator" in task.get_name()} == {"aggregator of task-1"}
    assert queued == []
    assert len((tmp_path / ".runs" / "task-1" / "metrics.json").read_bytes().splitlines()) == 60


async def test_a_manager_that_closes_leaves_the_others_their_aggregator(tmp_path: Path) -> None:
    crew = Crew(items("a"))
    with anyio.fail_after(ENOUGH):
        async with crew.manager(root=tmp_path) as stays:
            async with crew.manager(root=tmp_path) as goes:
                await goes.execute(TASK)
            await stays.execute(TASK)
        async with crew.manager(root=tmp_path) as comes_later:
            await comes_later.execute(TASK)
    assert len((tmp_path / ".runs" / "task-1" / "metrics.json").read_bytes().splitlines()) == 3


async def test_a_name_that_comes_again_after_a_prune_is_recorded_and_takes_no_other_run_along(tmp_path: Path) -> None:
    """Another process removes the folders of the first run while the manager goes on."""
    slow = Crew(items("a"), on_build=forever)
    with anyio.fail_after(ENOUGH):
        async with (
            Crew(items("a")).manager(root=tmp_path, run_id_factory=lambda _: "nightly") as manager,
            slow.manager(root=tmp_path, run_id_factory=lambda _: "other") as other_manager,
        ):
            other = asyncio.ensure_future(other_manager.execute(TASK))
            await slow.started("a").wait()
            for _ in range(2):
                assert (await manager.execute(TASK)).outcome is Outcome.SUCCEEDED
                pruned = await asyncio.to_thread(run, tmp_path, "metrics", "prune", "--task", TASK.id, "--keep", "0")
                assert (pruned.code, (tmp_path / ".runs" / TASK.id / "nightly").exists()) == (0, False)
            assert (await manager.execute(TASK)).outcome is Outcome.SUCCEEDED
            other_manager.stop()
            assert (await other).outcome is Outcome.CANCELLED
    manifest = json.loads((tmp_path / ".runs" / TASK.id / "nightly" / "manifest.json").read_bytes())
    assert manifest["runId"] == "nightly"
    recorded = {str(entry["run_id"]): entry["status"] for entry in entries(tmp_path, TASK.id)}
    assert recorded == {"nightly": "succeeded", "other": "cancelled"}


@pytest.mark.parametrize("on_disk", [True, False])
async def test_more_tasks_than_are_kept_open_come_and_go_and_come_again(on_disk: bool, tmp_path: Path) -> None:
    tasks = [TaskContext(id=f"t{number}", title="T") for number in range(40)]
    crew = Crew(items("a"))
    with anyio.fail_after(ENOUGH):
        async with crew.manager(root=tmp_path if on_disk else None) as manager:
            for _ in range(2):
                done = await asyncio.gather(*(manager.execute(task) for task in tasks))
                assert {summary.outcome for summary in done} == {Outcome.SUCCEEDED}
                while len(aggregators := [task for task in asyncio.all_tasks() if "aggregator" in task.get_name()]) > IDLE_TASKS:
                    await asyncio.wait(aggregators, return_when=asyncio.FIRST_COMPLETED)  # those that were idle longest are leaving
    if on_disk:
        histories = [(tmp_path / ".runs" / task.id / "metrics.json").read_bytes().splitlines() for task in tasks]
        assert {len(history) for history in histories} == {2}


async def test_a_flush_shows_every_finished_run(tmp_path: Path) -> None:
    with anyio.fail_after(ENOUGH):
        async with Crew(items("a")).manager(root=tmp_path) as manager:
            await asyncio.gather(*(manager.execute(TaskContext(id=task, title="T")) for task in ("x", "y", "x")))
            await manager.flush()
            counts = {name: len((tmp_path / ".runs" / name / "metrics.json").read_bytes().splitlines()) for name in "xy"}
    assert counts == {"x": 2, "y": 1}


async def test_a_flush_goes_on_while_tasks_make_room_for_others(tmp_path: Path) -> None:
    tasks = [TaskContext(id=f"t{number}", title="T") for number in range(IDLE_TASKS + 20)]
    finished = False

    async def flush_again_and_again() -> None:
        while not finished:
            await manager.flush()
            await asyncio.sleep(0)

    def counts() -> set[int]:
        return {len((tmp_path / ".runs" / task.id / "metrics.json").read_bytes().splitlines()) for task in tasks}

    with anyio.fail_after(ENOUGH):
        async with Crew(items("a")).manager(root=tmp_path) as manager:
            flushing = asyncio.create_task(flush_again_and_again())
            for _ in range(2):
                await asyncio.gather(*(manager.execute(task) for task in tasks))
            finished = True
            await flushing
            await asyncio.gather(*(manager.execute(task) for task in tasks))
            await manager.flush()  # of those that are leaving, too
            assert counts() == {3}


# Order of completion, with the real thing --------------------------------------------------------------------------


async def play(order: tuple[str, ...], words: dict[str, str]) -> str:
    """The summary of a run whose subtasks end in this order."""
    gates = {name: anyio.Event() for name in words}

    async def build(input: BuildInput) -> object:
        await gates[input.target.id].wait()
        match words[input.target.id]:
            case "crashed":
                return None
            case "raised":
                raise OSError("disk full")
            case word:
                return built(input, success=word == "succeeded")

    policies = {name: SubtaskPolicy(allow_failure=word == "waived") for name, word in words.items()}
    crew = Crew(items(*words, **policies), on_build=build)
    with anyio.fail_after(ENOUGH):
        async with crew.manager(on_failure="continue", run_id_factory=lambda _: "run", clock=StandingClock()) as manager:
            call = asyncio.ensure_future(manager.execute(TASK))
            for name in words:
                await crew.started(name).wait()
            for name in order:  # whoever is woken first goes on first
                gates[name].set()
            summary = await call
    return f"{summary.outcome} {pretty_json(to_json(summary))}"


class StandingClock:
    """Time does not pass."""

    def now(self) -> Timestamp:
        return Timestamp("2025-01-02T03:04:05.000Z")

    def monotonic(self) -> float:
        return 0.0


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["succeeded", "failed", "crashed", "raised", "waived"]), min_size=2, max_size=4))
def test_whoever_ends_first_does_not_show_in_the_summary(chosen: list[str]) -> None:
    words = {f"s{place}": word for place, word in enumerate(chosen)}

    async def all_orders() -> set[str]:
        return {await play(order, words) for order in permutations(words)}

    assert len(anyio.run(all_orders)) == 1
