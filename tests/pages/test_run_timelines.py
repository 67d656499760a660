"""The newest runs in detail: what is not told of them is counted, by how it stands."""

import re
from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator_py.pages.run_timelines import run_timelines
from orchestrator_py.pages.words import spoken
from orchestrator_py.reading.flights import Flight
from orchestrator_py.reading.run import Run
from orchestrator_py.reading.timeline import StageTimes, Timeline, read_timeline
from tests.pages.overviews import NOW
from tests.pages.parsed import Parsed

WORDS = ("succeeded", "failed", "timed_out", "cancelled", "skipped", "pending")


def told(timeline: Timeline, rows: int) -> tuple[Counter[str], str]:
    """How many stages are shown with each word, and what the caption says of others."""
    page = str(run_timelines([timeline], rows))
    shown = Counter(re.findall(r"<tr><th scope=row>s<td>.*?<b class=\w+>([\w ]+)</b>", page))
    (caption,) = (text for text in Parsed(page).texts if text.startswith("Stages, in the order of the pipeline"))
    return shown, caption.partition("; ")[2]


@given(words=st.lists(st.sampled_from(WORDS), max_size=60), rows=st.integers(1, 60))
@example(words=["failed"] * 80 + ["succeeded"], rows=96)
def test_every_stage_is_shown_or_counted_with_its_word(words: list[str], rows: int) -> None:
    run = Run(task="t", run_id="r", path="/nowhere", manifest={}, word="failed")
    shown, caption = told(Timeline(run, [StageTimes({"id": "s"}, word) for word in words], 0, 1), rows)
    left_out = Counter({word: int(count) for word, count in re.findall(r"([a-z ]+) (\d+)(?:, |$)", caption.partition(": ")[2])})
    assert shown + left_out == Counter("not started" if word == "pending" else spoken(word) for word in words)
    counted = re.match(r"(\d+) more stages? left out: ", caption)
    assert (int(counted[1]) if counted else 0) == left_out.total()


def test_subtasks_that_are_only_counted_are_told_with_their_words() -> None:
    left_out = {"succeeded": 7, "failed": 2_000, "running": 1, "skipped": 3, "pending": 4}
    run = Flight(task="t", run_id="r", path="/nowhere", manifest={"left_out": left_out}, word="lost")
    caption = told(read_timeline(run, NOW, []), 10)[1]
    assert caption == "2,015 more stages left out: failed 2,003, succeeded 7, not started 4, lost 1"
