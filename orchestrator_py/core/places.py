"""What the files and folders of the record are called, and the version of the manifests in them. The shapes are the contract's.

Plain text, without any library: whoever only wants to read starts fast.
"""

from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import TaskId

RUNS = ".runs"
OUT = "out"

RUNS_OF_COMMAND_LINE = "cli"
LIVE_RUNS = "live-runs"
IN_FLIGHT = "in-flight"
"""Of a task: what each process that runs something of it inside another program tells while that lasts."""
FLIGHTS_SUFFIX = ".json"
"""Of that file; without it, the name of the locked marker beside it."""
METRICS = "metrics.json"
PENDING = "metrics.pending"
ROLLUPS = "metrics"
BASELINE = "baseline.json"
POST_ROLLOUT = "post-rollout.json"
MTTR_DELTA = "mttr-delta.json"

MANIFEST = "manifest.json"
EVENTS = "events.jsonl"
COMMANDS = "commands"
APPROVALS = "approvals"
APPROVALS_VARIABLE = "CODEX_ORCHESTRATOR_APPROVALS_PATH"
"""Names the file in which a command of a stage leaves what was approved, one JSON object a line: the run takes it into its manifest."""
REVIEW = "review.md"
REVIEW_RESULT = "review.json"

QUEUE_SUFFIX = ".jsonl"
"""Of the files in the pending folder that hold queued entries."""

MANIFEST_VERSION = 1
FLIGHTS_VERSION = 1

RESERVED_RUN_IDS = frozenset({RUNS_OF_COMMAND_LINE, LIVE_RUNS, IN_FLIGHT, "mcp", ROLLUPS, METRICS, "metrics.lock", PENDING})
"""What already stands beside the folders of embedded runs in a task's folder."""

RESERVED_TASK_IDS = frozenset({"local-mcp"})
"""What already stands beside the folders of tasks in the runs folder."""


def refuse_reserved_task(task_id: TaskId) -> None:
    """IdentifierError for a task whose runs no reader would find."""
    if task_id.lower() in RESERVED_TASK_IDS:
        raise IdentifierError(f'Invalid task ID "{task_id}": the runs folder keeps something else under that name; choose another.')
