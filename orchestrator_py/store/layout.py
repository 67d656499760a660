"""Every path, in one file. The shapes are the contract's; consumers know them."""

from functools import lru_cache
from pathlib import Path

from orchestrator_py.core import places
from orchestrator_py.core.places import RESERVED_RUN_IDS as RESERVED_RUN_IDS
from orchestrator_py.core.places import RESERVED_TASK_IDS as RESERVED_TASK_IDS
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import field, frozen


@frozen(kw_only=True)
class Layout:
    """Where everything lies: `root` is the repository, the other two may be redirected."""

    root: Path
    runs_root: Path
    out_root: Path

    @classmethod
    def below(cls, root: Path, runs_dir: Path | None = None, out_dir: Path | None = None) -> "Layout":
        """Defaults `.runs` and `out` below the root; a relative folder is meant below the root too."""
        root = root.absolute()
        return cls(root=root, runs_root=root / (runs_dir or places.RUNS), out_root=root / (out_dir or places.OUT))

    def task(self, task_id: TaskId) -> "TaskLayout":
        return _task_layout(self, task_id)

    def local_mcp_pointer(self, run_id: RunId) -> Path:
        return self.runs_root / "local-mcp" / run_id / places.MANIFEST

    @property
    def ignore_file(self) -> Path:
        """Holds `*`: nothing below the runs folder belongs into version control."""
        return self.runs_root / ".gitignore"

    def relative(self, path: Path) -> str:
        """As files and summaries name a path: relative to the root, absolute when it lies outside."""
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()


@frozen(kw_only=True)
class TaskLayout:
    """The files of one task; `Layout.task` makes it."""

    layout: Layout
    task_id: TaskId
    folder: Path = field(eq=False)
    """This and what most others are made of is joined once: opening a task asks for them a hundred times."""
    metrics: Path = field(eq=False)
    """The history: one JSON object a line."""
    pending: Path = field(eq=False)
    """Journal segments of the owner, queued entries of everyone else."""
    rollups: Path = field(eq=False)
    out: Path = field(eq=False)

    @property
    def lock(self) -> Path:
        return self.folder / ".writer.lock"

    @property
    def baseline(self) -> Path:
        return self.rollups / places.BASELINE

    @property
    def post_rollout(self) -> Path:
        return self.rollups / places.POST_ROLLOUT

    @property
    def completeness(self) -> Path:
        return self.rollups / "completeness.json"

    @property
    def per_epoch(self) -> Path:
        return self.rollups / "per-epoch.json"

    @property
    def rollup_state(self) -> Path:
        return self.rollups / ".rollup-state.json"

    @property
    def mttr_delta(self) -> Path:
        return self.out / places.ROLLUPS / places.MTTR_DELTA

    @property
    def state(self) -> Path:
        return self.out / "state.json"

    @property
    def live_runs(self) -> Path:
        """One locked marker for each command-line run whose process is alive."""
        return self.folder / places.LIVE_RUNS

    @property
    def in_flight(self) -> Path:
        """For each process with embedded runs that last: a locked marker, and beside it what goes on there."""
        return self.folder / places.IN_FLIGHT

    def cli_run(self, run_id: RunId) -> "RunLayout":
        return RunLayout(folder=self.folder / places.RUNS_OF_COMMAND_LINE / run_id)

    def embedded_run(self, run_id: RunId) -> "RunLayout":
        """Its `manifest` holds the run summary, as the contract wants it."""
        return RunLayout(folder=self.folder / run_id)

    def mcp_pointer(self, run_id: RunId) -> Path:
        return self.folder / "mcp" / run_id / places.MANIFEST


@lru_cache
def _task_layout(layout: Layout, task_id: TaskId) -> TaskLayout:
    folder = layout.runs_root / task_id
    return TaskLayout(
        layout=layout,
        task_id=task_id,
        folder=folder,
        metrics=folder / places.METRICS,
        pending=folder / places.PENDING,
        rollups=folder / places.ROLLUPS,
        out=layout.out_root / task_id,
    )


def embedded_artifact_root(layout: Layout, task_id: TaskId, run_id: RunId) -> str:
    """The folder of an embedded run, as files and summaries name it."""
    return f"{_relative_folder(layout, task_id)}/{run_id}"


@lru_cache
def _relative_folder(layout: Layout, task_id: TaskId) -> str:
    return layout.relative(layout.task(task_id).folder)


@frozen(kw_only=True)
class RunLayout:
    """The files of one run."""

    folder: Path

    @property
    def manifest(self) -> Path:
        return self.folder / places.MANIFEST

    @property
    def run_summary(self) -> Path:
        return self.folder / "run-summary.json"

    @property
    def runner_log(self) -> Path:
        return self.folder / "runner.ndjson"

    @property
    def events(self) -> Path:
        """The run events, one JSON object a line."""
        return self.folder / places.EVENTS

    @property
    def commands(self) -> Path:
        return self.folder / places.COMMANDS

    @property
    def errors(self) -> Path:
        return self.folder / "errors"

    @property
    def heartbeat(self) -> Path:
        return self.folder / ".heartbeat"

    @property
    def resume_token(self) -> Path:
        return self.folder / ".resume-token"
