"""The agents of a pipeline of stages, with real commands: what a stage's three commands say becomes three results."""

import os
import sys
from pathlib import Path

import pytest
from anyio import CancelScope, create_task_group

from orchestrator_py import ports
from orchestrator_py.core.plan import create_plan
from orchestrator_py.errors import PlanError
from orchestrator_py.ids import RunId, TaskId, parse_task_id
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Pipeline, Stage, SubpipelineStage
from orchestrator_py.model.result import BuildArtifact, BuildInput, BuildResult, ReviewInput, ReviewResult, TestInput, TestResult
from orchestrator_py.model.task import Mode, PlanItem, TaskContext
from orchestrator_py.stages.agents import StageBuilder, StageCommands, StageReviewer, StageTester
from orchestrator_py.stages.environment import RunPlace
from orchestrator_py.store.event_log import MemoryEventLog
from tests.stages.running import GRACE, SystemClock, said, until

TASK = TaskContext(id=parse_task_id("t"), title="Task")
RUN = RunId("r")


def place_of(root: Path, run_id: str = "r") -> RunPlace:
    folder = root / ".runs/t/cli" / run_id
    return RunPlace(
        task_id=TaskId("t"),
        run_id=RunId(run_id),
        pipeline_id="p",
        manifest_path=folder / "manifest.json",
        run_dir=folder,
        runs_dir=root / ".runs",
        out_dir=root / "out",
        repo_root=root,
        environ={"PATH": os.environ["PATH"], "FROM": "program", "CODEX_ORCHESTRATOR_TASK_ID": "another"},
    )


class Agents:
    """The agents of one run of some stages, and their logs."""

    def __init__(self, root: Path, *stages: Stage, run_id: str = "r") -> None:
        self.pipeline = Pipeline(id="p", title="P", stages=stages)
        self.logs = MemoryEventLog()
        self.plan = create_plan(self.pipeline, target=None)
        self.commands = StageCommands(
            pipeline=self.pipeline, place=place_of(root, run_id), logs=self.logs, clock=SystemClock(), grace=GRACE
        )
        self.child_calls: list[tuple[str, RunId]] = []
        self.child = Execution(child_run_id=RunId("c"), child_outcome=Outcome.SUCCEEDED)
        self.builder: ports.Builder = StageBuilder(commands=self.commands, run_child=self.run_child)
        self.tester: ports.Tester = StageTester(commands=self.commands)
        self.reviewer: ports.Reviewer = StageReviewer(commands=self.commands)

    async def run_child(self, stage: SubpipelineStage, run_id: RunId) -> Execution:
        self.child_calls.append((stage.pipeline, run_id))
        return self.child

    async def build(self, place: int = 0, attempt: int = 1) -> BuildResult:
        item = self.plan.items[place]
        given = BuildInput(task=TASK, plan=self.plan, target=item, mode=Mode.CLOUD, run_id=RUN, attempt=attempt)
        return await self.builder.build(given)

    async def test(self, build: BuildResult) -> TestResult:
        return await self.tester.test(TestInput(task=TASK, build=build, target=self.plan.items[0], mode=Mode.MCP, run_id=RUN))

    async def review(self) -> ReviewResult:
        build = BuildResult(subtask_id="p:a", success=True)
        test = TestResult(subtask_id="p:a", success=True)
        given = ReviewInput(task=TASK, plan=self.plan, build=build, test=test, target=self.plan.items[0], mode=Mode.MCP, run_id=RUN)
        return await self.reviewer.review(given)


def command_stage(command: str = "true", *, id: str = "a", test: str | None = None, review: str | None = None) -> CommandStage:
    return CommandStage(id=id, title="Build it", command=command, test=test, review=review)


# Plan and build ----------------------------------------------------------------------------------------------------


async def test_a_build_is_the_stage_s_command(tmp_path: Path) -> None:
    build = await Agents(tmp_path, command_stage("echo made; exit 0")).build()
    assert (build.subtask_id, build.success, build.notes) == ("p:a", True, "Build it: made")
    assert (build.mode, build.run_id) == (Mode.CLOUD, "r")
    assert build.execution is not None
    assert build.execution.exit_code == 0


@pytest.mark.parametrize(
    ("command", "notes"),
    [
        ("echo no >&2; exit 3", "Build it: Exited with code 3 — no"),
        ("kill -9 $$", "Build it: Terminated with signal SIGKILL"),
    ],
)
async def test_a_build_that_does_not_end_well_is_no_success(tmp_path: Path, command: str, notes: str) -> None:
    build = await Agents(tmp_path, command_stage(command)).build()
    assert (build.success, build.notes) == (False, notes)


async def test_a_build_that_is_stopped_is_no_success_even_if_it_exits_0(tmp_path: Path) -> None:
    agents = Agents(tmp_path, command_stage("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done"))
    builds: list[BuildResult] = []
    scope = CancelScope()

    async def build_it() -> None:
        with scope:
            builds.append(await agents.build())

    async with create_task_group() as tasks:
        tasks.start_soon(build_it)
        await until(lambda: 1 in agents.logs.stages and said(agents.logs.stages[1]) != "")
        scope.cancel()
    (build,) = builds
    assert build.execution is not None
    assert (build.success, build.execution.stopped) == (False, True)


async def test_a_folder_that_is_not_there_is_told_in_the_notes(tmp_path: Path) -> None:
    missing = CommandStage(id="a", title="Build it", command="true", cwd="none", summary_hint="All good")
    build = await Agents(tmp_path, missing).build()
    assert (build.success, build.notes) == (False, f"Build it: Execution error: No such file or directory: {tmp_path}/none")


async def test_a_hint_stands_for_what_the_command_said(tmp_path: Path) -> None:
    hinted = CommandStage(id="a", title="Build it", command="echo noise", summary_hint="All good")
    assert (await Agents(tmp_path, hinted).build()).notes == "Build it: All good"


async def test_artifacts_are_the_ones_that_the_run_names(tmp_path: Path) -> None:
    agents = Agents(tmp_path, command_stage())
    artifact = BuildArtifact(path="manifest.json", description="CLI run manifest")
    builder = StageBuilder(commands=agents.commands, run_child=agents.run_child, artifacts=(artifact,))
    given = BuildInput(task=TASK, plan=agents.plan, target=agents.plan.items[0], mode=Mode.MCP, run_id=RUN)
    assert (await builder.build(given)).artifacts == (artifact,)


@pytest.mark.parametrize(
    ("child", "success", "notes"),
    [
        (Execution(child_outcome=Outcome.SUCCEEDED), True, "Child: Sub-pipeline 'other' succeeded."),
        (Execution(child_outcome=Outcome.TIMED_OUT), False, "Child: Sub-pipeline 'other' timed_out."),
        (Execution(child_outcome=Outcome.SUCCEEDED, stopped=True), False, "Child: Sub-pipeline 'other' succeeded."),
        (Execution(spawn_error="Pipeline 'other' not found."), False, "Child: Sub-pipeline error: Pipeline 'other' not found."),
    ],
)
async def test_a_sub_pipeline_is_built_by_its_run(tmp_path: Path, child: Execution, success: bool, notes: str) -> None:
    agents = Agents(tmp_path, SubpipelineStage(id="a", title="Child", pipeline="other"))
    agents.child = child
    build = await agents.build()
    assert (build.success, build.notes, build.execution) == (success, notes, child)
    assert agents.child_calls == [("other", RUN)]


async def test_an_item_of_another_plan_is_refused(tmp_path: Path) -> None:
    agents = Agents(tmp_path, command_stage())
    given = BuildInput(task=TASK, plan=agents.plan, target=PlanItem(id="q:a"), mode=Mode.MCP, run_id=RUN)
    with pytest.raises(PlanError, match="'q:a' is no stage of pipeline 'p'"):
        await agents.builder.build(given)


# Test and review ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "success", "details"),
    [("echo ok", True, "ok"), ("exit 1", False, "Exited with code 1"), ("kill $$", False, "Terminated with signal SIGTERM")],
)
async def test_a_test_command_tests(tmp_path: Path, command: str, success: bool, details: str) -> None:
    agents = Agents(tmp_path, command_stage(test=command))
    test = await agents.test(BuildResult(subtask_id="p:a", success=True))
    (report,) = test.reports
    assert (test.subtask_id, test.success, test.run_id) == ("p:a", success, "r")
    assert (report.name, report.status, report.details) == ("tests", "passed" if success else "failed", details)
    assert test.execution is not None


async def test_without_a_test_command_the_build_s_end_is_the_test(tmp_path: Path) -> None:
    agents = Agents(tmp_path, command_stage("echo made"))
    test = await agents.test(await agents.build())
    (report,) = test.reports
    assert (test.success, test.execution) == (True, None)
    assert (report.name, report.status, report.details) == ("exit code", "passed", "Build it: made")


@pytest.mark.parametrize(
    ("command", "approved", "feedback"),
    [
        ("echo fine", True, None),
        ("echo ' tidy it up '; echo noise >&2; exit 1", False, "tidy it up"),
        ("echo broken >&2; exit 2", False, "broken"),
        ("exit 1", False, "Exited with code 1"),
        ("head -c 9000 /dev/zero | tr '\\0' x; exit 1", False, "x" * 8192 + "…"),
    ],
)
async def test_a_review_command_approves_or_says_what_to_change(tmp_path: Path, command: str, approved: bool, feedback: str | None) -> None:
    review = await Agents(tmp_path, command_stage(review=command)).review()
    assert (review.decision.approved, review.decision.feedback) == (approved, feedback)


async def test_a_review_command_that_died_tells_so_in_its_execution(tmp_path: Path) -> None:
    review = await Agents(tmp_path, command_stage(review="kill -9 $$")).review()
    assert not review.decision.approved
    assert review.execution is not None
    assert review.execution.signal == "SIGKILL"
    assert review.summary == "Build it: Terminated with signal SIGKILL"


async def test_without_a_review_command_what_built_and_tested_is_approved(tmp_path: Path) -> None:
    review = await Agents(tmp_path, command_stage()).review()
    assert (review.decision.approved, review.summary, review.execution) == (True, "Build it: built and tested.", None)


# Surroundings ------------------------------------------------------------------------------------------------------


async def test_the_environment_is_the_program_s_then_the_run_s_then_the_stage_s(tmp_path: Path) -> None:
    show = CommandStage(id="a", title="A", command="env", env={"FROM": "stage", "CODEX_ORCHESTRATOR_OUT_DIR": "/elsewhere", "EMPTY": ""})
    agents = Agents(tmp_path, show)
    await agents.build()
    shown = dict(line.split("=", 1) for line in said(agents.logs.stages[1]).splitlines())
    run_dir = f"{tmp_path}/.runs/t/cli/r"
    assert shown.pop("CODEX_ORCHESTRATOR_APPROVALS_PATH").startswith(f"{run_dir}/approvals/01-")
    assert {name: value for name, value in shown.items() if name not in ("PWD", "OLDPWD", "SHLVL", "_", "PATH")} == {
        "FROM": "stage",
        "EMPTY": "",
        "CODEX_ORCHESTRATOR_TASK_ID": "t",
        "CODEX_ORCHESTRATOR_RUN_ID": "r",
        "CODEX_ORCHESTRATOR_PIPELINE_ID": "p",
        "CODEX_ORCHESTRATOR_MANIFEST_PATH": f"{run_dir}/manifest.json",
        "CODEX_ORCHESTRATOR_RUN_DIR": run_dir,
        "CODEX_ORCHESTRATOR_RUNS_DIR": f"{tmp_path}/.runs",
        "CODEX_ORCHESTRATOR_OUT_DIR": "/elsewhere",
        "CODEX_ORCHESTRATOR_REPO_ROOT": str(tmp_path),
        "CODEX_ORCHESTRATOR_ROOT": str(tmp_path),
        "CODEX_ORCHESTRATOR_PYTHON": sys.executable,
    }


async def test_all_three_commands_run_in_the_stage_s_folder_and_share_its_log(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    first = command_stage(id="first")
    second = CommandStage(id="a", title="A", command="pwd", test="pwd", review="pwd", cwd="sub")
    agents = Agents(tmp_path, second, first)
    build = await agents.build(attempt=2)
    await agents.test(build)
    await agents.review()
    log = agents.logs.stages[1]
    assert said(log) == f"{tmp_path}/sub\n" * 3
    assert [event["attempt"] for event in log.events if event["type"] == "exec:begin"] == [2, 1, 1]
    await agents.build(place=1)
    assert set(agents.logs.stages) == {1, 2}


async def test_runs_in_flight_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    show = command_stage("echo $CODEX_ORCHESTRATOR_RUN_ID")
    runs = [Agents(tmp_path, show, run_id=f"r{number}") for number in range(12)]
    async with create_task_group() as tasks:
        for run in runs:
            tasks.start_soon(run.build)
    assert [said(run.logs.stages[1]) for run in runs] == [f"r{number}\n" for number in range(12)]
