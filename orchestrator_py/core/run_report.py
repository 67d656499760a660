"""The run summary as a pure function of the set of reports: whoever ended first does not show."""

from collections.abc import Sequence

from attrs import frozen

from orchestrator_py.core import fixed_texts
from orchestrator_py.core.outcome import build_outcome, deciding, test_outcome, verdict
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.result import BuildResult, ReviewResult, TestResult
from orchestrator_py.model.summary import GroupEntry, GroupSummary, RunSummary, SubtaskReport
from orchestrator_py.model.task import Mode, PlanResult
from orchestrator_py.model.timestamp import Timestamp


@frozen(kw_only=True)
class RunFacts:
    """Everything that a summary is made of. `reports` hold every planned subtask, in the group's order."""

    task_id: TaskId
    run_id: RunId
    plan: PlanResult
    reports: Sequence[SubtaskReport]
    grouped: bool
    closed_at: Timestamp
    cause: StopCause | None = None
    contradiction: str | None = None


def create_summary(facts: RunFacts) -> RunSummary:
    """The summary, its exact verdict beside it."""
    outcome = Outcome.ERROR if facts.contradiction else verdict({report.counted for report in facts.reports})
    processed = [report for report in facts.reports if report.started]
    decisive = deciding(facts.reports, outcome) or deciding(facts.reports, verdict({r.counted for r in processed}))
    build, test, review = _results(decisive) if decisive else _nothing_started(facts)
    grouped = facts.grouped and len(facts.reports) > 1
    triples = [_results(report) for report in processed] if grouped else []
    return RunSummary(
        task_id=facts.task_id,
        run_id=facts.run_id,
        mode=_mode(processed),
        plan=facts.plan,
        build=build,
        test=test,
        review=review,
        timestamp=max((r.completed_at for r in processed if r.completed_at is not None), default=facts.closed_at),
        group=_group(facts, processed) if grouped else None,
        builds=tuple(triple[0] for triple in triples) if grouped else None,
        tests=tuple(triple[1] for triple in triples) if grouped else None,
        reviews=tuple(triple[2] for triple in triples) if grouped else None,
        outcome=outcome,
        cause=facts.cause,
        subtasks=tuple(facts.reports),
    )


def planner_error_summary(*, task_id: TaskId, run_id: RunId, message: str, at: Timestamp) -> RunSummary:
    """The summary of a run whose planner raised: nothing could be planned, and it says so in the contract's words."""
    build = fixed_texts.builder_error(fixed_texts.PLANNER_UNAVAILABLE, message, mode=Mode.MCP, run_id=run_id)
    return RunSummary(
        task_id=task_id,
        run_id=run_id,
        mode=Mode.MCP,
        plan=fixed_texts.planner_error_plan(message),
        build=build,
        test=fixed_texts.test_skipped_after(build, run_id),
        review=fixed_texts.review_skipped_after_build(),
        timestamp=at,
        outcome=Outcome.FAILED,
    )


def _results(report: SubtaskReport) -> tuple[BuildResult, TestResult, ReviewResult]:
    if report.build is None or report.test is None or report.review is None:
        raise ValueError(f"subtask {report.subtask_id} was started and carries no results")
    return report.build, report.test, report.review


def _nothing_started(facts: RunFacts) -> tuple[BuildResult, TestResult, ReviewResult]:
    first = facts.reports[0].subtask_id if facts.reports else fixed_texts.PLANNER_UNAVAILABLE
    build = fixed_texts.failed_build(first, fixed_texts.NOTHING_STARTED, mode=Mode.MCP, run_id=facts.run_id)
    return build, fixed_texts.test_skipped_after(build, facts.run_id), fixed_texts.review_skipped_after_build()


def _mode(processed: Sequence[SubtaskReport]) -> Mode:
    return Mode.CLOUD if any(report.mode is Mode.CLOUD for report in processed) else Mode.MCP


def _group(facts: RunFacts, processed: Sequence[SubtaskReport]) -> GroupSummary:
    entries = tuple(_entry(place, report) for place, report in enumerate(facts.reports, start=1) if report.started)
    return GroupSummary(size=len(facts.reports), processed=len(processed), entries=entries)


def _entry(place: int, report: SubtaskReport) -> GroupEntry:
    build, test, review = _results(report)
    succeeded = build_outcome(build) is Outcome.SUCCEEDED and test_outcome(test) is Outcome.SUCCEEDED
    return GroupEntry(
        index=place,
        subtask_id=report.subtask_id,
        mode=report.mode,
        build_success=build.success,
        test_success=test.success,
        review_approved=bool(review.decision.approved),
        status="succeeded" if succeeded else "failed",
    )
