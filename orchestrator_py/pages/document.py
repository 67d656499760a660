"""The report as one HTML file that needs nothing else: no other file, no network, and no scripts to be read."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from orchestrator_py.pages.assets import asset, compact, compact_style
from orchestrator_py.pages.html import Html, element, join, raw
from orchestrator_py.pages.task_section import task_section
from orchestrator_py.pages.timeline_svg import patterns
from orchestrator_py.pages.words import moment
from orchestrator_py.reading.task_overview import TaskOverview
from orchestrator_py.reading.timeline import seconds_of_time

TITLE, MOST_NAMED = "How the runs went", 3


def report_document(overviews: Sequence[TaskOverview], *, now: str) -> str:
    """The whole file, as of `now`."""
    anchors = [f"task-{number}" for number in range(1, len(overviews) + 1)]
    sections = [task_section(overview, anchor) for overview, anchor in zip(overviews, anchors, strict=True)]
    main = sections or [element("p", "There are no tasks on record here yet.")]
    styles = [asset("vendor/uPlot.min.css"), compact_style(asset("static/page.css"))]
    scripts = [asset("vendor/uPlot.iife.min.js"), compact(asset("static/charts.js")), compact(asset("static/report.js"))]
    body = element(
        "body",
        element("a", "Skip to the content", href="#content", class_="skip"),
        patterns(),
        element("header", element("h1", TITLE), _note(f"As of {moment(seconds_of_time(now))} UTC"), _contents(overviews, anchors)),
        element("main", element("noscript", _note("Charts need scripts. The tables say the same.")), *main, id="content"),
        element("footer", element("p", "Made by orchestrator-py. Times are UTC.")),
        *(raw("script", script) for script in scripts),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(styles, scripts)),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", _title(overviews)),
        *(raw("style", style) for style in styles),
    )
    return join([Html("<!doctype html>\n"), element("html", head, body, lang="en"), Html("\n")])


def _note(text: str) -> Html:
    return element("p", text, class_="note")


def _title(overviews: Sequence[TaskOverview]) -> str:
    names = [overview.report.task for overview in overviews[:MOST_NAMED]]
    return f"{TITLE}: {', '.join(names)}{', …' * (len(overviews) > MOST_NAMED)}" if names else TITLE


def _contents(overviews: Sequence[TaskOverview], anchors: Sequence[str]) -> Html | None:
    if len(overviews) < 2:
        return None
    items = [
        element("li", element("a", overview.report.task, href=f"#{anchor}")) for overview, anchor in zip(overviews, anchors, strict=True)
    ]
    return element("nav", element("ul", *items), aria_label="Tasks")


def _policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Nothing is fetched and nothing sent; of styles and scripts only these, byte for byte."""
    return f"default-src 'none'; style-src {_hashes(styles)}; script-src {_hashes(scripts)}; base-uri 'none'; form-action 'none'"


def _hashes(texts: Sequence[str]) -> str:
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)
