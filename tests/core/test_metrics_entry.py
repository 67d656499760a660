"""The line that a run leaves in the history."""

from typing import Any

import pytest

from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.metrics_entry import create_metrics_entry, metrics_line
from orchestrator_py.errors import DecodeError
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
