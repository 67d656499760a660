"""One task on the page: its figures first, then the charts, what needs a look, the newest runs, the history, the rollups."""

from collections import Counter
from collections.abc import Iterator

from orchestrator_py.pages.html import Html, element, join
from orchestrator_py.pages.periods import run_facts
from orchestrator_py.pages.rollup_tables import rollup_tables
from orchestrator_py.pages.run_table import charts, period_table, run_table
from orchestrator_py.pages.run_timelines import run_timelines
from orchestrator_py.pages.stage_ranks import stage_ranks
from orchestrator_py.pages.timeline_room import rows_beside
from orchestrator_py.pages.words import counted, figure, moment, number_of, seconds, spoken, word_mark
from orchestrator_py.reading.run import Run
from orchestrator_py.reading.shares import percent
from orchestrator_py.reading.task_overview import TaskOverview
from orchestrator_py.reading.task_report import TaskReport
from orchestrator_py.reading.timeline import seconds_of_time

MOST_UNFINISHED = 50


def task_section(overview: TaskOverview, anchor: str) -> Html:
    """Whatever there is of it."""
    report, facts = overview.report, run_facts(overview.report)
    history = (charts(report, facts), period_table(facts), stage_ranks(report)) if facts else (element("p", "No runs have ended yet."),)
    return element(
        "section",
        element("h2", f"Task {report.task}", id=anchor),
        element("dl", *_tiles(report), class_="card tiles"),
        _unfinished(report),
        *history,
        _checks(report),
        run_timelines(overview.timelines, rows_beside(len(report.outcomes))),
        run_table(facts) if facts else None,
        rollup_tables(report, overview.rollups),
        _unreadable(report),
        aria_labelledby=anchor,
    )


def _tiles(report: TaskReport) -> Iterator[Html]:
    """Those of `report --format json`."""
    rate, total, succeeded = (number_of(report.totals.get(key)) for key in ("completion_rate", "total_runs", "succeeded_runs"))
    if rate is None or total is None:
        yield _tile("Completion rate", "–", "no totals are published yet")
    else:
        told = f"{succeeded or 0:,g} of {counted(int(total), 'run')} on record succeeded"
        yield _tile("Completion rate", figure(rate, percent(rate)), told, "completion_rate")
    newest, good = len(report.outcomes), dict(report.counts).get("succeeded", 0)
    yield _tile(f"Newest {counted(newest, 'run')}", f"{good:,}", f"succeeded, {newest - good:,} did not")
    yield _tile("Median", figure(report.median, seconds(report.median)), _against_baseline(report), "median_seconds")
    among = f"of {counted(len(report.durations), 'duration')}"
    yield _tile("95th percentile", figure(report.p95, seconds(report.p95)), among, "p95_seconds")
    if report.unfinished:
        yield _tile("Not ended", f"{len(report.unfinished):,}", "listed below")


def _tile(name: str, value: Html | str, more: str, key: str | None = None) -> Html:
    return element("div", element("dt", name), element("dd", value, element("small", more), data_figure=key))


def _against_baseline(report: TaskReport) -> str:
    baseline, change = number_of(report.baseline.get("duration_seconds")), report.change
    if baseline is None:
        return "no baseline"
    return f"baseline {seconds(baseline)}{'' if change is None else f' ({100 * change:+.0f} %)'}"


def _unfinished(report: TaskReport) -> Html | None:
    if not report.unfinished:
        return None
    items = [_since(run) for run in report.unfinished[:MOST_UNFINISHED]]
    left_out = len(report.unfinished) - len(items)
    more = element("p", f"{counted(left_out, 'more run')} left out.", class_="note") if left_out else None
    return element("section", element("h3", "Runs that have not ended"), element("ul", *items), more, class_="card")


def _checks(report: TaskReport) -> Html | None:
    """Guardrails that were required and did not all run, and what reviews decided."""
    said = []
    if report.unguarded:
        run_id, told = report.unguarded[-1]
        runs = f"{len(report.unguarded):,} of {counted(len(report.outcomes), 'run')}"
        said.append(element("p", f"Guardrails were required and not run in {runs}, last in ", element("code", run_id), f": {told}"))
    if report.reviews:
        decisions = Counter(decision for _, decision in report.reviews).most_common()
        said.append(element("p", f"Reviews: {', '.join(f'{spoken(decision)} {number:,}' for decision, number in decisions)}."))
    return element("section", element("h3", "Guardrails and reviews"), *said, class_="card") if said else None


def _since(run: Run) -> Html:
    since = moment(seconds_of_time(run.manifest.get("started_at")))
    return element("li", word_mark(run.word), " ", element("code", run.run_id), f" since {since}")


def _unreadable(report: TaskReport) -> Html | None:
    """What the figures lack."""
    if not report.problems and not report.unreadable:
        return None
    lines = f"{counted(report.unreadable, 'line')} of the history cannot be read." if report.unreadable else None
    told = [element("li", element("code", problem.path), f": {problem.problem}") for problem in report.problems[:MOST_UNFINISHED]]
    left_out = len(report.problems) - len(told)
    more = f"{counted(left_out, 'more file')} left out." if left_out else None
    said = [element("p", text) for text in (lines, more) if text]
    return element("section", element("h3", "What could not be read"), join(said), element("ul", *told) if told else None, class_="card")
