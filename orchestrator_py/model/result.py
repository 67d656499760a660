"""What the agents are given and what they answer, in the contract's fields."""

from collections.abc import Mapping

from orchestrator_py.ids import RunId
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext

_NOT_YET = RunId("")  # the manager writes its own over it


@frozen(kw_only=True)
class BuildArtifact:
    """A file that a build made: its path and what it is."""

    path: str
    description: str = ""


@frozen(kw_only=True)
class BuildResult:
    """A builder's answer. `mode` and `run_id` are overwritten by the manager; unknown keys of JSON data are kept in `extra`.

    `execution` tells how the command behind the result ended; it is not serialised and None for an agent without one.
    """

    subtask_id: str
    artifacts: tuple[BuildArtifact, ...] = field(default=(), converter=tuple[BuildArtifact, ...])
    mode: Mode = Mode.MCP
    run_id: RunId = _NOT_YET
    success: bool
    notes: str | None = None
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)
    execution: Execution | None = field(default=None, repr=False)


@frozen(kw_only=True)
class TestReport:
    """One named check of a tester: `status` is `passed` or `failed`."""

    __test__ = False  # not a test class, whatever its name begins with

    name: str
    status: str
    details: str | None = None


@frozen(kw_only=True)
class TestResult:
    """A tester's answer; `run_id` is overwritten by the manager."""

    __test__ = False

    subtask_id: str
    success: bool
    reports: tuple[TestReport, ...] = field(default=(), converter=tuple[TestReport, ...])
    run_id: RunId = _NOT_YET
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)
    execution: Execution | None = field(default=None, repr=False)


@frozen(kw_only=True)
class ReviewDecision:
    """The reviewer's word; `feedback` says what has to change."""

    approved: bool
    feedback: str | None = None


@frozen(kw_only=True)
class ReviewResult:
    """A reviewer's answer. A decision that is not approved makes the subtask `rejected`."""

    summary: str
    decision: ReviewDecision
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)
    execution: Execution | None = field(default=None, repr=False)


@frozen(kw_only=True)
class BuildInput:
    """What a builder is given."""

    task: TaskContext
    plan: PlanResult
    target: PlanItem
    mode: Mode
    run_id: RunId
    attempt: int = 1


@frozen(kw_only=True)
class TestInput:
    """What a tester is given: the build has succeeded."""

    __test__ = False

    task: TaskContext
    build: BuildResult
    target: PlanItem
    mode: Mode
    run_id: RunId
    attempt: int = 1


@frozen(kw_only=True)
class ReviewInput:
    """What a reviewer is given: build and test have succeeded."""

    task: TaskContext
    plan: PlanResult
    build: BuildResult
    test: TestResult
    target: PlanItem
    mode: Mode
    run_id: RunId
    attempt: int = 1
