"""Pipelines as runs, in one event loop: what ends them from outside, and what becomes of the runs of their sub-pipelines."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.core.configuration import parse_configuration, select_pipeline
from orchestrator_py.errors import StoreError
from orchestrator_py.ids import parse_task_id
from orchestrator_py.model.events import Event, RunCompleted, RunStarted, SubtaskStarted
from orchestrator_py.model.grace import Grace
from orchestrator_py.model.manifest import CommandStatus, RunStatus
from orchestrator_py.model.outcome import FailurePolicy, Outcome, StopCause, StopKind
from orchestrator_py.store.layout import Layout

Data = Mapping[str, object]
RunByName = Callable[[str], Awaitable[PipelineReport]]

SLEEPER = {"kind": "command", "id": "sleeper", "command": "exec sleep 300"}
FINE = {"kind": "command", "id": "fine", "command": "true"}
CHILD = {"kind": "subpipeline", "id": "child", "pipeline": "c"}


@asynccontextmanager
async def open_runner(
    root: Path, *pipelines: Data, on_failure: FailurePolicy = FailurePolicy.STOP
) -> AsyncIterator[tuple[RunService, RunByName, list[Event]]]:
    """A service, what runs one of the pipelines in it, and all events."""
    layout, clock = Layout.below(root), SystemClock()
    settings = PipelineSettings(
        layout=layout,
        configuration=parse_configuration({"pipelines": list(pipelines)}, source="memory"),
        task_id=parse_task_id("t"),
        jobs=4,
        on_failure=on_failure,
        grace=Grace(timedelta(seconds=30)),
        environment=dict(os.environ),
    )
    events: list[Event] = []
    async with RunService(layout, clock) as service:
        service.subscribe(events.append)
        runner = PipelineRunner(PipelineSite(settings=settings, clock=clock), service)
        yield service, lambda name: runner.run(select_pipeline(settings.configuration, name)), events


def pipeline(pipeline_id: str, *stages: Data, **more: object) -> Data:
    return {"id": pipeline_id, "stages": list(stages), **more}


def when_started(stage: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """Act as soon as an instance has taken up the stage."""

    def look(event: Event) -> None:
        if isinstance(event, SubtaskStarted) and event.subtask_id == stage:
            act()

    return look


def read_history(root: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (root / ".runs" / "t" / "metrics.json").read_text().splitlines()]


def read_manifests(root: Path) -> dict[str, dict[str, object]]:
    """By pipeline."""
    manifests = [json.loads(path.read_text()) for path in (root / ".runs" / "t" / "cli").glob("*/manifest.json")]
    return {manifest["pipeline_id"]: manifest for manifest in manifests}


async def test_the_report_is_what_is_on_record(tmp_path: Path) -> None:
    async with open_runner(tmp_path, pipeline("p", FINE, CHILD), pipeline("c", FINE)) as (_, run, events):
        report = await run("p")
    assert (report.outcome, report.cut_short) == (Outcome.SUCCEEDED, False)
    assert report.manifest.status is RunStatus.SUCCEEDED
    assert [entry["pipeline_id"] for entry in read_history(tmp_path)] == ["c", "p"]
    told = [(type(event), event.run_id) for event in events if isinstance(event, RunStarted | RunCompleted)]
    child = report.manifest.child_runs[0].run_id
    parent = report.manifest.run_id
    assert told == [(RunStarted, parent), (RunStarted, child), (RunCompleted, child), (RunCompleted, parent)]


async def test_a_stop_from_the_embedder_reaches_child_runs(tmp_path: Path) -> None:
    async with open_runner(tmp_path, pipeline("p", CHILD, FINE), pipeline("c", SLEEPER)) as (service, run, _):
        service.subscribe(when_started("c:sleeper", lambda: service.stop(StopCause(StopKind.EMBEDDER, "enough"))))
        report = await run("p")
    assert (report.outcome, report.cut_short) == (Outcome.CANCELLED, True)
    manifests = read_manifests(tmp_path)
    assert [manifests[name]["status_detail"] for name in "pc"] == ["cancelled:embedder: enough"] * 2
    assert [entry["status"] for entry in read_history(tmp_path)] == ["cancelled", "cancelled"]


async def test_a_cancelled_caller_leaves_a_complete_record(tmp_path: Path) -> None:
    async with open_runner(tmp_path, pipeline("p", CHILD, FINE), pipeline("c", SLEEPER)) as (service, run, _):
        with anyio.CancelScope() as scope:
            service.subscribe(when_started("c:sleeper", scope.cancel))
            await run("p")
        assert scope.cancelled_caught
    manifests = read_manifests(tmp_path)
    assert manifests["p"]["status_detail"] == "cancelled:embedder: the caller was cancelled"
    assert [entry["pipeline_id"] for entry in read_history(tmp_path)] == ["c", "p"]


async def test_a_child_run_ends_with_the_time_of_its_stage(tmp_path: Path) -> None:
    limited = pipeline("p", {**CHILD, "timeoutSeconds": 0.05})
    async with open_runner(tmp_path, limited, pipeline("c", SLEEPER)) as (_, run, _):
        report = await run("p")
    assert report.outcome is Outcome.TIMED_OUT
    assert report.manifest.status_detail == "subpipeline:child:timed_out"
    assert report.manifest.child_runs[0].status is RunStatus.CANCELLED
    assert read_manifests(tmp_path)["c"]["status_detail"] == "cancelled:embedder: its stage was ended"


async def test_a_child_run_ends_when_another_stage_fails_and_the_policy_says_so(tmp_path: Path) -> None:
    bad = {"kind": "command", "id": "bad", "command": "until test -e up; do sleep 0.01; done; exit 1"}
    up = {**SLEEPER, "command": "touch up; exec sleep 300"}
    parent = pipeline("p", bad, CHILD, parallel=True)
    async with open_runner(tmp_path, parent, pipeline("c", up), on_failure=FailurePolicy.CANCEL) as (_, run, _):
        report = await run("p")
    assert (report.outcome, report.cut_short) == (Outcome.FAILED, False)
    assert [command.status for command in report.manifest.commands] == [CommandStatus.FAILED] * 2
    assert report.manifest.commands[1].summary == "Cancelled (failure_policy: p:bad failed)."
    assert report.manifest.child_runs[0].status is RunStatus.CANCELLED


async def test_an_attempt_that_is_repeated_has_a_child_run_each_time(tmp_path: Path) -> None:
    once = {"kind": "command", "id": "once", "command": "test -e once || { touch once; exit 1; }"}
    parent = pipeline("p", {**CHILD, "retry": {"maxAttempts": 2}})
    async with open_runner(tmp_path, parent, pipeline("c", once)) as (_, run, _):
        report = await run("p")
    assert (report.outcome, report.manifest.status_detail) == (Outcome.SUCCEEDED, "flaky:child")
    assert [child.status for child in report.manifest.child_runs] == [RunStatus.FAILED, RunStatus.SUCCEEDED]
    assert report.manifest.commands[0].sub_run_id == report.manifest.child_runs[1].run_id
    assert [entry["status"] for entry in read_history(tmp_path)] == ["failed", "succeeded", "succeeded"]


async def test_many_pipelines_at_once_in_one_service(tmp_path: Path) -> None:
    reports: list[PipelineReport] = []
    async with open_runner(tmp_path, pipeline("p", FINE, CHILD), pipeline("c", FINE)) as (_, run, _):

        async def run_one() -> None:
            reports.append(await run("p"))

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(run_one)
    assert [report.outcome for report in reports] == [Outcome.SUCCEEDED] * 8
    assert len({entry["run_id"] for entry in read_history(tmp_path)}) == 16


async def test_what_cannot_be_recorded_is_not_started(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    touch = {"kind": "command", "id": "a", "command": "touch started"}
    async with open_runner(tmp_path, pipeline("p", touch)) as (_, run, events):
        with pytest.raises(StoreError, match="out: is a file where a folder belongs"):
            await run("p")
    assert events == []
    assert not (tmp_path / "started").exists()


async def test_a_log_that_cannot_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    """The child run's: its parent has a record that names the reason."""
    block = {"kind": "command", "id": "a", "command": "mkdir $CODEX_ORCHESTRATOR_RUN_DIR/commands/02-b.ndjson"}
    second = {"kind": "command", "id": "b", "command": "true"}
    async with open_runner(tmp_path, pipeline("p", CHILD), pipeline("c", block, second)) as (_, run, _):
        report = await run("p")
    assert report.outcome is Outcome.FAILED
    assert "02-b.ndjson: is a folder where a file belongs" in str(report.manifest.commands[0].summary)
