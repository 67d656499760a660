"""Every path of the contract's path map."""

from pathlib import Path

import pytest

from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.store.folders import make_runs_root
from orchestrator_py.store.layout import Layout

ROOT = Path("/repository")
TASK = Layout.below(ROOT).task(TaskId("0101"))
RUN = TASK.cli_run(RunId("run-1"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (TASK.metrics, ".runs/0101/metrics.json"),
        (TASK.pending, ".runs/0101/metrics.pending"),
        (TASK.lock, ".runs/0101/.writer.lock"),
        (TASK.baseline, ".runs/0101/metrics/baseline.json"),
        (TASK.post_rollout, ".runs/0101/metrics/post-rollout.json"),
        (TASK.completeness, ".runs/0101/metrics/completeness.json"),
        (TASK.per_epoch, ".runs/0101/metrics/per-epoch.json"),
        (TASK.rollup_state, ".runs/0101/metrics/.rollup-state.json"),
        (TASK.mttr_delta, "out/0101/metrics/mttr-delta.json"),
        (TASK.state, "out/0101/state.json"),
        (RUN.folder, ".runs/0101/cli/run-1"),
        (RUN.manifest, ".runs/0101/cli/run-1/manifest.json"),
        (RUN.run_summary, ".runs/0101/cli/run-1/run-summary.json"),
        (RUN.runner_log, ".runs/0101/cli/run-1/runner.ndjson"),
        (RUN.commands, ".runs/0101/cli/run-1/commands"),
        (RUN.errors, ".runs/0101/cli/run-1/errors"),
        (RUN.heartbeat, ".runs/0101/cli/run-1/.heartbeat"),
        (RUN.resume_token, ".runs/0101/cli/run-1/.resume-token"),
        (TASK.embedded_run(RunId("run-1")).manifest, ".runs/0101/run-1/manifest.json"),
        (TASK.mcp_pointer(RunId("run-1")), ".runs/0101/mcp/run-1/manifest.json"),
        (TASK.layout.local_mcp_pointer(RunId("run-1")), ".runs/local-mcp/run-1/manifest.json"),
    ],
)
def test_a_path_lies_where_consumers_look_for_it(path: Path, expected: str) -> None:
    assert TASK.layout.relative(path) == expected


def test_runs_and_out_can_be_redirected_below_the_root_or_anywhere() -> None:
    layout = Layout.below(ROOT, Path("build/runs"), Path("/elsewhere/out"))
    task = layout.task(TaskId("t"))
    assert layout.relative(task.metrics) == "build/runs/t/metrics.json"
    assert layout.relative(task.state) == "/elsewhere/out/t/state.json"


def test_a_relative_root_is_made_absolute_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Layout.below(Path()).runs_root == tmp_path / ".runs"


def test_a_new_runs_folder_is_kept_out_of_version_control(tmp_path: Path) -> None:
    layout = Layout.below(tmp_path)
    make_runs_root(layout)
    assert layout.ignore_file.read_bytes() == b"*\n"


def test_a_runs_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    layout = Layout.below(tmp_path)
    layout.runs_root.mkdir()
    make_runs_root(layout)
    assert list(layout.runs_root.iterdir()) == []
