"""Rules of pipelines that reach their child runs: the time of a run, the slots of one call, what a resumed run keeps."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.core.selection import EVERYTHING, Selection
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId, parse_task_id
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.manifest import CommandStatus, Manifest
from orchestrator_py.model.outcome import Outcome, SkipReason
from orchestrator_py.model.policy import LENIENT, VerdictRules
from orchestrator_py.store.layout import Layout
from orchestrator_py.store.manifest_file import read_manifest
from tests.store.faults import Calls, counting

Data = Mapping[str, object]

SLEEPER = {"kind": "command", "id": "sleeper", "command": "exec sleep 300"}
FINE = {"kind": "command", "id": "fine", "command": "true"}
CHILD = {"kind": "subpipeline", "id": "child", "pipeline": "c"}
ALONE = "mkdir $CODEX_ORCHESTRATOR_REPO_ROOT/busy && rmdir $CODEX_ORCHESTRATOR_REPO_ROOT/busy"


def pipeline(name: str, *stages: Data, **more: object) -> Data:
    return {"id": name, "stages": list(stages), **more}


async def run(
    root: Path,
    *pipelines: Data,
    jobs: int = 4,
    timeout: timedelta | None = None,
    rules: VerdictRules = LENIENT,
    selection: Selection = EVERYTHING,
    again: RunId | None = None,
) -> PipelineReport:
    """Run the first of the pipelines, or the run that is taken up again."""
    layout, clock = Layout.below(root), SystemClock()
    settings = PipelineSettings(
        layout=layout,
        configuration=parse_configuration({"pipelines": list(pipelines)}, source="memory"),
        task_id=parse_task_id("t"),
        jobs=jobs,
        grace=Grace(timedelta(seconds=30)),
        environment=dict(os.environ),
        timeout=timeout,
        rules=rules,
    )
    async with RunService(layout, clock) as service:
        runner = PipelineRunner(PipelineSite(settings=settings, clock=clock), service)
        if again is not None:
            return await runner.resume(again)
        return await runner.run(settings.configuration.pipelines[0], selection=selection)


def child_of(root: Path, report: PipelineReport) -> Manifest:
    manifest = read_manifest(Layout.below(root).task(parse_task_id("t")), report.manifest.child_runs[0].run_id)
    assert manifest is not None
    return manifest


# Time ---------------------------------------------------------------------------------------------------------------


async def test_the_time_of_a_run_is_that_of_its_child_runs_too(tmp_path: Path) -> None:
    pipelines = pipeline("p", CHILD, FINE), pipeline("c", SLEEPER, FINE)
    report = await run(tmp_path, *pipelines, timeout=timedelta(seconds=0.3))
    assert (report.outcome, report.cut_short) == (Outcome.TIMED_OUT, True)
    assert report.manifest.status_detail == "subpipeline:child:timed_out"
    child = child_of(tmp_path, report)
    assert child.status_detail == "stage:sleeper:timed_out"
    assert child.commands[0].summary == "Timed out (timeout: 0.3 s for the whole run)."
    assert [report.manifest.commands[1].status, child.commands[1].status] == [CommandStatus.PENDING] * 2


async def test_a_child_run_has_the_time_of_its_own_pipeline(tmp_path: Path) -> None:
    pipelines = pipeline("p", CHILD, timeoutSeconds=600), pipeline("c", SLEEPER, timeoutSeconds=0.2)
    report = await run(tmp_path, *pipelines)
    assert (report.outcome, report.summary.cause) == (Outcome.TIMED_OUT, None)
    assert child_of(tmp_path, report).commands[0].summary == "Timed out (timeout: 0.2 s for the whole run)."


async def test_the_time_that_was_asked_for_wins_over_the_pipeline_s(tmp_path: Path) -> None:
    report = await run(tmp_path, pipeline("p", FINE, timeoutSeconds=0.001), timeout=timedelta(hours=1))
    assert report.outcome is Outcome.SUCCEEDED


# Slots --------------------------------------------------------------------------------------------------------------


async def test_jobs_bound_all_stages_of_a_call_and_no_stage_waits_for_its_own_child(tmp_path: Path) -> None:
    """Every command refuses to run beside another one."""
    alone = [{"kind": "command", "id": f"s{number}", "command": ALONE} for number in range(3)]
    deeper = {"kind": "subpipeline", "id": "deeper", "pipeline": "d"}
    report = await run(
        tmp_path,
        pipeline("p", *alone, CHILD, parallel=True),
        pipeline("c", *alone, deeper, parallel=True),
        pipeline("d", *alone, parallel=True),
        jobs=1,
    )
    assert report.outcome is Outcome.SUCCEEDED, report.manifest.commands


async def test_the_resources_of_a_child_run_are_its_own(tmp_path: Path) -> None:
    stages = [{"kind": "command", "id": f"s{number}", "command": ALONE} for number in range(3)]
    children = [{"kind": "subpipeline", "id": f"child{number}", "pipeline": "c"} for number in range(3)]
    guarded = [{**stage, "resources": ["alone"]} for stage in stages]
    parent = pipeline("p", *({**child, "resources": ["alone"]} for child in children), parallel=True, resources={"alone": 1})
    report = await run(tmp_path, parent, pipeline("c", *guarded, parallel=True, resources={"alone": 1}), jobs=8)
    assert report.outcome is Outcome.SUCCEEDED, report.manifest.commands


# Taken up again -----------------------------------------------------------------------------------------------------


async def test_a_resumed_run_leaves_out_what_was_not_selected(tmp_path: Path) -> None:
    once = {"kind": "command", "id": "once", "command": "test -e once || { touch once; exit 1; }"}
    deploy = {"kind": "command", "id": "deploy", "command": "touch deployed", "needs": ["once"]}
    failed = await run(tmp_path, pipeline("p", once, deploy), selection=Selection(skip=("deploy",)))
    assert failed.outcome is Outcome.FAILED
    resumed = await run(tmp_path, pipeline("p", once, deploy), again=failed.manifest.run_id)
    assert (resumed.outcome, resumed.manifest.status_detail) == (Outcome.SUCCEEDED, "not-selected:deploy")
    assert resumed.summary.subtasks[1].skip_reason is SkipReason.NOT_SELECTED
    assert resumed.manifest.commands[1].summary == "Not selected."
    assert not (tmp_path / "deployed").exists()


@pytest.mark.parametrize("strict", [False, True])
async def test_a_waived_failure_has_another_try_when_a_run_is_taken_up_again_strictly(tmp_path: Path, strict: bool) -> None:
    lax = {"kind": "command", "id": "lax", "command": "echo x >> tries; test -e mended", "allowFailure": True}
    bad = {"kind": "command", "id": "bad", "command": "test -e mended"}
    failed = await run(tmp_path, pipeline("p", lax, bad))
    (tmp_path / "mended").touch()
    resumed = await run(tmp_path, pipeline("p", lax, bad), rules=VerdictRules(strict=strict), again=failed.manifest.run_id)
    assert resumed.outcome is Outcome.SUCCEEDED
    assert (tmp_path / "tries").read_text().count("x") == (2 if strict else 1)
    assert resumed.manifest.status_detail == (None if strict else "waived:lax")


async def test_a_run_that_is_pruned_before_it_can_be_taken_up_is_no_run_any_more(tmp_path: Path) -> None:
    failed = await run(tmp_path, pipeline("p", {"kind": "command", "id": "bad", "command": "touch ran; false"}))
    (tmp_path / "ran").unlink()
    folder = Layout.below(tmp_path).task(parse_task_id("t")).cli_run(failed.manifest.run_id).folder

    def prune(number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open" and Path(arguments[0]).parent.name == "live-runs" and folder.exists():  # the marker is being made
            folder.rename(tmp_path / "pruned")

    with counting(Calls(at_call=prune)), pytest.raises(InputError, match="there is no such run"):
        await run(tmp_path, pipeline("p", FINE), again=failed.manifest.run_id)
    assert not folder.exists()
    assert not (tmp_path / "ran").exists()


async def test_rules_hold_for_child_runs_too(tmp_path: Path) -> None:
    lax = {"kind": "command", "id": "lax", "command": "false", "allowFailure": True}
    report = await run(tmp_path, pipeline("p", CHILD), pipeline("c", lax), rules=VerdictRules(strict=True))
    assert (report.outcome, child_of(tmp_path, report).status_detail) == (Outcome.FAILED, "stage:lax:failed")
