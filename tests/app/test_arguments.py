"""What a manager refuses, what it is told in another way, and what a planner may and may not answer."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from attrs import evolve

from orchestrator_py.app.task_manager import TaskManager
from orchestrator_py.errors import IdentifierError, InputError, OrchestratorError, PlanError
from orchestrator_py.ids import parse_run_id, parse_task_id
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import SubtaskPolicy
from orchestrator_py.model.result import BuildInput
from orchestrator_py.model.summary import RunSummary
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext
from orchestrator_py.store.audit import audit
from orchestrator_py.store.layout import RESERVED_RUN_IDS, Layout
from tests.app.agents import TASK, Crew, built, forever, items


def written_below(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def run(crew: Crew, **options: Any) -> RunSummary:
    with anyio.fail_after(20):
        async with crew.manager(**options) as manager:
            return await manager.execute(TASK)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_concurrency": 0}, "max_concurrency is 0; give a whole number from 1."),
        ({"max_concurrency": True}, "max_concurrency is True"),
        ({"max_concurrency": 2.5}, "max_concurrency is 2.5"),
        ({"pipeline_id": Path("nightly")}, "pipeline_id is PosixPath('nightly'); give text."),
        ({"on_failure": "explode"}, "on_failure is 'explode'; choose one of 'stop', 'cancel', 'continue'."),
    ],
)
def test_arguments_that_make_no_sense_are_refused_with_the_remedy(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        Crew().manager(**options)
    assert words in str(refusal.value)


@pytest.mark.parametrize(("role", "method"), [("planner", "plan"), ("builder", "build"), ("tester", "test"), ("reviewer", "review")])
def test_an_agent_without_its_method_is_refused_before_anything_runs(role: str, method: str) -> None:
    agents: dict[str, Any] = dict.fromkeys(("planner", "builder", "tester", "reviewer"), Crew()) | {role: None}
    with pytest.raises(InputError, match=f"{role} is None; give an object with an async method {method}."):
        TaskManager(**agents)


@pytest.mark.parametrize("title", [Path("nightly"), None, 7])
async def test_a_title_that_is_no_text_is_refused_before_anything_starts(title: Any, tmp_path: Path) -> None:
    crew = Crew(items("a"))
    async with crew.manager(root=tmp_path) as manager:
        with pytest.raises(InputError, match=r"the title of a task is .*; give text"):
            await manager.execute(evolve(TASK, title=title))
    assert crew.calls == []
    assert written_below(tmp_path) == []


async def test_a_manager_works_only_inside_its_block() -> None:
    manager = Crew(items("a")).manager()
    with pytest.raises(InputError, match="use it inside its `async with` block"):
        await manager.execute(TASK)
    async with manager:
        assert (await manager.execute(TASK)).outcome is Outcome.SUCCEEDED
    with pytest.raises(InputError, match="use it inside its `async with` block"):
        await manager.execute(TASK)


@pytest.mark.parametrize("run_id", ["", "a/b", "..", "a:b", *sorted(RESERVED_RUN_IDS)])
async def test_a_run_id_that_cannot_be_a_folder_of_its_own_is_refused(run_id: str, tmp_path: Path) -> None:
    crew = Crew(items("a"))
    with pytest.raises(IdentifierError):
        await run(crew, root=tmp_path, run_id_factory=lambda _: run_id)
    assert crew.calls == []
    assert written_below(tmp_path) == []


@pytest.mark.parametrize("task_id", ["local-mcp", "Local-MCP"])
async def test_a_task_whose_folder_no_reader_would_take_for_one_is_refused(task_id: str, tmp_path: Path) -> None:
    crew = Crew(items("a"))
    async with crew.manager(root=tmp_path) as manager:
        with pytest.raises(IdentifierError, match="keeps something else under that name"):
            await manager.execute(evolve(TASK, id=parse_task_id(task_id)))
    assert crew.calls == []
    assert written_below(tmp_path) == []


async def test_a_run_id_that_is_in_flight_is_refused_and_the_first_run_goes_on(tmp_path: Path) -> None:
    crew = Crew(items("a"), on_build=forever)
    summaries: list[RunSummary] = []
    with anyio.fail_after(20):
        async with crew.manager(root=tmp_path, run_id_factory=lambda _: "same") as manager, anyio.create_task_group() as group:

            async def first() -> None:
                summaries.append(await manager.execute(TASK))

            group.start_soon(first)
            await wait_all_tasks_blocked()
            with pytest.raises(InputError, match="Run same is in flight already; give each run its own id"):
                await manager.execute(TASK)
            manager.stop()
    assert [summary.outcome for summary in summaries] == [Outcome.CANCELLED]
    assert len((tmp_path / ".runs" / "task-1" / "metrics.json").read_bytes().splitlines()) == 1


@pytest.mark.parametrize("keep_summaries", [True, False])
async def test_a_run_that_is_given_the_id_of_one_on_record_takes_its_place(keep_summaries: bool, tmp_path: Path) -> None:
    """Whoever names runs may give a name again, in another program too: a run id counts once, with its last outcome."""
    task = Layout.below(tmp_path).task(parse_task_id(TASK.id))

    async def answer(success: bool, input: BuildInput) -> object:
        return built(input, success)

    for expected in (Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.FAILED):
        crew = Crew(items("a"), on_build=partial(answer, expected is Outcome.SUCCEEDED))
        summary = await run(crew, root=tmp_path, run_id_factory=lambda _: "same", keep_summaries=keep_summaries)
        assert summary.outcome is expected
        counts = json.loads(task.post_rollout.read_bytes())
        assert (counts["total_runs"], counts["succeeded_runs"]) == (1, int(expected is Outcome.SUCCEEDED))
        assert [finding.problem for finding in audit(task).findings] == []


@pytest.mark.parametrize("run_id", ["metrics.json.tmp-x", "metrics.json.tmp-1-2-3"])
async def test_a_run_that_is_named_like_a_temp_file_stays_and_stops_nobody(run_id: str, tmp_path: Path) -> None:
    task = Layout.below(tmp_path).task(parse_task_id(TASK.id))
    for name in (run_id, "next"):
        assert (await run(Crew(items("a")), root=tmp_path, run_id_factory=lambda _, name=name: name)).outcome is Outcome.SUCCEEDED
    assert task.embedded_run(parse_run_id(run_id)).manifest.exists()
    assert [finding.problem for finding in audit(task).findings] == []


async def test_runs_of_other_tasks_may_have_the_same_id() -> None:
    with anyio.fail_after(20):
        async with Crew(items("a")).manager(run_id_factory=lambda _: "same") as manager:
            done = [await manager.execute(TaskContext(id=name, title="T")) for name in ("x", "y")]
    assert [(summary.task_id, summary.run_id) for summary in done] == [("x", "same"), ("y", "same")]


async def test_without_a_group_the_selected_subtask_runs_alone() -> None:
    plan = (*items("a"), PlanItem(id="b", selected=True, policy=SubtaskPolicy(needs=("a",))))
    crew = Crew(plan)
    summary = await run(crew, group=False)
    assert [name for _, name in crew.calls] == ["b"] * 3
    assert summary.group is None
    assert [report.subtask_id for report in summary.subtasks] == ["b"]


async def test_without_a_group_several_candidates_are_refused() -> None:
    with pytest.raises(PlanError, match=r"multiple runnable subtasks without a selection \(a, b\)"):
        await run(Crew(items("a", "b")), group=False)


async def test_without_kept_summaries_only_the_history_is_written(tmp_path: Path) -> None:
    summary = await run(Crew(items("a")), root=tmp_path, keep_summaries=False)
    assert summary.outcome is Outcome.SUCCEEDED
    task = tmp_path / ".runs" / "task-1"
    assert list(task.glob("*/manifest.json")) == []
    assert len((task / "metrics.json").read_bytes().splitlines()) == 1


async def test_without_a_root_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await run(Crew(items("a")))
    assert written_below(tmp_path) == []


# Planners -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, "plan", 3, {"items": []}, PlanResult(items=("a", "b")), PlanResult(items=(PlanItem(id=7),))])  # type: ignore[arg-type] # nonsense on purpose
async def test_a_planner_that_answers_nonsense_gives_a_summary_that_says_so(answer: object, tmp_path: Path) -> None:
    async def plan(_: object) -> object:
        return answer

    summary = await run(Crew(on_plan=plan), root=tmp_path)
    assert summary.outcome is Outcome.FAILED
    assert summary.plan.notes == "Planner stage error: Planner strategy must return PlanResult.items"
    assert summary.build.subtask_id == "planner-unavailable"


async def test_a_plan_that_no_summary_could_hold_gives_a_summary_that_says_so() -> None:
    summary = await run(Crew((PlanItem(id="a", metadata={"where": {"x"}}),)))
    assert summary.outcome is Outcome.FAILED
    assert "JSON cannot hold a value of type set" in str(summary.plan.notes)


async def test_a_planner_that_cancels_itself_is_reported_and_not_raised() -> None:
    async def plan(_: object) -> object:
        raise anyio.get_cancelled_exc_class()

    assert (await run(Crew(on_plan=plan))).outcome is Outcome.FAILED


async def test_equal_ids_count_once() -> None:
    crew = Crew(items("a", "b", "a"))
    summary = await run(crew)
    assert [report.subtask_id for report in summary.subtasks] == ["a", "b"]
    assert len(crew.calls) == 6


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (items("a", "b", a=SubtaskPolicy(needs=("b",)), b=SubtaskPolicy(needs=("a",))), "a circle"),
        (items("a", a=SubtaskPolicy(needs=("a",))), "a circle"),
        (items("abc", "b", b=SubtaskPolicy(needs=("abd",))), "needs 'abd', which is not in the plan"),
    ],
)
async def test_needs_that_cannot_be_met_are_refused_before_anything_starts(plan: tuple[PlanItem, ...], words: str) -> None:
    crew = Crew(plan)
    with pytest.raises(PlanError) as refusal:
        await run(crew)
    assert words in str(refusal.value)
    assert crew.calls == []


# The mode policy ----------------------------------------------------------------------------------------------------


def _raise(*_: object) -> Mode:
    raise KeyError("mode")


@pytest.mark.parametrize("policy", [_raise, lambda *_: "cloud", lambda *_: None])
async def test_a_mode_policy_without_an_answer_is_refused_before_anything_starts(policy: Any) -> None:
    crew = Crew(items("a"))
    with pytest.raises(InputError, match="let it return Mode"):
        await run(crew, mode_policy=policy)
    assert crew.calls == []


async def test_the_mode_policy_is_asked_for_each_subtask() -> None:
    summary = await run(Crew(items("a", "b")), mode_policy=lambda _, item: Mode.CLOUD if item.id == "b" else Mode.MCP)
    assert summary.group is not None
    assert [entry.mode for entry in summary.group.entries] == [Mode.MCP, Mode.CLOUD]
    assert summary.mode is Mode.CLOUD


def test_every_refusal_is_an_error_of_this_package() -> None:
    assert issubclass(InputError, OrchestratorError)
    assert issubclass(PlanError, OrchestratorError)
