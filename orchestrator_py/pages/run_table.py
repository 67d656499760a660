"""Every run in a row, and the charts with the table that says the same."""

from collections.abc import Sequence
from itertools import groupby

from orchestrator_py.pages.html import Html, element, raw
from orchestrator_py.pages.periods import Period, RunFacts, periods, trend, window
from orchestrator_py.pages.script_json import script_json
from orchestrator_py.pages.tables import cell, number_cell, row, scrolling, table
from orchestrator_py.pages.words import class_of, counted, moment, number_of, seconds, spoken, word_mark
from orchestrator_py.reading.shares import percent
from orchestrator_py.reading.task_report import TaskReport

MOST_ROWS, MOST_SIGNS, MOST_PERIODS, MOST_COLUMNS = 50, 300, 10, 48
WORDS = ("succeeded", "failed", "rejected", "timed_out", "crashed", "cancelled", "lost", "nothing_ran", "waiting", "running", "unknown")
_LONGEST = 1e12  # seconds; longer ones are nobody's durations, and no chart can show them
_SIGNS = dict(zip(WORDS, "✓✕rtc–?○…▸?", strict=True))
_DIGITS = dict(zip(WORDS, "0123456789a", strict=True))


def charts(report: TaskReport, facts: Sequence[RunFacts]) -> Html:
    """Places for two charts, which need scripts, and the table, which does not."""
    told = f"{counted(len(facts), 'run')}: {', '.join(f'{spoken(word)} {number:,}' for word, number in report.counts)}."
    against = f"Each dot is a run; the lines are median and 95th percentile of it and the {window(len(facts)) - 1:,} before it."
    return element(
        "div",
        element("section", element("h3", "Outcomes"), element("p", told), _signs(facts), _place("outcomes", told), class_="card"),
        element(
            "section",
            element("h3", "Durations"),
            element("p", against, class_="note"),
            _place("durations", against),
            class_="card",
            hidden=True,
        ),
        raw("script", script_json(_chart_data(report, facts)), type="application/json"),
        class_="pair charts",
    )


def _place(kind: str, label: str) -> Html:
    said = f"Chart. {label} The table of periods says the same."
    return element("div", class_="chart", data_chart=kind, role="img", aria_label=said, hidden=True)


def _signs(facts: Sequence[RunFacts]) -> Html:
    """The newest runs as one sign each."""
    shown = facts[-MOST_SIGNS:]
    runs = [element("i", _SIGNS[word] * len(list(group)), class_=word) for word, group in groupby(class_of(fact.word) for fact in shown)]
    left_out = f", the newest {len(shown):,}" if len(shown) < len(facts) else ""
    told = element("p", f"A sign for each run, oldest first{left_out}.", class_="note")
    return element("div", element("p", *runs, class_="trend", aria_hidden="true"), told)


def period_table(facts: Sequence[RunFacts]) -> Html:
    """What the charts show, in figures."""
    rows = periods(facts, MOST_PERIODS)
    words = [word for word in WORDS if any(one.counts[word] for one in rows)]
    numbers = ("Runs", *(spoken(word) for word in words), "Completion", "Median", "p95")
    heads = [("From", ""), ("To", ""), *((name, "n") for name in numbers)]
    caption = "The same in figures: periods of equal numbers of runs, oldest first"
    return element(
        "details",
        element("summary", "Periods as a table"),
        scrolling("Periods", table(caption, heads, [_period(one, words) for one in rows])),
        class_="card periods",
        open=True,
    )


def _period(one: Period, words: Sequence[str]) -> Html:
    numbers = (one.runs, *(one.counts[word] for word in words))
    rate = percent(one.counts["succeeded"] / one.runs)
    cells = (*(f"{number:,}" for number in numbers), rate, seconds(one.median), seconds(one.p95))
    return row(moment(one.start), cell(moment(one.end), "w"), *(number_cell(text) for text in cells), class_="w")


def run_table(facts: Sequence[RunFacts]) -> Html:
    """The newest first, so many at most."""
    shown = facts[: -MOST_ROWS - 1 : -1]
    left_out = f"; {counted(len(facts) - len(shown), 'older run')} left out here, counted above" if len(shown) < len(facts) else ""
    heads = (("Run", ""), ("Outcome", ""), ("Started (UTC)", ""), ("Took", ""), ("Succeeded", ""), ("Failed", ""))
    caption = f"{counted(len(shown), 'run')}, newest first{left_out}"
    return element(
        "details",
        element("summary", element("h3", "History")),
        scrolling("History", table(caption, heads, [_run(fact) for fact in shown], class_="history")),
        class_="card",
        open=True,
    )


def _run(fact: RunFacts) -> Html:
    stages = (number_of(value) for value in (fact.passed, fact.failed))
    cells = (moment(fact.start), seconds(fact.seconds), *("–" if number is None else f"{number:g}" for number in stages))
    return row(fact.run_id, cell(word_mark(fact.word)), *(cell(text) for text in cells))


def _chart_data(report: TaskReport, facts: Sequence[RunFacts]) -> dict[str, object]:
    """Numbers alone, short ones: `times` in seconds since 1970, durations in milliseconds, words as digits: places in `words`."""
    lines, columns = list(trend([fact.seconds for fact in facts], window(len(facts)))), periods(facts, MOST_COLUMNS)
    baseline = number_of(report.baseline.get("duration_seconds"))
    return {
        "words": WORDS,
        "word": "".join(_DIGITS[class_of(fact.word)] for fact in facts),
        "times": differences([_whole(fact.start) for fact in facts]),
        "durations": [_thousandths(fact.seconds) for fact in facts],
        "median": differences([_thousandths(middle) for middle, _ in lines]),
        "p95": differences([_thousandths(high) for _, high in lines]),
        "baseline": _thousandths(baseline),
        "starts": differences([_whole(one.start) for one in columns]),
        "counts": {word: [one.counts[word] for one in columns] for word in WORDS if any(one.counts[word] for one in columns)},
    }


def differences(numbers: Sequence[int | None]) -> list[int | None]:
    """Each to the last one that is known, the first one to nought: a sum gives them back."""
    last, found = 0, list[int | None]()
    for number in numbers:
        found.append(None if number is None else number - last)
        last = last if number is None else number
    return found


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _thousandths(value: float | None) -> int | None:
    return None if value is None or abs(value) > _LONGEST else round(1000 * value)
