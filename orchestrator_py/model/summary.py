"""The run summary: the shape that consumers read, and the exact words beside it that only the Python object carries."""

from collections.abc import Mapping
from datetime import timedelta

from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.approval import Approval
from orchestrator_py.model.execution import Loss
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause
from orchestrator_py.model.result import BuildResult, ReviewResult, TestResult
from orchestrator_py.model.task import Mode, PlanResult
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class AttemptReport:
    """One attempt at a subtask; `elapsed` comes from the monotonic clock.

    Not serialised: `loss`, which is there if nobody saw its end, and `approvals`, what its commands have let pass if another
    attempt was to follow.
    """

    number: int
    outcome: Outcome
    started_at: Timestamp
    completed_at: Timestamp
    elapsed: timedelta = timedelta()
    loss: Loss | None = None
    approvals: tuple[Approval, ...] = ()


@frozen(kw_only=True)
class SubtaskReport:
    """How one planned subtask ended. A subtask that never started has no times, no attempts and no results.

    `outcome` is the raw word; a `waived` subtask counts as succeeded, a `flaky` one succeeded after a retry. `counts_as` is there if the
    subtask counts as something else all the same: the rules of the run let neither pass, or its deadline kept the subtask from starting.
    `error` is what an agent raised.
    """

    subtask_id: SubtaskId
    outcome: Outcome
    cause: StopCause | None = None
    skip_reason: SkipReason | None = None
    mode: Mode = Mode.MCP
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    attempts: tuple[AttemptReport, ...] = ()
    waived: bool = False
    counts_as: Outcome | None = None
    build: BuildResult | None = None
    test: TestResult | None = None
    review: ReviewResult | None = None
    error: BaseException | None = field(default=None, eq=False, repr=False)

    @property
    def started(self) -> bool:
        """Whether it ever began to run."""
        return self.started_at is not None

    @property
    def counted(self) -> Outcome:
        """The word that the run's verdict is made of."""
        return self.counts_as or (Outcome.SUCCEEDED if self.waived else self.outcome)

    @property
    def flaky(self) -> bool:
        """Succeeded, but not at the first attempt."""
        return self.outcome is Outcome.SUCCEEDED and len(self.attempts) > 1


@frozen(kw_only=True)
class GroupEntry:
    """One processed subtask of a group. `status` speaks of build and test; the reviewer's word is `review_approved`."""

    index: int
    subtask_id: str
    mode: Mode
    build_success: bool
    test_success: bool
    review_approved: bool
    status: str


@frozen(kw_only=True)
class GroupSummary:
    """`size` subtasks were planned, `processed` were started; `entries` are in the group's order."""

    enabled: bool = True
    size: int
    processed: int
    entries: tuple[GroupEntry, ...] = ()


@frozen(kw_only=True)
class RunSummary:
    """What a run came to. `outcome`, `cause` and `subtasks` are not serialised: the JSON keeps the shape that its readers know.

    `build`, `test` and `review` are those of the deciding subtask; `builds`, `tests`, `reviews` and `group` are there for a group only,
    one element for each started subtask in the group's order. `subtasks` accounts for every planned subtask. `scheduler` is JSON data.
    """

    task_id: TaskId
    run_id: RunId
    mode: Mode
    plan: PlanResult
    build: BuildResult
    test: TestResult
    review: ReviewResult
    timestamp: Timestamp
    group: GroupSummary | None = None
    builds: tuple[BuildResult, ...] | None = None
    tests: tuple[TestResult, ...] | None = None
    reviews: tuple[ReviewResult, ...] | None = None
    scheduler: Mapping[str, object] | None = None
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)
    outcome: Outcome | None = None
    cause: StopCause | None = None
    subtasks: tuple[SubtaskReport, ...] = field(default=(), repr=False)
