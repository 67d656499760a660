"""The run summary as a pure function of the set of reports: whoever ended first does not show."""

from collections.abc import Sequence

from orchestrator_py.core import fixed_texts
from orchestrator_py.core.answers import Results
from orchestrator_py.core.outcome import build_outcome, deciding, test_outcome, verdict
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import frozen, maker
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.summary import GroupEntry, GroupSummary, RunSummary, SubtaskReport
from orchestrator_py.model.task import Mode, PlanResult
from orchestrator_py.model.timestamp import Timestamp

_make_entry, _make_summary = maker(GroupEntry), maker(RunSummary)


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
    build, test, review = _top_level(facts, outcome)
    grouped = facts.grouped and len(facts.reports) > 1
    builds, tests, reviews = zip(*map(_results, processed), strict=True) if processed else ((), (), ())
    entries = [_entry(place, report) for place, report in enumerate(facts.reports, start=1) if report.started] if grouped else []
    return _make_summary(
        task_id=facts.task_id,
        run_id=facts.run_id,
        mode=_mode(processed),
        plan=facts.plan,
        build=build,
        test=test,
        review=review,
        timestamp=max((r.completed_at for r in processed if r.completed_at is not None), default=facts.closed_at),
        group=GroupSummary(size=len(facts.reports), processed=len(processed), entries=tuple(entries)) if grouped else None,
        builds=builds if grouped else None,
        tests=tests if grouped else None,
        reviews=reviews if grouped else None,
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


def _results(report: SubtaskReport) -> Results:
    if report.build is None or report.test is None or report.review is None:
        raise ValueError(f"subtask {report.subtask_id} was started and carries no results")
    return report.build, report.test, report.review


def _top_level(facts: RunFacts, outcome: Outcome) -> Results:
    """Those of the deciding subtask. They never read as a success if the verdict is none."""
    if outcome is Outcome.ERROR:
        return _no_results(facts, _first(facts, outcome), fixed_texts.not_vouched_for_text(facts.contradiction))
    decisive = deciding(facts.reports, outcome)
    if decisive is not None and not (decisive.flaky and outcome is not Outcome.SUCCEEDED):
        return _results(decisive)
    if decisive is not None:
        return _no_results(facts, decisive.subtask_id, fixed_texts.flaky_text(len(decisive.attempts)))
    if any(report.started for report in facts.reports):
        return _no_results(facts, _first(facts, outcome), fixed_texts.not_started_text(facts.cause))
    return _no_results(facts, _first(facts, outcome), fixed_texts.NOTHING_STARTED)


def _first(facts: RunFacts, outcome: Outcome) -> str:
    """The first subtask that carries the verdict's word, else the first of all."""
    named = [report.subtask_id for report in facts.reports if report.counted is outcome] or [r.subtask_id for r in facts.reports]
    return named[0] if named else fixed_texts.PLANNER_UNAVAILABLE


def _no_results(facts: RunFacts, subtask_id: str, notes: str) -> Results:
    build = fixed_texts.failed_build(subtask_id, notes, mode=Mode.MCP, run_id=facts.run_id)
    return build, fixed_texts.test_skipped_after(build, facts.run_id), fixed_texts.review_skipped_after_build()


def _mode(processed: Sequence[SubtaskReport]) -> Mode:
    return Mode.CLOUD if any(report.mode is Mode.CLOUD for report in processed) else Mode.MCP


def _entry(place: int, report: SubtaskReport) -> GroupEntry:
    build, test, review = _results(report)
    succeeded = report.outcome is Outcome.SUCCEEDED or (
        build_outcome(build) is Outcome.SUCCEEDED and test_outcome(test) is Outcome.SUCCEEDED
    )
    return _make_entry(
        index=place,
        subtask_id=report.subtask_id,
        mode=report.mode,
        build_success=build.success,
        test_success=test.success,
        review_approved=bool(review.decision.approved),
        status="succeeded" if succeeded else "failed",
    )
