"""Rollups: the documents on record, bad lines, repeated runs, and a fold that may stop and go on anywhere."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.epochs import Epochs
from orchestrator_py.core.history_lines import merge_lines, run_id_in
from orchestrator_py.core.json_text import compact_json, encode_json, parse_json, pretty_json
from orchestrator_py.core.rollup import Rollup, rollup_of_history
from orchestrator_py.errors import DecodeError
from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.rollups import Baseline, PerEpoch, Rollups
from orchestrator_py.model.timestamp import Timestamp
from tests.core.recorded import recorded_cases

NOW = Timestamp("<updated_at>")
CASES = recorded_cases("metrics-rollups")
FILES = {
    "baseline": "metrics/baseline.json",
    "post_rollout": "metrics/post-rollout.json",
    "completeness": "metrics/completeness.json",
    "per_epoch": "metrics/per-epoch.json",
    "mttr_delta": "out:metrics/mttr-delta.json",
    "state": "out:state.json",
}
# The reference raises on these; here the bad line is skipped and counted: (total runs, unreadable lines).
TOLERATED = {"whitespace-only-middle-line": (2, 0), "torn-last-line": (1, 1)}


def fold(lines: Iterable[bytes]) -> Rollup:
    rollup = Rollup.empty()
    for line in lines:
        rollup.add_line(line)
    return rollup


def documents(rollup: Rollup, baseline: object = None) -> dict[str, Any]:
    """As JSON data, by their names in Rollups; `baseline` is the one on record, None if there is none."""
    on_record = None if baseline is None else from_json(Baseline, baseline)
    rollups = rollup.documents(baseline=on_record, updated_at=NOW)
    return {name: None if document is None else to_json(document) for name, document in asdict(rollups, recurse=False).items()}


def line(**members: object) -> bytes:
    return encode_json(compact_json(members))


# The recorded cases ------------------------------------------------------------------------------------------------


def test_the_cases_that_the_reference_refuses_are_the_ones_answered_here_by_name() -> None:
    assert {name for name, case in CASES.items() if case["expected"]["error"]} == TOLERATED.keys()


@pytest.mark.parametrize("name", sorted(CASES.keys() - TOLERATED.keys()))
def test_the_documents_are_those_on_record(name: str) -> None:
    given, expected = CASES[name]["input"], CASES[name]["expected"]["files"]
    rollup = rollup_of_history((given["metrics_json"] or "").encode().split(b"\n"))
    written = documents(rollup, given["baseline_json"])
    assert rollup.unreadable == 0
    assert list(written) == list(FILES)
    if given["baseline_json"] is not None:
        assert written["baseline"] is None
        written["baseline"] = given["baseline_json"]
    assert {FILES[key]: written[key] for key in written} == {label: file and file["json"] for label, file in expected.items()}
    for key, document in written.items():
        assert document is None or pretty_json(document) + "\n" == expected[FILES[key]]["text"]


@pytest.mark.parametrize(("name", "counts"), TOLERATED.items())
def test_a_bad_line_is_skipped_and_counted_where_the_reference_stops(name: str, counts: tuple[int, int]) -> None:
    rollup = rollup_of_history(CASES[name]["input"]["metrics_json"].encode().split(b"\n"))
    assert (documents(rollup)["post_rollout"]["total_runs"], rollup.unreadable) == counts


# Lines -------------------------------------------------------------------------------------------------------------

BAD_LINES = [b"null", b"7", b"[]", b'"text"', b"{", b'{"a":1e400}', b'{"a":NaN}', b'{"a":"\xff"}', b"[" * 100_000, b"{}x"]


@pytest.mark.parametrize("bad", BAD_LINES, ids=lambda bad: repr(bad[:12]))
def test_a_line_without_a_json_object_is_skipped_and_counted(bad: bytes) -> None:
    rollup = fold([line(run_id="a"), bad, line(run_id="b")])
    assert (documents(rollup)["post_rollout"]["total_runs"], rollup.unreadable) == (2, 1)


@pytest.mark.parametrize("blank", [b"", b"  \t", b"\r"])
def test_a_blank_line_is_nothing(blank: bytes) -> None:
    assert fold([blank]).to_data() == Rollup.empty().to_data()


def test_a_history_may_begin_with_a_byte_order_mark() -> None:
    assert documents(fold([b"\xef\xbb\xbf" + line(run_id="a")]))["baseline"] == {"run_id": "a", "completion_rate": 0}


def test_without_an_entry_nothing_is_written() -> None:
    assert documents(fold([b"", b"torn"])) == dict.fromkeys(FILES)


# Documents ---------------------------------------------------------------------------------------------------------


def test_the_mttr_is_measured_against_the_baseline_that_holds_afterwards() -> None:
    rollup = fold([line(duration_seconds=100), line(duration_seconds=20)])
    assert documents(rollup)["mttr_delta"]["baseline_mttr_seconds"] == 100
    assert documents(rollup, {"duration_seconds": 80})["mttr_delta"]["baseline_mttr_seconds"] == 80


@pytest.mark.parametrize("baseline", [{}, {"duration_seconds": None}, {"duration_seconds": True}, {"duration_seconds": "7", "more": 1}])
def test_a_baseline_on_record_without_a_duration_stands_back_for_the_current_mean(baseline: object) -> None:
    written = documents(fold([line(duration_seconds=4), line(duration_seconds=8)]), baseline)
    assert written["baseline"] is None
    assert written["mttr_delta"]["baseline_mttr_seconds"] == 6


def test_objects_and_lists_are_a_control_plane_status_but_nothing_false_is() -> None:
    truthy: list[object] = ["failed", [], {}, 1, True]
    falsy: list[object] = [None, "", 0, False, "unknown"]
    present = [line(control_plane_status=status) for status in truthy]
    missing = [line(control_plane_status=status) for status in falsy] + [line()]
    counts = documents(fold(present + missing))["completeness"]["missing_counts"]
    assert counts["control_plane_status"] == len(missing)


def test_sums_beyond_the_range_of_doubles_are_written_as_null() -> None:
    huge = line(duration_seconds=1e308, tfgrpo_epoch=1, cost_usd=1e308, token_total=-1e308, learning_alerts=1e308)
    rollup = fold([huge, huge])
    restored = Rollup.from_data(parse_json(compact_json(rollup.to_data())))
    assert pretty_json(documents(restored)) == pretty_json(documents(rollup))
    assert documents(rollup)["mttr_delta"]["current_mttr_seconds"] is None
    assert documents(rollup)["per_epoch"]["epochs"][0]["cost_usd"] is None
    assert documents(rollup)["per_epoch"]["epochs"][0]["token_total"] is None
    assert documents(rollup)["state"]["alerts"]["total"] is None


def test_a_tool_statistic_that_is_no_object_is_skipped() -> None:
    epochs = documents(fold([line(tfgrpo_epoch=1, tool_stats=[None, 7, {"tool": "exec", "tokens": 2}])]))["per_epoch"]["epochs"]
    assert epochs[0]["tools"] == [{"tool": "exec", "runs": 1, "tokens": 2, "cost_usd": 0, "latency_ms": 0}]


# Repeated runs -----------------------------------------------------------------------------------------------------


def test_a_run_that_was_resumed_counts_once_with_its_last_outcome() -> None:
    first, other, resumed = line(run_id="a", status="failed"), line(run_id="b", status="failed"), line(run_id="a", status="succeeded")
    written = documents(rollup_of_history([first, other, resumed]))
    assert (written["post_rollout"]["total_runs"], written["post_rollout"]["succeeded_runs"]) == (2, 1)
    assert written["baseline"] == {"run_id": "a", "status": "succeeded", "completion_rate": 1}


def test_a_torn_line_supersedes_nothing() -> None:
    whole = line(run_id="a", status="succeeded")
    rollup = rollup_of_history([whole, line(run_id="a", status="failed")[:-1], whole])
    assert (documents(rollup)["post_rollout"]["succeeded_runs"], rollup.unreadable) == (1, 1)


def test_entries_without_a_run_id_each_stand_for_themselves() -> None:
    nameless = [line(), line(run_id=7), line(run_id=7), line(run_id=None), line(run_id=[]), line(run_id=""), line(run_id="")]
    assert documents(rollup_of_history(nameless))["post_rollout"]["total_runs"] == 7


# Laws --------------------------------------------------------------------------------------------------------------

_doubles = st.floats(allow_nan=False, allow_infinity=False)
_numbers = st.integers(-5, 5) | _doubles | st.just(1e308)
_odd: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.none(), max_size=2) | st.builds(dict) | _numbers
)
_tool_stats = st.lists(
    st.fixed_dictionaries(
        {}, optional={"tool": st.sampled_from(["", "exec", "__proto__"]) | _odd, "tokens": _numbers | _odd, "cost_usd": _numbers}
    )
    | st.none(),
    max_size=3,
)
_entries = st.fixed_dictionaries(
    {},
    optional={
        "run_id": st.sampled_from("abcdef") | _odd,
        "status": st.sampled_from(["succeeded", "failed"]) | _odd,
        "duration_seconds": _numbers | _odd,
        "instance_stats": _odd,
        "control_plane_status": st.sampled_from(["passed", "unknown"]) | _odd,
        "tfgrpo_epoch": st.sampled_from([0, -0.0, 1, 2, 1.5]) | _odd,
        "tfgrpo_group_size": _numbers | _odd,
        "cost_usd": _numbers | _odd,
        "tool_stats": _tool_stats | _odd,
        "learning_validation_status": st.sampled_from(["validated", "stalled_snapshot"]) | _odd,
        "learning_snapshot_status": st.sampled_from(["snapshot_failed", "stalled_snapshot"]) | _odd,
        "learning_review_latency_ms": _numbers | _odd,
        "learning_alerts": _numbers | _odd,
    },
).map(lambda entry: encode_json(compact_json(entry)))
_lines = st.lists(_entries | st.sampled_from([b"", b"\r", *BAD_LINES]) | st.binary(max_size=8), max_size=8)


@given(st.lists(_lines, max_size=4))
def test_a_fold_that_was_saved_and_taken_up_again_gives_the_same_bits(parts: list[list[bytes]]) -> None:
    whole = fold(line for part in parts for line in part)
    resumed = Rollup.empty()
    for part in parts:
        resumed = Rollup.from_data(parse_json(encode_json(compact_json(resumed.to_data()))))
        for each in part:
            resumed.add_line(each)
    assert compact_json(resumed.to_data()) == compact_json(whole.to_data())
    assert pretty_json(documents(resumed)) == pretty_json(documents(whole))


@given(_lines)
def test_the_number_of_runs_is_the_number_of_distinct_readable_entries(lines: list[bytes]) -> None:
    names = [entry.get("run_id") for entry in map(_object, lines) if entry is not None]
    distinct = {name for name in names if isinstance(name, str) and name}
    total = len(distinct) + sum(not isinstance(name, str) or not name for name in names)
    rollup = rollup_of_history(lines)
    post_rollout = documents(rollup)["post_rollout"]
    assert (post_rollout["total_runs"] if post_rollout else 0) == total
    assert rollup.unreadable == sum(bool(each.strip()) for each in lines) - len(names)


@given(_lines)
def test_without_repeated_runs_the_history_is_the_plain_fold(lines: list[bytes]) -> None:
    nameless = [each for each in lines if run_id_in(each) is None]
    assert rollup_of_history(nameless).to_data() == fold(nameless).to_data()


@given(_lines)
def test_a_merged_history_has_the_totals_of_the_one_that_was_merged(lines: list[bytes]) -> None:
    """A rebuild changes no figure, but for the lines that are none."""
    merged = rollup_of_history(merge_lines(lines).lines)
    assert {**merged.to_data(), "unreadable": 0} == {**rollup_of_history(lines).to_data(), "unreadable": 0}


def _object(each: bytes) -> dict[str, object] | None:
    try:
        data = json.loads(each, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and b"1e400" not in each else None


def _refuse(name: str) -> object:
    raise ValueError(name)


@given(_lines)
def test_every_document_can_be_read_back_and_prints_the_same_again(lines: list[bytes]) -> None:
    for document in rollup_of_history(lines).documents(baseline=None, updated_at=NOW):
        text = pretty_json(to_json(document))
        again = from_json(type(document), parse_json(text))
        assert again == document
        assert pretty_json(to_json(again)) == text


# Reading documents -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CASES.keys() - TOLERATED.keys()))
def test_the_documents_on_record_are_the_values_that_the_fold_makes(name: str) -> None:
    case = CASES[name]
    on_record = case["input"]["baseline_json"]
    rollup = rollup_of_history((case["input"]["metrics_json"] or "").encode().split(b"\n"))
    rollups = rollup.documents(baseline=None if on_record is None else from_json(Baseline, on_record), updated_at=NOW)
    for field, document in asdict(rollups, recurse=False).items():
        if document is not None:
            recorded = case["expected"]["files"][FILES[field]]
            assert from_json(type(document), parse_json(recorded["text"])) == document


def test_a_baseline_of_another_writer_keeps_its_odd_values_and_keys() -> None:
    data = {"run_id": 7, "duration_seconds": "5", "more": [1]}
    baseline = from_json(Baseline, data)
    assert (baseline.run_id, baseline.status, baseline.duration_seconds, baseline.extra) == (7, ABSENT, "5", {"more": [1]})
    assert to_json(baseline) == data


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_what_is_no_object_is_no_baseline(data: object) -> None:
    with pytest.raises(DecodeError, match=r"\$: expected an object"):
        from_json(Baseline, data)


def test_a_document_with_a_wrong_place_is_refused_by_that_place() -> None:
    rollup = fold([line(tfgrpo_epoch=1, tool_stats=[{"tool": "exec"}])])
    data = documents(rollup)["per_epoch"]
    data["epochs"][0]["tools"][0]["tokens"] = "many"
    data["epochs"][0]["runs"] = 1.5
    with pytest.raises(DecodeError) as refused:
        from_json(PerEpoch, data)
    assert str(refused.value).splitlines() == [
        "$.epochs[0].runs: expected a whole number, got 1.5",
        "$.epochs[0].tools[0].tokens: expected a number, got 'many'",
    ]


def test_rollups_are_gone_through_in_the_order_of_publication() -> None:
    rollups = fold([line(tfgrpo_epoch=1, duration_seconds=1)]).documents(baseline=None, updated_at=NOW)
    assert list(rollups) == list(asdict(rollups, recurse=False).values())
    assert isinstance(next(iter(rollups)), Baseline)
    assert list(Rollups()) == []


# Saved states ------------------------------------------------------------------------------------------------------


def _places(data: object, path: tuple[str | int, ...] = ()) -> Iterable[tuple[str | int, ...]]:
    yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _places(value, (*path, key))


def _spoiled(data: object, path: tuple[str | int, ...]) -> object:
    if not path:
        return True
    copy: Any = data.copy() if isinstance(data, dict | list) else data
    copy[path[0]] = _spoiled(copy[path[0]], path[1:])
    return copy


STATE = fold([line(tfgrpo_epoch=2, tool_stats=[{"tool": "exec"}]), line(tfgrpo_epoch=1)]).to_data()
EPOCH = Epochs.from_data(STATE["epochs"]).to_data()[0]
PLACES = [path for path in _places(STATE) if path != ("first", "completion_rate")]  # kept as it was, whatever it is


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_a_state_with_anything_of_another_type_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(ValueError, match="rebuild"):
        Rollup.from_data(_spoiled(STATE, path))


@pytest.mark.parametrize("key", STATE)
def test_a_state_without_one_of_its_parts_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="rebuild"):
        Rollup.from_data({name: part for name, part in STATE.items() if name != key})


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"version": 3},
        {"first": None},
        {"first": {"run_id": "a"}},
        {"first": {"completion_rate": 1, "more": 1}},
        {"epochs": [EPOCH, EPOCH]},
    ],
    ids=str,
)
def test_a_state_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rebuild"):
        Rollup.from_data({**STATE, **change})


def test_the_state_does_not_grow_with_the_number_of_runs() -> None:
    def size(runs: int) -> int:
        return len(compact_json(fold(line(run_id=f"run-{number}", tfgrpo_epoch=number % 3) for number in range(runs)).to_data()))

    assert size(2000) - size(200) < 20
