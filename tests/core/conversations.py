"""A run as its messages: what lanes tell the aggregator, made from how each subtask ended."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from orchestrator_py.core import fixed_texts
from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.core.plan import create_plan
from orchestrator_py.core.run_opening import PipelineOptions, RunPaths, open_embedded, open_pipeline
from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.model.effects import Effects
from orchestrator_py.model.messages import ClosedRun, CloseRun, InstanceReleased, Message, OpenRun, SubtaskEnded, SubtaskTaken
from orchestrator_py.model.outcome import Outcome, SkipReason, StopCause, StopKind
from orchestrator_py.model.pipeline import CommandStage, Pipeline
from orchestrator_py.model.policy import LENIENT, VerdictRules
from orchestrator_py.model.result import BuildResult, ReviewDecision, ReviewResult, TestResult
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp

RUN = RunId("run-1")
TASK = TaskContext(id="task-1", title="Task one")
STOP = StopCause(StopKind.EMBEDDER, "enough")
WORDS = [outcome for outcome in Outcome if outcome is not Outcome.ERROR]


def stamp(second: int) -> Timestamp:
    return Timestamp(f"2025-01-02T03:04:{second:02d}.000Z")


def open_run(count: int, *, lanes: int = 2) -> OpenRun:
    """An embedded run of `count` subtasks named s0, s1, ..."""
    plan = PlanResult(items=tuple(PlanItem(id=f"s{place}") for place in range(count)))
    return open_embedded(
        run_id=RUN,
        task=TASK,
        plan=plan,
        grouped=True,
        limit=lanes,
        pipeline_id="embedded",
        paths=RunPaths(artifact_root=".runs/task-1/run-1"),
        started_at=stamp(0),
        keep_summary=True,
    )


def open_pipeline_run(count: int, *, jobs: int = 2, left_out: tuple[str, ...] = (), rules: VerdictRules = LENIENT) -> OpenRun:
    """A command-line run of `count` stages named s0, s1, ... that need nothing of each other."""
    stages = tuple(CommandStage(id=f"s{place}", title=f"Stage {place}", command="true") for place in range(count))
    pipeline = Pipeline(id="p", title="P", stages=stages, parallel=True)
    return open_pipeline(
        run_id=RUN,
        task=TASK,
        plan=create_plan(pipeline, target=None),
        options=PipelineOptions(pipeline=pipeline, jobs=jobs, environment={}, resume_token="0" * 64, left_out=left_out, rules=rules),
        paths=RunPaths(artifact_root=".runs/task-1/cli/run-1", compat_path="x", log_path="y"),
        started_at=stamp(0),
    )


def report(subtask_id: SubtaskId, word: Outcome, place: int) -> SubtaskReport:
    """How a subtask with this word is reported, its times derived from its place in the plan."""
    match word:
        case Outcome.SKIPPED:
            return SubtaskReport(subtask_id=subtask_id, outcome=word, skip_reason=SkipReason.UPSTREAM)
        case Outcome.CANCELLED if place % 2:
            return SubtaskReport(subtask_id=subtask_id, outcome=word, cause=STOP)  # kept from starting
    build, test, review = _results(subtask_id, word)
    started, ended = stamp(2 * place + 1), stamp(2 * place + 2)
    attempt = AttemptReport(number=1, outcome=word, started_at=started, completed_at=ended, elapsed=timedelta(seconds=1))
    return SubtaskReport(
        subtask_id=subtask_id,
        outcome=word,
        cause=STOP if word is Outcome.CANCELLED else None,
        started_at=started,
        completed_at=ended,
        attempts=(attempt,),
        build=build,
        test=test,
        review=review,
    )


def _results(subtask_id: SubtaskId, word: Outcome) -> tuple[BuildResult, TestResult, ReviewResult]:
    good = word in (Outcome.SUCCEEDED, Outcome.REJECTED)
    build = BuildResult(subtask_id=subtask_id, success=good, mode=Mode.MCP, run_id=RUN, notes=word.value)
    if not good:
        return build, fixed_texts.test_skipped_after(build, RUN), fixed_texts.review_skipped_after_build()
    test = TestResult(subtask_id=subtask_id, success=True, run_id=RUN)
    decision = ReviewDecision(approved=word is Outcome.SUCCEEDED)
    return build, test, ReviewResult(summary="seen", decision=decision)


def reports_of(opening: OpenRun, words: Sequence[Outcome]) -> list[SubtaskReport]:
    """One report for each subtask in plan order."""
    return [report(SubtaskId(item.id), word, place) for place, (item, word) in enumerate(zip(opening.order, words, strict=True))]


def news_of(opening: OpenRun, one: SubtaskReport) -> list[Message]:
    """What is told of one subtask, in the order in which its lane tells it."""
    assert opening.scheduler is not None
    lanes = list(opening.scheduler.assignments)
    place = [item.id for item in opening.order].index(one.subtask_id)
    lane = lanes[place % len(lanes)]
    if one.started_at is None or one.completed_at is None:
        return [SubtaskEnded(run_id=RUN, report=one, instance_id=None, at=stamp(50))]
    return [
        SubtaskTaken(run_id=RUN, subtask_id=one.subtask_id, instance_id=lane, at=one.started_at),
        SubtaskEnded(run_id=RUN, report=one, instance_id=lane, at=one.completed_at),
    ]


def released(opening: OpenRun) -> list[Message]:
    """Every lane takes no more work."""
    assert opening.scheduler is not None
    return [InstanceReleased(run_id=RUN, instance_id=lane, at=stamp(55)) for lane in opening.scheduler.assignments]


def conversation(opening: OpenRun, reports: Iterable[SubtaskReport]) -> list[Message]:
    """The whole run, subtasks ending in the order of `reports`."""
    news = [message for one in reports for message in news_of(opening, one)]
    return [opening, *news, *released(opening), CloseRun(run_id=RUN, at=stamp(59))]


def hear(messages: Iterable[Message]) -> list[Effects]:
    """What an aggregator does about the messages."""
    mind = Aggregation(TaskId("task-1"))
    return [mind.handle(message) for message in messages]


def closed(effects: Iterable[Effects]) -> ClosedRun:
    """The reply to the one CloseRun that closed the run."""
    replies = [effect.reply for effect in effects if isinstance(effect.reply, ClosedRun)]
    assert len(replies) == 1
    return replies[0]
