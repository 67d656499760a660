"""Two hundred command-line runs of one task at once, in one process, while somebody reads everything they write."""

import json
import os
import threading
from pathlib import Path

import anyio

from orchestrator_py.app.pipeline_runner import PipelineReport, PipelineRunner
from orchestrator_py.app.pipeline_site import PipelineSettings, PipelineSite
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.ids import parse_task_id
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.layout import Layout

RUNS = 200
TASK = parse_task_id("busy")
CONFIGURATION = parse_configuration(
    {"pipelines": [{"id": "p", "stages": [{"kind": "command", "id": "a", "command": "true"}]}]}, source="test"
)


class Reader(threading.Thread):
    """Parses every document below a folder, over and over."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.stop, self.read, self.problems = root, threading.Event(), 0, list[str]()

    def run(self) -> None:
        while not self.stop.is_set():
            for folder, _, names in os.walk(self.root):
                for name in names:
                    if name.endswith(".json"):
                        self._read(Path(folder, name))

    def _read(self, path: Path) -> None:
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return
        try:
            for document in text.splitlines() if path.name == "metrics.json" else [text]:
                json.loads(document)
        except ValueError as error:
            self.problems.append(f"{path}: {error}")
        self.read += 1


async def run_all(root: Path) -> list[PipelineReport]:
    layout, clock, reports = Layout.below(root), SystemClock(), list[PipelineReport]()
    settings = PipelineSettings(layout=layout, configuration=CONFIGURATION, task_id=TASK, jobs=2, environment=dict(os.environ))
    async with RunService(layout, clock) as service:
        runner = PipelineRunner(PipelineSite(settings=settings, clock=clock), service)

        async def run_one() -> None:
            reports.append(await runner.run(CONFIGURATION.pipelines[0]))

        with anyio.fail_after(100):
            async with anyio.create_task_group() as group:
                for _ in range(RUNS):
                    group.start_soon(run_one)
    return reports


async def test_two_hundred_runs_of_one_task_are_all_recorded_and_no_reader_meets_a_torn_file(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.start()
    try:
        reports = await run_all(tmp_path)
    finally:
        reader.stop.set()
        reader.join()
    assert reader.problems == []
    assert reader.read > RUNS

    task = Layout.below(tmp_path).task(TASK)
    manifests = [json.loads((tmp_path / report.manifest.artifact_root / "manifest.json").read_bytes()) for report in reports]
    assert [(m["status"], m["metrics_recorded"]) for m in manifests] == [("succeeded", True)] * RUNS
    lines = task.metrics.read_bytes().splitlines()
    assert sorted(json.loads(line)["run_id"] for line in lines) == sorted(m["run_id"] for m in manifests)
    assert list(task.pending.glob("*.jsonl")) == []

    expected = to_json(rollup_of_history(lines).documents(baseline=None, updated_at=Timestamp("")).post_rollout)
    published = json.loads(task.post_rollout.read_bytes())
    assert {**published, "updated_at": ""} == expected
