"""Where the stages of one run work, and the environment that they are given."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator_py.core import places
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.pipeline import CommandStage

Trace = Callable[[RunId, str], Mapping[str, str]]


@frozen(kw_only=True)
class RunPlace:
    """One run, as its stages see it; the paths are absolute. `environ` is the environment that the program itself was given.

    `trace` answers what a stage of a run is told of the trace that it works in.
    """

    task_id: TaskId
    run_id: RunId
    pipeline_id: str
    manifest_path: Path
    run_dir: Path
    runs_dir: Path
    out_dir: Path
    repo_root: Path
    environ: Mapping[str, str] = field(factory=dict, repr=False)
    trace: Trace | None = field(default=None, repr=False)
    _run: Mapping[str, str] = field(init=False, repr=False)
    _approvals: str = field(init=False, repr=False)

    @_run.default
    def _names_of_the_run(self) -> Mapping[str, str]:
        run = {
            "TASK_ID": self.task_id,
            "RUN_ID": self.run_id,
            "PIPELINE_ID": self.pipeline_id,
            "MANIFEST_PATH": str(self.manifest_path),
            "RUN_DIR": str(self.run_dir),
            "RUNS_DIR": str(self.runs_dir),
            "OUT_DIR": str(self.out_dir),
            "REPO_ROOT": str(self.repo_root),
            "ROOT": str(self.repo_root),
            "PYTHON": sys.executable,
        }
        return {f"CODEX_ORCHESTRATOR_{name}": value for name, value in run.items()}

    @_approvals.default
    def _folder_of_approvals(self) -> str:
        return str(self.run_dir / places.APPROVALS)

    def environment(self, stage: CommandStage, approvals: str) -> dict[str, str]:
        """The program's own, then the run's, then the stage's, and last, so that it wins, where to leave what is approved."""
        trace = {} if self.trace is None else self.trace(self.run_id, stage.id)
        return {**self.environ, **trace, **self._run, **stage.env, places.APPROVALS_VARIABLE: approvals}

    def approvals_file(self, index: int) -> str:
        """A new one for each command of a stage, whose place in the pipeline is `index`; it is there once something is approved."""
        return f"{self._approvals}/{index:02d}-{os.urandom(4).hex()}.jsonl"

    def working_folder(self, stage: CommandStage) -> Path:
        """The stage's folder; a relative one is meant below the repository."""
        return self.repo_root / stage.cwd if stage.cwd else self.repo_root
