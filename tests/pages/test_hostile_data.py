"""What others write is text on the page, whatever it is: it makes no element, no attribute and no script."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py.pages.document import report_document
from orchestrator_py.pages.html import element, escape, raw
from orchestrator_py.pages.script_json import script_json
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.rollups import Rollups
from orchestrator_py.reading.run import Run
from orchestrator_py.reading.task_overview import TaskOverview
from orchestrator_py.reading.task_report import TaskReport
from orchestrator_py.reading.timeline import read_timeline
from tests.pages.overviews import NOW, document
from tests.pages.parsed import Parsed

ATTACKS = (
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "</title><svg onload=alert(1)>", '"><b style=x:y>',
    "' onclick='x", "<!--", "-->", "]]>", "&lt;b&gt;", "javascript:alert(1)", "</style>", "</table></td>", "`${1}`", "\u2028", "\u202eevil",
    "\x00", "\ud800",
)  # fmt: skip
texts = st.one_of(st.sampled_from(ATTACKS), st.text(min_size=1, max_size=30), st.text("<>&\"'=/ !-a", min_size=1, max_size=12))


@given(texts)
@settings(max_examples=60, deadline=None)
def test_no_text_makes_an_element_or_an_attribute(text: str) -> None:
    hostile, harmless = Parsed(document(text)), Parsed(document("x"))
    assert hostile.shape == harmless.shape
    assert hostile.others == []
    assert [content for _, _, content in hostile.contents] == [content for _, _, content in harmless.contents]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "&lt;b&gt;", "a'b\"c"])
def test_it_can_be_read_as_it_was_written(text: str) -> None:
    parsed = Parsed(document(text))
    assert text in parsed.texts
    assert f"Task {text}" in parsed.texts


def test_what_cannot_be_seen_or_turns_the_direction_is_shown_as_such() -> None:
    assert escape("a\x00b\u202ec\ud800d\ne") == "a\ufffdb\ufffdc\ufffdd e"
    assert document("\ud800\udcff").encode()


@given(texts)
def test_the_value_of_an_attribute_is_the_text(text: str) -> None:
    (tag, attributes), *rest = Parsed(element("p", title=text)).tags
    assert (tag, [name for name, _ in attributes], rest) == ("p", ["title"], [])
    assert attributes[0][1] == Parsed(element("p", text)).texts[0]


@given(
    st.recursive(st.none() | st.integers(-1000, 1000) | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8)
)
def test_json_in_a_script_element_is_the_same_data_and_does_not_end_it(data: object) -> None:
    text = script_json(data)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == json.loads(json.dumps(data)) or "\\ud" in text
    assert Parsed(raw("script", text, type="application/json")).contents[0][2] == text


def test_a_script_that_would_end_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="would end it"):
        raw("script", "'</script>'")


# Data of any shape --------------------------------------------------------------------------------------------------

numbers = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
times = st.sampled_from(["2025-12-21T14:02:47.637Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "no time"])
values = st.recursive(
    st.none() | st.booleans() | numbers | times | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


def some(*keys: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, values))


manifests = some("started_at", "completed_at", "updated_at", "pipeline_id", "status_detail", "scheduler").flatmap(
    lambda manifest: st.lists(some("id", "status", "started_at", "completed_at"), max_size=3).map(
        lambda found: {**manifest, "commands": found}
    )
)


@given(
    entries=st.lists(some("started_at", "duration_seconds", "commands_passed", "commands_failed"), max_size=4),
    totals=some("total_runs", "succeeded_runs", "completion_rate", "meets_threshold", "updated_at"),
    baseline=some("duration_seconds"),
    state=some("safety", "alerts"),
    rollup=some("missing_field_ratio", "missing_counts", "epochs", "current_mttr_seconds", "reduction_percent"),
    manifest=manifests,
    word=st.sampled_from(["running", "lost", "failed", "queued"]),
)
@settings(max_examples=150, deadline=None)
def test_data_of_any_shape_makes_a_page(
    entries: list[dict[str, object]],
    totals: dict[str, object],
    baseline: dict[str, object],
    state: dict[str, object],
    rollup: dict[str, object],
    manifest: dict[str, object],
    word: str,
) -> None:
    report = TaskReport("t")
    report.outcomes, report.entries = [("r", word)] * len(entries), entries
    report.totals, report.baseline = totals, baseline
    run = Run(task="t", run_id="r", path="/nowhere/manifest.json", manifest=manifest, word=word)
    report.unfinished = [run]
    problems: list[UnreadableError] = []
    timelines = [read_timeline(run, NOW, problems)]
    rollups = Rollups(completeness=rollup, per_epoch=rollup, mttr=rollup, state=state)
    parsed = Parsed(report_document([TaskOverview(report, rollups, timelines)], now=NOW))
    assert "Task t" in parsed.texts
    assert not any(name.startswith("on") or name == "style" for _, names in parsed.shape for name in names)
