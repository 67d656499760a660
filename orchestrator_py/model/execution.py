"""How one command ended, as observed: facts only, the word for them is derived elsewhere."""

from datetime import timedelta
from enum import Enum

from orchestrator_py.ids import RunId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.approval import Approval
from orchestrator_py.model.outcome import Outcome


@frozen(kw_only=True)
class Output:
    """What is kept of one stream: `text` is its first 64 KiB, decoded; `truncated` if more came; `tail` is its last 8 KiB."""

    text: str = ""
    truncated: bool = False
    tail: str = ""


class LossKind(Enum):
    """What was lost: the worker that ran it, or the engine that knew of it."""

    WORKER = "worker-lost"
    ENGINE = "engine-lost"


@frozen
class Loss:
    """Why nobody knows how it ended."""

    kind: LossKind
    detail: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.detail}"


@frozen(kw_only=True)
class Execution:
    """The observed end of a command, or of a child run.

    `exit_code` is the process's own code, None if it has none; `signal` is the name of the signal that killed it; `stopped` says that
    we ended it; `leaked` says that its process group was still there after KILL; `spawn_error` that it could not be started.
    `child_outcome` is the verdict of a child run. `worker` is the name of the machine, or part of one, that ran it, None for this program;
    `loss` says why its end was not seen. `duration` comes from the monotonic clock. `approvals` are what its guards have let pass.
    """

    exit_code: int | None = None
    signal: str | None = None
    stopped: bool = False
    leaked: bool = False
    spawn_error: str | None = None
    child_run_id: RunId | None = None
    child_outcome: Outcome | None = None
    worker: str | None = None
    loss: Loss | None = None
    duration: timedelta = timedelta()
    stdout: Output = field(factory=Output)
    stderr: Output = field(factory=Output)
    approvals: tuple[Approval, ...] = ()
