"""Runs of ours for the reference to read: every kind of end, made by the command line as a user would."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from attrs import frozen

TASK = "0101"
KINDS = {
    "succeeded": "succeeded",
    "guarded": "succeeded",
    "failed": "failed",
    "crashed": "failed",
    "unstartable": "failed",
    "timed-out": "failed",
    "waived": "succeeded",
    "rejected": "failed",
    "parallel": "succeeded",
    "parallel-failed": "failed",
    "sub-pipelines": "succeeded",
    "sub-pipeline-failed": "failed",
    "nothing-ran": "failed",
}
"""Pipeline of kinds.json -> the status that its run must have."""

STARTING_SECONDS = 30
GROUP_OF_TWO = {"FEATURE_TFGRPO_GROUP": "1", "TFGRPO_GROUP_SIZE": "2"}


@frozen
class Workspace:
    """A folder with a configuration, and our command line in it."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> "Workspace":
        """A folder with the pipelines of kinds.json."""
        root.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_name("kinds.json"), root / "codex.orchestrator.json")
        return cls(root)

    def run(self, pipeline: str, **environment: str) -> str:
        """A run from beginning to end; its id."""
        done = self._call("run", pipeline, **environment)
        return str(json.loads(done.stdout)["run_id"])

    def plan(self, pipeline: str) -> dict[str, object]:
        """What we would run; the call must end with 0."""
        done = self._call("plan", pipeline)
        assert done.returncode == 0, done.stderr
        data = json.loads(done.stdout)
        assert isinstance(data, dict)
        return data

    def cancelled_run(self) -> str:
        """A run that SIGTERM cut short; its id."""
        with self.held_run() as (run_id, process):
            process.send_signal(signal.SIGTERM)
            assert process.wait() == -signal.SIGTERM
        return run_id

    def lost_run(self) -> str:
        """A run whose process was killed, sealed by the next run; its id."""
        with self.held_run() as (run_id, process):
            process.kill()
            process.wait()
        self.run("waived")
        return run_id

    def resumed_run(self) -> str:
        """A run that failed, and failed again when it was resumed; its id."""
        run_id = self.run("failed")
        command = [sys.executable, "-m", "orchestrator_py", "resume", "--run", run_id]
        assert subprocess.run(command, cwd=self.root, env=_environment(), capture_output=True, check=False).returncode == 1
        return run_id

    @contextmanager
    def held_run(self) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
        """A run in progress: its id, and the process that owns it. It may go on at the end of the block."""
        before = set(self.run_ids())
        with (
            _fifo(self.root / "gate") as gate,
            (self.root / "told").open("w") as told,
            subprocess.Popen(
                self._command("run", "held"), cwd=self.root, env=_environment(), stdout=told, stderr=told, text=True
            ) as process,
        ):
            try:
                yield self._wait_for_a_running_stage(before), process
            finally:
                os.write(gate, b"go on\n")

    def _wait_for_a_running_stage(self, before: set[str]) -> str:
        deadline = monotonic() + STARTING_SECONDS
        while monotonic() < deadline:
            for run_id in set(self.run_ids()) - before:
                commands = self.manifest(run_id)["commands"]
                if isinstance(commands, list) and commands[0]["status"] == "running":
                    return run_id
            sleep(0.01)
        raise AssertionError((self.root / "told").read_text())

    def run_ids(self) -> list[str]:
        """Every run of the task so far."""
        return [manifest.parent.name for manifest in self.task.glob("cli/*/manifest.json")]

    def manifest(self, run_id: str) -> dict[str, object]:
        """The manifest of one run."""
        data = json.loads((self.task / "cli" / run_id / "manifest.json").read_text())
        assert isinstance(data, dict)
        return data

    def history(self) -> list[dict[str, object]]:
        """The lines of metrics.json."""
        return [json.loads(line) for line in (self.task / "metrics.json").read_text().split("\n") if line]

    def rollups(self) -> dict[str, dict[str, object]]:
        """Every rollup that is there, without the time of its writing."""
        folders = {"metrics": self.task / "metrics", "out": self.root / "out" / TASK, "out/metrics": self.root / "out" / TASK / "metrics"}
        names = ("baseline", "post-rollout", "completeness", "per-epoch", "state", "mttr-delta")
        files = {f"{place}/{name}": folder / f"{name}.json" for place, folder in folders.items() for name in names}
        return {label: _without_time(path) for label, path in files.items() if path.is_file()}

    @property
    def task(self) -> Path:
        """The task's folder."""
        return self.root / ".runs" / TASK

    def _call(self, command: str, pipeline: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._command(command, pipeline), cwd=self.root, env=_environment() | environment, capture_output=True, text=True, check=False
        )

    def _command(self, command: str, pipeline: str) -> list[str]:
        return [sys.executable, "-m", "orchestrator_py", command, pipeline, "--format", "json"]


@contextmanager
def _fifo(path: Path) -> Iterator[int]:
    """Open for both directions, so that neither end ever waits for the other to be opened."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        path.unlink()


def _environment() -> dict[str, str]:
    """The one around the tests, without what would redirect a run."""
    ours = ("CODEX_", "MCP_RUNNER_", "TFGRPO_", "FEATURE_TFGRPO")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _without_time(path: Path) -> dict[str, object]:
    return {key: value for key, value in json.loads(path.read_text()).items() if key != "updated_at"}
