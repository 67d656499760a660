"""Which stages fail, are flaky or waived in most runs."""

from collections import Counter

from orchestrator_py.pages.html import Html, element, join
from orchestrator_py.pages.tables import cell, number_cell, row, scrolling, table
from orchestrator_py.pages.words import counted
from orchestrator_py.reading.shares import percent
from orchestrator_py.reading.task_report import TaskReport, ranked

MOST = 10


def stage_ranks(report: TaskReport) -> Html:
    """A table for each kind that there is."""
    kinds = (
        ("Fails most", "failed", "failed", report.failed),
        ("Flakes most", "succeeded only when tried again", "timed_out", report.flaky),
        ("Waived", "failed and was allowed to", "cancelled", report.waived),
    )
    cards = [_card(title, what, colour, counter, len(report.outcomes)) for title, what, colour, counter in kinds if any(counter.values())]
    if not cards:
        return element("p", f"In {counted(len(report.outcomes), 'run')} no stage failed, was flaky or was waived.")
    return element("div", *cards, class_="trio")


def _card(title: str, what: str, colour: str, counter: Counter[str], runs: int) -> Html:
    shown, every = ranked(counter, MOST), sum(bool(number) for number in counter.values())
    more = f"; {counted(every - len(shown), 'more stage')} left out" if every > len(shown) else ""
    rows = [_row(stage, number, runs, colour) for stage, number in shown]
    heads = (("Stage", ""), ("Runs", "n"), ("Share", ""))
    return element(
        "section",
        element("h3", title),
        scrolling(title, table(f"In so many of {counted(runs, 'run')} a stage {what}{more}", heads, rows)),
        class_="card",
    )


def _row(stage: str, number: int, runs: int, colour: str) -> Html:
    share = percent(number / runs)
    meter = element("meter", share, value=number, max=runs, class_=colour)
    return row(stage, number_cell(number), cell(join([meter, f" {share}"]), "w"), class_="id")
