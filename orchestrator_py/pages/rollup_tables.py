"""The rollups of a task, as they were last published."""

from collections.abc import Iterator, Mapping

from orchestrator_py.pages.html import Html, element
from orchestrator_py.pages.tables import number_cell, row, scrolling, table
from orchestrator_py.pages.words import figure, moment, number_of, seconds
from orchestrator_py.reading.files import Data
from orchestrator_py.reading.rollups import Rollups
from orchestrator_py.reading.shares import percent
from orchestrator_py.reading.task_report import TaskReport
from orchestrator_py.reading.timeline import seconds_of_time

MOST_EPOCHS = 50
_EPOCH_KEYS = (
    ("Runs", "runs"),
    ("Tool calls", "tool_calls"),
    ("Tokens", "token_total"),
    ("Cost (USD)", "cost_usd"),
    ("Latency (ms)", "latency_ms"),
)
_THRESHOLDS = {True: "met", False: "not met"}

Line = tuple[str, Html | str, str]


def rollup_tables(report: TaskReport, rollups: Rollups) -> Html | None:
    """None if nothing is published."""
    lines = [*_completion(report), *_mttr(rollups.mttr), *_completeness(rollups.completeness), *_state(rollups.state)]
    epochs = _epochs(rollups.per_epoch)
    if not lines and epochs is None:
        return None
    rows = [row(name, number_cell(value), element("td", more)) for name, value, more in lines]
    heads = (("Figure", ""), ("Value", "n"), ("Threshold, and what it means", ""))
    at = moment(seconds_of_time(report.totals.get("updated_at")))
    body = scrolling("Rollups", table(f"Over all runs on record, as published {at} UTC", heads, rows))
    return element("details", element("summary", element("h3", "Rollups")), body, epochs, class_="card", open=True)


def _completion(report: TaskReport) -> Iterator[Line]:
    totals = report.totals
    rate = number_of(totals.get("completion_rate"))
    if rate is not None:
        said = f"{_number(totals.get('succeeded_runs'))} of {_number(totals.get('total_runs'))} runs succeeded"
        yield "Completion rate", figure(rate, percent(rate)), f"at least 95 %: {_met(totals)}; {said}"


def _mttr(mttr: Data) -> Iterator[Line]:
    current, baseline, reduction = (
        number_of(mttr.get(key)) for key in ("current_mttr_seconds", "baseline_mttr_seconds", "reduction_percent")
    )
    if current is not None:
        yield "Mean duration", figure(current, seconds(current)), f"baseline {seconds(baseline)}"
    if reduction is not None:
        yield "Shorter than the baseline by", figure(reduction, percent(reduction)), f"at least 40 %: {_met(mttr)}"


def _completeness(found: Data) -> Iterator[Line]:
    ratio = number_of(found.get("missing_field_ratio"))
    if ratio is not None:
        counts = found.get("missing_counts")
        missing = ", ".join(f"{name} {_number(value)}" for name, value in counts.items()) if isinstance(counts, dict) else ""
        yield "Missing fields", figure(ratio, percent(ratio)), f"less than 5 %: {_met(found)}; {missing}"


def _state(state: Data) -> Iterator[Line]:
    """Figures of the safety state that are not nought."""
    for path, value in _numbers(state, ()):
        if value:
            yield " ".join(path).replace("_", " ").capitalize(), figure(value, f"{value:,g}"), ""


def _numbers(data: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _numbers(value, (*above, key))
        elif (number := number_of(value)) is not None:
            yield (*above, key), number


def _epochs(per_epoch: Data) -> Html | None:
    epochs = per_epoch.get("epochs")
    found = [epoch for epoch in epochs if isinstance(epoch, dict)] if isinstance(epochs, list) else []
    if not found:
        return None
    rows = [_epoch(epoch) for epoch in found[-MOST_EPOCHS:]]
    caption = "By epoch" if len(found) <= MOST_EPOCHS else f"By epoch, the newest {MOST_EPOCHS} of {len(found):,}"
    return scrolling("By epoch", table(caption, [("Epoch", ""), *((name, "n") for name, _ in _EPOCH_KEYS)], rows))


def _epoch(epoch: Data) -> Html:
    return row(_number(epoch.get("epoch")), *(number_cell(_number(epoch.get(key))) for _, key in _EPOCH_KEYS))


def _number(value: object) -> str:
    number = number_of(value)
    return "–" if number is None else f"{number:,g}" if abs(number) < 1e6 else f"{number:,.0f}"


def _met(data: Data) -> str:
    met = data.get("meets_threshold")
    return _THRESHOLDS[met] if isinstance(met, bool) else "unknown"
