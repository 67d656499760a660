"""The news of a run, numbered from 1 within it, in the order in which the aggregator came to know them.

A reader that was too slow sees a gap in `seq`; the report is not touched by that.

`manifest` and `command` are what the manifest of a command-line run says at that moment, of the run and of the stage. They are not
serialised, and None for an embedded run.
"""

from orchestrator_py.ids import InstanceId, RunId, SubtaskId, TaskId
from orchestrator_py.lean import frozen
from orchestrator_py.model.manifest import CommandRecord, Manifest
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.result import BuildResult, ReviewResult, TestResult
from orchestrator_py.model.summary import AttemptReport, RunSummary, SubtaskReport
from orchestrator_py.model.task import PlanResult
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class Event:
    """What every piece of news carries."""

    seq: int
    timestamp: Timestamp
    task_id: TaskId
    run_id: RunId


@frozen(kw_only=True)
class RunStarted(Event):
    """A run is on record; `planned` subtasks will be accounted for."""

    pipeline_id: str
    planned: int
    manifest: Manifest | None = None


@frozen(kw_only=True)
class PlanCompleted(Event):
    """The planner has answered."""

    plan: PlanResult


@frozen(kw_only=True)
class SubtaskStarted(Event):
    """A worker slot has taken up a subtask."""

    subtask_id: SubtaskId
    instance_id: InstanceId
    command: CommandRecord | None = None


@frozen(kw_only=True)
class AttemptFailed(Event):
    """An attempt ended without success, and another one follows."""

    subtask_id: SubtaskId
    attempt: AttemptReport


@frozen(kw_only=True)
class BuildCompleted(Event):
    """The builder of a subtask has answered."""

    build: BuildResult


@frozen(kw_only=True)
class TestCompleted(Event):
    """The tester of a subtask has answered."""

    __test__ = False

    test: TestResult


@frozen(kw_only=True)
class ReviewCompleted(Event):
    """The reviewer of a subtask has answered."""

    subtask_id: SubtaskId
    review: ReviewResult


@frozen(kw_only=True)
class SubtaskFinished(Event):
    """A planned subtask is accounted for: it ended, or it never will start. `done` counts such news, this one included."""

    report: SubtaskReport
    done: int
    planned: int
    command: CommandRecord | None = None


@frozen(kw_only=True)
class RunStopping(Event):
    """A stop was asked for and recorded."""

    cause: StopCause


@frozen(kw_only=True)
class RunCompleted(Event):
    """The last news of a run: its verdict is on record. `summary` is the one before the scheduler is added."""

    outcome: Outcome
    summary: RunSummary
    manifest: Manifest | None = None


EVENT_TYPES: dict[type[Event], str] = {
    RunStarted: "run:started",
    PlanCompleted: "plan:completed",
    SubtaskStarted: "subtask:started",
    AttemptFailed: "attempt:failed",
    BuildCompleted: "build:completed",
    TestCompleted: "test:completed",
    ReviewCompleted: "review:completed",
    SubtaskFinished: "subtask:finished",
    RunStopping: "run:stopping",
    RunCompleted: "run:completed",
}
