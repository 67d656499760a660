"""How one command ended, as observed: facts only, the word for them is derived elsewhere."""

from datetime import timedelta

from attrs import field

from orchestrator_py.ids import RunId
from orchestrator_py.lean import frozen
from orchestrator_py.model.outcome import Outcome


@frozen(kw_only=True)
class Output:
    """What is kept of one stream: `text` is its first 64 KiB, decoded; `truncated` if more came; `tail` is its last 8 KiB."""

    text: str = ""
    truncated: bool = False
    tail: str = ""


@frozen(kw_only=True)
class Execution:
    """The observed end of a command, or of a child run.

    `exit_code` is the process's own code, None if it has none; `signal` is the name of the signal that killed it; `stopped` says that
    we ended it; `leaked` says that its process group was still there after KILL; `spawn_error` that it could not be started.
    `child_outcome` is the verdict of a child run. `duration` comes from the monotonic clock.
    """

    exit_code: int | None = None
    signal: str | None = None
    stopped: bool = False
    leaked: bool = False
    spawn_error: str | None = None
    child_run_id: RunId | None = None
    child_outcome: Outcome | None = None
    duration: timedelta = timedelta()
    stdout: Output = field(factory=Output)
    stderr: Output = field(factory=Output)
