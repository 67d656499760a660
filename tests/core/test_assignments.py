"""Instances: how many there are, what they are called, what becomes of them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.assignments import create_scheduler_plan, end_instance, finalise, start_instance, with_lanes
from orchestrator_py.core.codec.scheduler import scheduler_from_manifest, scheduler_to_manifest, scheduler_to_summary
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.errors import ConfigurationError, DecodeError
from orchestrator_py.ids import InstanceId, RunId, parse_task_id
from orchestrator_py.lean import evolve
from orchestrator_py.model.assignment import (
    Assignment,
    AssignmentStatus,
    Attempt,
    AttemptStatus,
    CheckpointAction,
    CheckpointReason,
    RecoveryCheckpoint,
    SchedulerPlan,
)
from orchestrator_py.model.manifest import RunStatus
from orchestrator_py.model.pipeline import Pipeline
from orchestrator_py.model.run_request import FanOut, GroupSettings, Recovery, RunRequest, RunSchedule
from orchestrator_py.model.task import TaskContext
from orchestrator_py.model.timestamp import Timestamp
from tests.core.recorded import recorded_cases

CASES = recorded_cases("scheduler")
ERRORS = {name: case for name, case in CASES.items() if case["expected"]["error"]}
CREATED = {name: case for name, case in CASES.items() if not case["expected"]["error"]}
FINALISED = {name: case for name, case in CREATED.items() if case["expected"]["after"]}
NOT_ENDED = {"service-run-status-queued", "service-run-status-in_progress"}
ENDED = {name: case for name, case in FINALISED.items() if name not in NOT_ENDED | {"finalize-recovered"}}

T0, T1, T2 = (Timestamp(f"2025-12-21T14:0{minute}:00.000Z") for minute in range(3))
LOST = RecoveryCheckpoint(timestamp=T2, reason=CheckpointReason.AUTO, action=CheckpointAction.ESCALATE, detail="owner-lost")


# As on record ------------------------------------------------------------------------------------------------------


def _request_on_record(data: dict[str, Any]) -> RunRequest:
    schedule, settings = data["schedule"], data.get("metadata", {}).get("tfgrpo")
    recovery = schedule["recovery"]
    return RunRequest(
        request_id=RunId(data["requestId"]),
        task=TaskContext(id=parse_task_id(data["task"]["id"]), title=data["task"]["title"]),
        pipeline=Pipeline(id="p", title="P", stages=()),
        schedule=RunSchedule(
            min_instances=schedule["minInstances"],
            max_instances=schedule["maxInstances"],
            fan_out=tuple(
                FanOut(capability=entry["capability"], weight=entry["weight"], max_concurrency=entry["maxConcurrency"])
                for entry in schedule["fanOut"]
            ),
            recovery=Recovery(
                heartbeat_interval_seconds=recovery["heartbeatIntervalSeconds"],
                missing_heartbeat_timeout_seconds=recovery["missingHeartbeatTimeoutSeconds"],
                max_retries=recovery["maxRetries"],
            ),
        ),
        requested_at=T0,
        artifact_root="",
        runs_root="",
        out_root="",
        group=GroupSettings(group_size=settings["groupSize"]) if settings else None,
    )


def _plan_on_record(case: dict[str, Any]) -> SchedulerPlan:
    options = case["input"]["options"]
    return create_scheduler_plan(
        _request_on_record(case["input"]["request"]),
        requested_at=Timestamp(options["now"]),
        instance_prefix=options.get("instance_prefix"),
    )


def _without_group_index(manifest: dict[str, Any]) -> dict[str, Any]:
    """The reference writes a key that the manifest's own schema refuses; here it stays in memory."""
    assignments = [
        {**assignment, "metadata": {key: value for key, value in assignment["metadata"].items() if key != "groupIndex"}}
        for assignment in manifest["assignments"]
    ]
    return {**manifest, "assignments": assignments}


def _with_true_times(manifest: dict[str, Any]) -> dict[str, Any]:
    """The reference says that an instance started when it ended, and that a heartbeat was missed; nothing was seen of either."""
    for assignment in manifest["assignments"]:
        for attempt in assignment["attempts"]:
            assert attempt["started_at"] == attempt["completed_at"]
            attempt |= {"started_at": None, "recovery_checkpoints": []}
    return manifest


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS.keys())
def test_impossible_bounds_are_refused_with_the_words_on_record(case: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _plan_on_record(case)
    assert str(refused.value) == case["expected"]["error"]["message"]


def test_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"Scheduler minInstances \(3\) cannot exceed maxInstances \(2\)\."):
        create_scheduler_plan(_request(FanOut(capability="x", max_concurrency=4), least=3, most=2), requested_at=T0)


@pytest.mark.parametrize("case", CREATED.values(), ids=CREATED.keys())
def test_a_new_plan_is_the_one_on_record_but_for_the_group_index(case: dict[str, Any]) -> None:
    plan, expected = _plan_on_record(case), case["expected"]["created"]
    assert compact_json(scheduler_to_manifest(plan)) == compact_json(_without_group_index(expected["manifest"]))
    assert compact_json(scheduler_to_summary(plan)) == compact_json(expected["run_summary"])


@pytest.mark.parametrize("case", CREATED.values(), ids=CREATED.keys())
def test_the_place_in_the_group_is_the_one_on_record_and_stays_in_memory(case: dict[str, Any]) -> None:
    expected = [assignment["metadata"].get("groupIndex") for assignment in case["expected"]["created"]["manifest"]["assignments"]]
    assert [assignment.metadata.group_index for assignment in _plan_on_record(case).assignments.values()] == expected


@pytest.mark.parametrize("case", ENDED.values(), ids=ENDED.keys())
def test_a_finalised_plan_is_the_one_on_record_but_for_made_up_starts_and_checkpoints(case: dict[str, Any]) -> None:
    plan = _plan_on_record(case)
    steps = case["input"]["finalize"] or [{"status": case["input"]["run_status"], "timestamp": case["input"]["completed_at"]}]
    for step, expected in zip(steps, case["expected"]["after"], strict=True):
        plan = finalise(plan, RunStatus(step["status"]), Timestamp(step["timestamp"]))
        assert compact_json(scheduler_to_manifest(plan)) == compact_json(_with_true_times(expected["manifest"]))
        assert compact_json(scheduler_to_summary(plan)) == compact_json(expected["run_summary"])


@pytest.mark.parametrize("name", sorted(NOT_ENDED))
def test_a_run_that_has_not_ended_stamps_nothing_though_the_reference_does(name: str) -> None:
    case = CASES[name]
    plan = _plan_on_record(case)
    assert case["expected"]["after"][0] != case["expected"]["created"]
    assert finalise(plan, RunStatus(case["input"]["run_status"]), Timestamp(case["input"]["completed_at"])) == plan


def test_no_run_ends_as_recovered_though_the_reference_would_finalise_one() -> None:
    assert CASES["finalize-recovered"]["expected"]["after"][0]["run_summary"]["assignments"][0]["status"] == "recovered"
    assert "recovered" not in {status.value for status in RunStatus}


# Lanes -------------------------------------------------------------------------------------------------------------


def _request(*fan_out: FanOut, least: int = 1, most: int | None = None) -> RunRequest:
    return RunRequest(
        request_id=RunId("r"),
        task=TaskContext(id=parse_task_id("T"), title="T"),
        pipeline=Pipeline(id="p", title="P", stages=()),
        schedule=RunSchedule(min_instances=least, max_instances=len(fan_out) if most is None else most, fan_out=fan_out),
        requested_at=T0,
        artifact_root="",
        runs_root="",
        out_root="",
    )


def _names(request: RunRequest) -> list[str]:
    return list(create_scheduler_plan(request, requested_at=T0).assignments)


def test_lanes_beyond_the_slots_go_to_the_capabilities_in_turn() -> None:
    request = _request(FanOut(capability="x"), FanOut(capability="y"))
    assert _names(with_lanes(request, 5)) == ["t-x-01", "t-x-02", "t-x-03", "t-y-01", "t-y-02"]


def test_slots_that_are_there_are_used_before_new_ones_are_made() -> None:
    request = _request(FanOut(capability="general", max_concurrency=2), most=1)
    assert _names(request) == ["t-general-01"]
    widened = with_lanes(request, 2)
    assert _names(widened) == ["t-general-01", "t-general-02"]
    assert widened.schedule.fan_out == request.schedule.fan_out


def test_fewer_lanes_than_instances_narrow_the_run() -> None:
    assert _names(with_lanes(_request(FanOut(capability="x"), FanOut(capability="y")), 1)) == ["t-x-01"]


def test_a_request_that_yields_the_lanes_already_is_unchanged() -> None:
    request = _request(FanOut(capability="x"), FanOut(capability="y"))
    assert with_lanes(request, 2) is request


def test_a_run_without_a_lane_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one lane, not 0"):
        with_lanes(_request(FanOut(capability="x")), 0)


_fan_out = st.builds(FanOut, capability=st.sampled_from("xyz"), weight=st.integers(0, 3), max_concurrency=st.none() | st.integers(-1, 4))


@given(st.lists(_fan_out, max_size=4), st.integers(0, 5), st.integers(0, 5), st.integers(1, 20))
def test_a_plan_has_exactly_the_lanes_asked_for(fan_out: list[FanOut], least: int, most: int, lanes: int) -> None:
    plan = create_scheduler_plan(with_lanes(_request(*fan_out, least=least, most=most), lanes), requested_at=T0)
    assert len(plan.assignments) == lanes
    if fan_out and lanes >= sum(entry.slots for entry in fan_out):
        assert {assignment.capability for assignment in plan.assignments.values()} == {entry.capability for entry in fan_out}


# Transitions -------------------------------------------------------------------------------------------------------

X, Y = InstanceId("t-x-01"), InstanceId("t-y-01")


def _two() -> SchedulerPlan:
    return create_scheduler_plan(_request(FanOut(capability="x"), FanOut(capability="y")), requested_at=T0)


def _changed(plan: SchedulerPlan, name: InstanceId, change: Callable[[Assignment], Assignment]) -> SchedulerPlan:
    return evolve(plan, assignments={**plan.assignments, name: change(plan.assignments[name])})


def _start(plan: SchedulerPlan, name: InstanceId, at: Timestamp) -> SchedulerPlan:
    return _changed(plan, name, lambda one: start_instance(one, at))


def _end(
    plan: SchedulerPlan, name: InstanceId, at: Timestamp | None, *, succeeded: bool, checkpoint: RecoveryCheckpoint | None = None
) -> SchedulerPlan:
    return _changed(plan, name, lambda one: end_instance(one, at, succeeded=succeeded, checkpoint=checkpoint))


def _times(plan: SchedulerPlan, name: InstanceId) -> tuple[str, str | None, str | None]:
    assignment = plan.assignments[name]
    (attempt,) = assignment.attempts
    assert attempt.completed_at == assignment.completed_at
    return assignment.status.value, attempt.started_at, attempt.completed_at


def test_an_instance_starts_when_it_takes_work_and_ends_when_its_work_ends() -> None:
    plan = _end(_start(_two(), X, T1), X, T2, succeeded=True)
    assert _times(plan, X) == ("succeeded", T1, T2)
    assert _times(plan, Y) == ("assigned", None, None)


def test_each_instance_has_its_own_outcome_not_the_run_s() -> None:
    plan = _end(_start(_two(), X, T1), X, T1, succeeded=True)
    assert _times(finalise(plan, RunStatus.FAILED, T2), X) == ("succeeded", T1, T1)


def test_an_instance_that_never_started_takes_the_run_s_word_without_a_start() -> None:
    assert _times(finalise(_two(), RunStatus.SUCCEEDED, T2), Y) == ("succeeded", None, T2)
    assert _times(finalise(_two(), RunStatus.CANCELLED, T2), Y) == ("failed", None, T2)


def test_a_failure_without_a_known_reason_has_no_checkpoint() -> None:
    plan = finalise(_end(_start(_two(), X, T1), X, T2, succeeded=False), RunStatus.FAILED, T2)
    assert all(attempt.recovery_checkpoints == () for one in plan.assignments.values() for attempt in one.attempts)


def test_an_instance_whose_owner_died_has_a_reason_and_no_end() -> None:
    plan = _end(_start(_two(), X, T1), X, None, succeeded=False, checkpoint=LOST)
    assert _times(plan, X) == ("failed", T1, None)
    assert plan.assignments[X].attempts[0].recovery_checkpoints == (LOST,)


def test_an_instance_whose_only_attempt_was_begun_again_by_another_writer_is_recovered() -> None:
    begun_again = Attempt(number=1, assigned_at=T0, started_at=T0, completed_at=T1, status=AttemptStatus.REQUEUED)
    plan = _changed(_two(), X, lambda one: evolve(one, status=AssignmentStatus.RUNNING, attempts=(begun_again,)))
    assert finalise(plan, RunStatus.SUCCEEDED, None).assignments[X].status is AssignmentStatus.RECOVERED


def test_the_same_news_told_twice_is_no_news() -> None:
    started = _start(_two(), X, T1)
    assert _start(started, X, T2) == started
    ended = _end(started, X, T1, succeeded=True)
    assert _end(ended, X, T2, succeeded=False, checkpoint=LOST) == ended
    assert _start(ended, X, T2) == ended


Transition = Callable[[SchedulerPlan], SchedulerPlan]
_ids, _moments = st.sampled_from([X, Y]), st.sampled_from([T0, T1, T2])
_transitions: st.SearchStrategy[Transition] = st.one_of(
    st.builds(lambda name, at: lambda plan: _start(plan, name, at), _ids, _moments),
    st.builds(
        lambda name, at, succeeded, checkpoint: lambda plan: _end(plan, name, at, succeeded=succeeded, checkpoint=checkpoint),
        _ids,
        st.none() | _moments,
        st.booleans(),
        st.none() | st.just(LOST),
    ),
    st.builds(lambda status, at: lambda plan: finalise(plan, status, at), st.sampled_from(RunStatus), st.none() | _moments),
)


@given(st.lists(_transitions, max_size=8))
def test_whatever_happens_ends_belong_to_what_has_ended_and_are_final(transitions: list[Transition]) -> None:
    plan = _two()
    for transition in transitions:
        before, plan = plan, transition(plan)
        for name, assignment in plan.assignments.items():
            (attempt,) = assignment.attempts
            assert assignment.status.terminal is attempt.status.terminal
            assert assignment.completed_at is None or assignment.status.terminal
            assert attempt.started_at is None or attempt.status is not AttemptStatus.PENDING
            if before.assignments[name].status.terminal:
                assert assignment == before.assignments[name]
    assert scheduler_from_manifest(scheduler_to_manifest(plan)) == plan


@given(st.lists(_transitions, max_size=8))
def test_after_the_run_has_ended_every_instance_has(transitions: list[Transition]) -> None:
    plan = _two()
    for transition in transitions:
        plan = transition(plan)
    assert all(one.status.terminal for one in finalise(plan, RunStatus.FAILED, T2).assignments.values())


# Reading a manifest ------------------------------------------------------------------------------------------------


def _manifest() -> dict[str, Any]:
    return scheduler_to_manifest(_two())


def test_a_manifest_that_claims_an_end_of_what_runs_is_refused() -> None:
    data = _manifest()
    data["assignments"][1]["completed_at"] = T2
    with pytest.raises(DecodeError, match=r"\$\.assignments\[1\]: instance t-y-01 is assigned and cannot have a completed time"):
        scheduler_from_manifest(data)


def test_a_manifest_that_lists_an_instance_twice_is_refused() -> None:
    data = _manifest()
    data["assignments"].append(data["assignments"][0])
    with pytest.raises(DecodeError, match="listed twice"):
        scheduler_from_manifest(data)


def test_a_manifest_of_another_mode_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"\$\.mode: expected one of 'multi-instance', got 'solo'"):
        scheduler_from_manifest({**_manifest(), "mode": "solo"})


def test_a_manifest_of_the_reference_can_be_read_made_up_times_and_all() -> None:
    recorded = CASES["service-run-status-failed"]["expected"]["after"][0]["manifest"]
    plan = scheduler_from_manifest(recorded)
    assert [one.status for one in plan.assignments.values()] == [AssignmentStatus.FAILED]
    assert compact_json(scheduler_to_manifest(plan)) == compact_json(recorded)


def test_a_place_in_a_group_that_the_reference_wrote_is_read_and_not_written_again() -> None:
    recorded = CASES["group-size-3-of-4"]["expected"]["created"]["manifest"]
    plan = scheduler_from_manifest(recorded)
    assert [one.metadata.group_index for one in plan.assignments.values()] == [1, 2, 3, 1]
    assert compact_json(scheduler_to_manifest(plan)) == compact_json(_without_group_index(recorded))
