"""How the newest runs went: as text for people, as Markdown for a pull request."""

from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator_py.cli.report_data import top_stages
from orchestrator_py.cli.status_text import spoken
from orchestrator_py.reading.shares import percent
from orchestrator_py.reading.task_report import TaskReport

_SIGNS = {"succeeded": "+", "failed": "x", "rejected": "r", "timed_out": "t", "crashed": "c", "cancelled": "-", "lost": "?"}


# Text --------------------------------------------------------------------------------------------------------------


def report_lines(report: TaskReport) -> Iterator[str]:
    """A paragraph; what is nought is left out."""
    yield f"{report.task}: {_totals(report)}"
    if report.outcomes:
        yield f"  newest {len(report.outcomes)}: {_told(report.counts)}"
        yield f"  trend: {''.join(_SIGNS.get(word, '.') for _, word in report.outcomes)} (oldest first)"
    if report.durations:
        yield f"  duration: {_durations(report)}"
    for name, counter in (("fails most", report.failed), ("flakes most", report.flaky), ("waived", report.waived)):
        if ranked := top_stages(counter):
            yield f"  {name}: {_told(ranked)}"
    if report.unguarded:
        yield f"  guardrails: {_unguarded(report)}"
    if report.reviews:
        yield f"  reviews: {_told(Counter(decision for _, decision in report.reviews).most_common())}"
    yield from (f"  {spoken(run.word)}: {run.run_id} (started {run.text('started_at')})" for run in report.unfinished)
    if report.unreadable:
        yield f"  {report.unreadable} of the newest lines cannot be read; `orchestrator-py metrics verify` names them"


def _unguarded(report: TaskReport) -> str:
    """The newest of them tells what was missing."""
    run_id, told = report.unguarded[-1]
    return f"required and not run in {len(report.unguarded)} of {len(report.outcomes)}, last in {run_id}: {told}"


def _totals(report: TaskReport) -> str:
    total, succeeded, rate = (report.totals.get(key) for key in ("total_runs", "succeeded_runs", "completion_rate"))
    if not isinstance(total, int) or not isinstance(rate, int | float):
        return "no totals are published yet" if report.outcomes else "no runs"
    return f"{total} run{'s' * (total != 1)}, {succeeded} succeeded ({percent(rate)})"


def _durations(report: TaskReport) -> str:
    baseline, change = report.baseline.get("duration_seconds"), report.change
    compared = "" if change is None else f", baseline {baseline:.1f} s ({100 * change:+.0f} %)"
    return f"median {report.median:.1f} s, p95 {report.p95:.1f} s{compared}"


def _told(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{spoken(name)} {number}" for name, number in counts)


# Markdown ----------------------------------------------------------------------------------------------------------


def report_markdown(reports: Sequence[TaskReport]) -> Iterator[str]:
    """A table with a row for each task, and what needs a look below it."""
    yield "| task | runs | newest | median | p95 | baseline | fails most | flakes most |"
    yield "|---|---|---|---|---|---|---|---|"
    for report in reports:
        yield f"| {' | '.join(_escape(cell) for cell in _cells(report))} |"
    for report in reports:
        if report.unguarded:
            yield f"\n- **guardrails** ({_escape(report.task)}): {_escape(_unguarded(report))}"
        yield from (f"\n- **{spoken(run.word)}**: `{run.run_id}` ({_escape(report.task)})" for run in report.unfinished)


def _cells(report: TaskReport) -> tuple[str, ...]:
    baseline = report.baseline.get("duration_seconds")
    seconds = (report.median, report.p95, baseline if isinstance(baseline, int | float) else None)
    stages = (_told(top_stages(counter)) or "-" for counter in (report.failed, report.flaky))
    return report.task, _totals(report), _told(report.counts) or "-", *("-" if s is None else f"{s:.1f} s" for s in seconds), *stages


def _escape(text: str) -> str:
    """What others wrote begins no cell, no link and no tag."""
    return "".join(f"\\{character}" if character in "|\\`*_[]<>#" else character for character in text)
