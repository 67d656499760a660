"""The line that a run leaves in the history."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.metrics_entry import create_metrics_entry, metrics_line
from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.metrics import InstanceStat, MetricsEntry
from orchestrator_py.model.timestamp import Timestamp
from tests.core.recorded import recorded_cases

NOW = Timestamp("<recorded_at>")
CASES = recorded_cases("metrics-line")
PLAIN: dict[str, object] = CASES["plain"]["input"]["manifest"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_line_is_the_one_on_record(case: dict[str, Any]) -> None:
    entry = create_metrics_entry(case["input"]["manifest"], NOW)
    line = None if entry is None else metrics_line(entry)
    recorded = case["expected"]["metrics_json"]
    assert (None if line is None else parse_json(line)) == case["expected"]["entry"]
    assert (None if line is None else line + b"\n") == (None if recorded is None else recorded.encode())


def line_of(manifest: dict[str, object]) -> dict[str, object]:
    entry = create_metrics_entry(manifest, NOW)
    assert entry is not None
    data = parse_json(metrics_line(entry))
    assert isinstance(data, dict)
    return data


def test_a_run_that_is_recorded_already_gets_no_entry() -> None:
    assert create_metrics_entry({**PLAIN, "metrics_recorded": True}, NOW) is None


@pytest.mark.parametrize("status", ["queued", "in_progress", None, 7])
def test_a_run_that_has_not_ended_gets_no_entry(status: object) -> None:
    assert create_metrics_entry({**PLAIN, "status": status}, NOW) is None


@pytest.mark.parametrize("key", ["run_id", "task_id", "pipeline_id", "started_at", "artifact_root"])
@pytest.mark.parametrize("value", [None, 7, []])
def test_a_manifest_without_a_needed_text_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(DecodeError, match=key):
        create_metrics_entry({**PLAIN, key: value}, NOW)


def test_a_manifest_with_every_feature_fills_every_figure() -> None:
    line = line_of(
        {
            **PLAIN,
            "tfgrpo": {
                "epoch": 3,
                "group_id": "g",
                "group_size": 4,
                "tool_metrics": {"tool_calls": 2, "token_total": 30, "cost_usd": 0.5, "latency_ms": 12.5, "per_tool": [{"tool": "exec"}]},
            },
            "learning": {
                "validation": {"status": "validated", "grouping": {"id": "lg"}},
                "snapshot": {"status": "captured"},
                "scenario": {"status": "synthesized"},
                "crystalizer": {"status": "succeeded", "candidate_path": "p"},
                "alerts": [{}, {}],
                "review": {"rejections": 1, "latency_ms": 2.5},
                "regressions": {"detected": 3},
                "pattern_hygiene": {"promoted": 4, "deprecated": 5},
                "throughput": {"candidates": 6},
            },
        }
    )
    assert list(line.items())[19:27] == [
        ("tfgrpo_epoch", 3),
        ("tfgrpo_group_id", "g"),
        ("tfgrpo_group_size", 4),
        ("tool_calls", 2),
        ("token_total", 30),
        ("cost_usd", 0.5),
        ("latency_ms", 12.5),
        ("tool_stats", [{"tool": "exec"}]),
    ]
    assert list(line.items())[27:] == [
        ("learning_validation_status", "validated"),
        ("learning_snapshot_status", "captured"),
        ("learning_scenario_status", "synthesized"),
        ("learning_crystalizer_status", "succeeded"),
        ("learning_alerts", 2),
        ("learning_group_id", "lg"),
        ("learning_review_rejections", 1),
        ("learning_review_latency_ms", 2.5),
        ("learning_regressions_detected", 3),
        ("learning_pattern_promoted", 4),
        ("learning_pattern_deprecated", 5),
        ("learning_throughput_candidates", 6),
    ]


@pytest.mark.parametrize("nonsense", [7, "text", [None, 7, "text"], {"assignments": 7}, {"tool_metrics": [], "validation": "x", "mode": 7}])
def test_a_feature_of_another_shape_counts_as_absent(nonsense: object) -> None:
    features = ("control_plane", "scheduler", "privacy", "tfgrpo", "learning")
    assert line_of({**PLAIN, **dict.fromkeys(features, nonsense)}) == line_of(PLAIN)


def test_commands_of_another_shape_are_not_counted() -> None:
    commands = [None, 7, {"command": 7, "status": "succeeded"}, {"command": "spec-guard", "status": 7}]
    line = line_of({**PLAIN, "commands": commands})
    assert (line["commands_passed"], line["commands_failed"], line["guardrails_present"]) == (1, 0, False)


# Reading lines -----------------------------------------------------------------------------------------------------

RECORDED = {name: case["expected"]["metrics_json"] for name, case in CASES.items() if case["expected"]["metrics_json"] is not None}


@pytest.mark.parametrize("line", RECORDED.values(), ids=RECORDED.keys())
def test_a_line_on_record_can_be_read_and_gives_the_same_bytes(line: str) -> None:
    assert metrics_line(from_json(MetricsEntry, parse_json(line))) + b"\n" == line.encode()


def test_the_keys_of_newer_writers_are_kept_and_those_that_older_ones_left_out_get_their_defaults() -> None:
    data = {key: value for key, value in line_of(PLAIN).items() if not key.startswith("learning_")}
    entry = from_json(MetricsEntry, {**data, "privacy_event_count": 3})
    assert entry.extra == {"privacy_event_count": 3}
    assert entry.learning_alerts == 0
    assert to_json(entry) == {**line_of(PLAIN), "privacy_event_count": 3}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"run_id": 7}, "$.run_id: expected a text, got 7"),
        ({"duration_seconds": "1"}, "$.duration_seconds: expected a number, got '1'"),
        ({"commands_passed": 1.5}, "$.commands_passed: expected a whole number, got 1.5"),
        ({"privacy_events": {}}, "$.privacy_events: expected a list, got an object"),
        ({"instance_stats": [{}]}, "$.instance_stats[0]: the key 'instance_id' is missing"),
    ],
)
def test_an_entry_with_a_wrong_place_is_refused_by_that_place(change: dict[str, object], problem: str) -> None:
    with pytest.raises(DecodeError) as refused:
        from_json(MetricsEntry, {**line_of(PLAIN), **change})
    assert str(refused.value).splitlines()[0] == problem


_text = st.text(max_size=5)
_count = st.integers(0, 2**53)
_figure = _count | st.floats(allow_nan=False, allow_infinity=False)
_json: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | _figure | _text, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_text, inner, max_size=2)
)
_stats = st.builds(InstanceStat, instance_id=_text, capability=_text, status=_text, attempts=_count, recovery_events=_count)
_entries = st.builds(
    MetricsEntry,
    run_id=_text.map(RunId),
    task_id=_text.map(TaskId),
    pipeline_id=_text,
    status=_text,
    started_at=_text.map(Timestamp),
    completed_at=st.none() | _text.map(Timestamp),
    duration_seconds=st.none() | _figure,
    commands_passed=_count,
    commands_failed=_count,
    guardrails_present=st.booleans(),
    recorded_at=_text.map(Timestamp),
    artifact_path=_text,
    instance_stats=st.lists(_stats, max_size=2).map(tuple),
    privacy_events=st.lists(_json, max_size=2).map(tuple),
    tfgrpo_epoch=st.none() | _figure,
    cost_usd=_figure,
    tool_stats=st.lists(_json, max_size=2).map(tuple),
    learning_group_id=st.none() | _text,
    extra=st.dictionaries(_text.map("new_{}".format), _json, max_size=2),
)


@given(_entries)
def test_every_entry_survives_the_way_to_its_line_and_back(entry: MetricsEntry) -> None:
    line = metrics_line(entry)
    assert b"\n" not in line
    assert from_json(MetricsEntry, parse_json(line)) == entry
