"""Who ran when, on which instance: from what a run has left, whole or not."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator_py.reading.run import require_run
from orchestrator_py.reading.timeline import StageTimes, Timeline, instances_of, read_timeline
from tests.reading.records import stage, write_run

NOW = "2025-12-21T14:03:00.000Z"
Data = dict[str, object]


def at(second: float) -> str:
    return f"2025-12-21T14:02:{second:06.3f}Z"


def started(second: float, **more: object) -> Data:
    return {"type": "stage:started", "timestamp": at(second), "runId": "r", "stageId": "a", "instanceId": "t-general-01", **more}


def call(second: float, status: str, attempt: int = 1) -> Data:
    return {"type": "tool:call", "timestamp": at(second), "runId": "r", "stageId": "a", "status": status, "attempt": attempt}


def completed(second: float, **more: object) -> Data:
    return {"type": "stage:completed", "timestamp": at(second), "runId": "r", "stageId": "a", "attempts": 1, "outcome": "succeeded", **more}


def timeline(
    root: Path,
    *events: Data,
    status: str = "succeeded",
    run_status: str = "succeeded",
    ended: float | None = 50,
    torn: str = "",
    **keys: Any,
) -> Timeline:
    one = stage("a", status, started_at=at(47), completed_at=None if ended is None else at(ended))
    end = None if ended is None else at(ended)
    path = write_run(root, "r", one, status=run_status, started_at=at(46), completed_at=end, **keys)
    (path.parent / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events) + torn)
    return read_timeline(require_run(str(root), "t", "r"), NOW, [])


def sealed(**keys: object) -> dict[str, Any]:
    """A run that was lost, and put on record three weeks later."""
    lost = {"run_status": "failed", "status_detail": "owner-lost", "updated_at": "2026-01-11T14:00:00.000Z", "ended": None}
    return {"status": "failed", **lost, **keys}


def spans(found: Timeline) -> list[tuple[float, float | None, str]]:
    """From the start of the run."""
    (one,) = found.stages
    return [(span.start - found.start, None if span.end is None else span.end - found.start, span.word) for span in one.spans]


def only(found: Timeline) -> StageTimes:
    (one,) = found.stages
    return one


def test_attempts_and_the_pauses_between_them_are_told_apart(tmp_path: Path) -> None:
    calls = [call(47, "started"), call(48, "failed"), call(49, "started", 2), call(50, "succeeded", 2)]
    found = timeline(tmp_path, started(47), *calls, completed(50, attempts=2, flaky=True))
    assert spans(found) == [(1, 2, "failed"), (3, 4, "succeeded")]
    assert (only(found).instance, only(found).flaky, only(found).attempts, only(found).seconds) == ("t-general-01", True, 2, 3)


def test_build_and_test_of_one_attempt_are_one_span(tmp_path: Path) -> None:
    calls = [call(47, "started"), call(48, "succeeded"), call(48, "started"), call(50, "succeeded")]
    assert spans(timeline(tmp_path, started(47), *calls, completed(50))) == [(1, 4, "succeeded")]


def test_a_stage_that_is_not_reached_again_is_told_as_never_started(tmp_path: Path) -> None:
    """Its first failure belongs to a time of the run that does not count any more; the manifest has forgotten it, too."""
    path = write_run(tmp_path, "r", stage("a", "pending", started_at=None), status="failed", started_at=at(46), completed_at=at(55))
    stopped = completed(55, attempts=0, outcome="cancelled", reason="since p:b failed")
    events = [started(47), call(47, "started"), call(48, "failed"), completed(48, outcome="failed", reason="exit code 4"), stopped]
    (path.parent / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    one = only(read_timeline(require_run(str(tmp_path), "t", "r"), NOW, []))
    assert (one.word, one.reason, one.instance, one.spans, one.attempts) == ("cancelled", "since p:b failed", "", [], 0)


def test_attempts_that_have_no_times_count(tmp_path: Path) -> None:
    """Those of a sub-pipeline: each one is a run of its own."""
    assert only(timeline(tmp_path / "ended", started(47), completed(50, attempts=3, flaky=True))).attempts == 3
    again = [started(47), completed(48, attempts=3, outcome="failed"), started(49), completed(50)]
    assert only(timeline(tmp_path / "again", *again)).attempts == 1


def test_attempts_that_are_not_on_record_are_not_known(tmp_path: Path) -> None:
    assert only(timeline(tmp_path / "old")).attempts is None
    assert only(timeline(tmp_path / "begun", started(47))).attempts is None
    assert only(timeline(tmp_path / "odd", started(47), completed(50, attempts=True))).attempts is None
    assert only(timeline(tmp_path / "first", started(47), call(47, "started"))).attempts == 1


def test_the_exact_word_and_the_reason_come_from_the_events(tmp_path: Path) -> None:
    found = timeline(tmp_path, started(47), completed(50, outcome="timed_out", reason="its limit is 3 s"), status="failed")
    assert (spans(found), only(found).reason) == ([(1, 4, "timed_out")], "its limit is 3 s")


def test_without_events_the_manifest_is_what_there_is(tmp_path: Path) -> None:
    found = timeline(tmp_path, status="skipped")
    assert (spans(found), only(found).instance, only(found).waived) == ([(1, 4, "failed")], "", True)


def test_a_torn_line_and_lines_of_others_are_passed_over(tmp_path: Path) -> None:
    odd: list[Data] = [
        {"type": "tool:call", "runId": "r", "stageId": "a"},
        {"type": "stage:started", "runId": "r", "stageId": "b"},
        {"type": "tool:call", "runId": "r", "stageId": []},
        {"type": "stage:completed", "stageId": "a", "attempts": 1, "outcome": "failed"},
    ]
    found = timeline(tmp_path, started(47), *odd, completed(50), torn='{"type":"stage:started","runId":"r","stageId":"a","timest')
    assert spans(found) == [(1, 4, "succeeded")]


def test_a_run_that_was_taken_up_again_tells_of_the_last_time_and_keeps_what_was_reused(tmp_path: Path) -> None:
    again = [started(47), completed(48, outcome="failed"), started(49, instanceId="t-general-02"), completed(50)]
    assert spans(timeline(tmp_path / "again", *again)) == [(3, 4, "succeeded")]
    kept = timeline(tmp_path / "kept", started(47), completed(50, flaky=True), completed(55, attempts=0, reason="reused", flaky=False))
    assert (only(kept).flaky, only(kept).reason) == (True, "")


def test_a_stage_of_a_lost_run_has_no_end_that_anybody_saw(tmp_path: Path) -> None:
    found = timeline(tmp_path, started(47), call(47, "started"), **sealed(heartbeat_at=at(55)))
    assert (spans(found), only(found).seconds) == ([(1, None, "lost")], None)
    assert found.end - found.start == 9


@pytest.mark.parametrize(("heartbeat", "wanted"), [(at(49), 5), (at(52), 6), (None, 5)])
def test_a_lost_run_reaches_to_the_last_sign_of_life_whenever_it_was_sealed(tmp_path: Path, heartbeat: str | None, wanted: float) -> None:
    calls = [call(47, "started"), call(48, "failed"), call(51, "started", 2)]
    found = timeline(tmp_path, started(47), *calls, **sealed(heartbeat_at=heartbeat))
    assert found.end - found.start == wanted


def test_a_lost_run_that_nobody_has_sealed_reaches_to_what_its_process_told_last(tmp_path: Path) -> None:
    found = timeline(tmp_path, started(47), status="running", ended=None, run_status="in_progress", updated_at=at(53), heartbeat_at=at(52))
    assert (found.run.word, found.end - found.start) == ("lost", 7)


def test_instances_stand_in_the_order_of_the_plan(tmp_path: Path) -> None:
    attempt = {"started_at": at(47), "completed_at": at(50)}
    plan = {"assignments": [{"instance_id": "i", "capability": "c", "status": "succeeded", "attempts": [attempt]}, {"attempts": "odd"}, 3]}
    one, other = instances_of(timeline(tmp_path, scheduler=plan).run)
    assert (one.id, one.capability, one.status, one.attempts, (one.end or 0) - (one.start or 0)) == ("i", "c", "succeeded", 1, 3)
    assert (other.id, other.start, other.attempts) == ("", None, 0)
