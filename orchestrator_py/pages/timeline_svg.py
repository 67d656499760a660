"""Bars of a timeline, with sizes in percent. Waiting, running and every end differ in pattern, not in colour alone."""

from collections.abc import Iterable, Iterator

from orchestrator_py.pages.html import Html, element, join
from orchestrator_py.pages.words import class_of, seconds, spoken
from orchestrator_py.reading.run import LOST, RUNNING
from orchestrator_py.reading.timeline import Span, StageTimes, Timeline

_WAIT, _NARROWEST, _GOES_ON = "wait", 0.006, (RUNNING, LOST)
_LEGEND = ("waiting", "succeeded", "failed", "timed_out", "cancelled", "running", "lost")
_LEGEND_WORDS = {
    "failed": "failed, rejected, crashed",
    "waiting": "waiting, or a pause before another attempt",
    "lost": "lost: nobody saw its end",
}


def stage_picture(stage: StageTimes, timeline: Timeline) -> Html:
    """When a stage waited, ran, paused and ran again. With one attempt the row says it all in words."""
    if len(stage.spans) < 2:
        return element("svg", *_bars(stage, timeline), aria_hidden="true")
    return _picture("; ".join(_told(stage, timeline)), _bars(stage, timeline))


def lane_picture(stages: Iterable[StageTimes], timeline: Timeline) -> Html:
    """When an instance of the scheduler plan worked."""
    stages = list(stages)
    told = "; ".join(f"{stage.id}: {spoken(stage.word)}, {seconds(stage.seconds)}" for stage in stages)
    return _picture(told or "no work", (_bar(span, timeline) for stage in stages for span in stage.spans))


def patterns() -> Html:
    """What the style sheet fills bars with; once for a page."""
    hatched, crossed, striped, dots = "M0 6L6 0M-1 1L1 -1M5 7L7 5", "M0 3H6M3 0V6", "M0 3H6", "M0 4H2"
    lines = {"waiting": dots, "failed": hatched, "rejected": hatched, "crashed": hatched, "timed_out": crossed, "running": striped}
    drawn = [
        element("pattern", element("path", d=path), id=f"bar-{word}", class_=word, width=6, height=6, patternUnits="userSpaceOnUse")
        for word, path in lines.items()
    ]
    return element("svg", *drawn, class_="patterns", aria_hidden="true")


def legend() -> Html:
    """What the patterns mean."""
    return element("ul", *(element("li", _sample(word), _LEGEND_WORDS.get(word, spoken(word))) for word in _LEGEND), class_="legend")


def _sample(word: str) -> Html:
    return element("svg", _shape(_WAIT if word == "waiting" else word, "1%", "96%"), aria_hidden="true")


def _picture(told: str, shapes: Iterable[Html]) -> Html:
    return element("svg", element("title", told), join(shapes), role="img")


def _bars(stage: StageTimes, timeline: Timeline) -> Iterator[Html]:
    """A dotted line for whatever time the stage waits: before its first attempt, between two of them, and before one that may come."""
    last = timeline.start
    for span in stage.spans:
        if span.start > last:
            yield _shape(_WAIT, _share(last - timeline.start, timeline), _share(span.start - last, timeline))
        yield _bar(span, timeline)
        last = timeline.end if span.end is None else span.end
    if not stage.spans or (stage.word in _GOES_ON and last < timeline.end):
        yield _shape(_WAIT, _share(last - timeline.start, timeline), _share(timeline.end - last, timeline))


def _bar(span: Span, timeline: Timeline) -> Html:
    end = timeline.end if span.end is None else span.end
    width = max(end - span.start, _NARROWEST * _length(timeline))
    return _shape(class_of(span.word), _share(span.start - timeline.start, timeline), _share(width, timeline))


def _shape(word: str, left: str, width: str) -> Html:
    """The style sheet knows the rest."""
    return element("rect", class_=word, x=left, width=width)


def _share(length: float, timeline: Timeline) -> str:
    return f"{100 * length / _length(timeline):.3g}%"


def _length(timeline: Timeline) -> float:
    return timeline.end - timeline.start or 1.0


def _told(stage: StageTimes, timeline: Timeline) -> Iterator[str]:
    last = timeline.start
    for number, span in enumerate(stage.spans, start=1):
        waited = f"waited {seconds(span.start - last)}, " if span.start > last else ""
        took = f", {seconds(span.end - span.start)}" if span.end is not None else ""
        yield f"{waited}attempt {number} {spoken(span.word)}{took}"
        last = timeline.end if span.end is None else span.end
