"""A worker that was lost: the instance that it stood for is requeued or escalated, and recovered if its work then succeeds."""

from attrs import evolve

from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.core.codec.scheduler import scheduler_from_manifest, scheduler_to_manifest
from orchestrator_py.core.command_summary import command_summary, error_detail
from orchestrator_py.core.outcome import execution_outcome
from orchestrator_py.core.tally import why
from orchestrator_py.ids import RunId, SubtaskId, TaskId
from orchestrator_py.model.assignment import AssignmentStatus, AttemptStatus, CheckpointAction, CheckpointReason, SchedulerPlan
from orchestrator_py.model.execution import Execution, Loss, LossKind
from orchestrator_py.model.messages import AttemptEnded, CloseRun, InstanceReleased, SubtaskEnded, SubtaskPlaced, SubtaskTaken
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.result import BuildResult
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from tests.core.conversations import RUN, TASK, open_pipeline_run, report, stamp

LOSS = Loss(LossKind.WORKER, "worker w was lost; it may or may not have run")
SUBTASK = SubtaskId("p:s0")


def attempt(number: int, outcome: Outcome, loss: Loss | None = None) -> AttemptReport:
    return AttemptReport(number=number, outcome=outcome, started_at=stamp(1), completed_at=stamp(2), loss=loss)


def crashed() -> SubtaskReport:
    build = BuildResult(subtask_id="p:s0", success=False, execution=Execution(loss=LOSS))
    return evolve(report(SUBTASK, Outcome.CRASHED, 0), build=build)


def worked(*retried: AttemptReport, end: SubtaskReport) -> SchedulerPlan:
    """The plan of a run of one stage, after these attempts and this end."""
    opening = open_pipeline_run(1, jobs=1)
    assert opening.scheduler is not None
    (instance,) = opening.scheduler.assignments
    aggregation = Aggregation(task_id=TASK.id)
    aggregation.handle(opening)
    aggregation.handle(SubtaskTaken(run_id=RUN, subtask_id=SUBTASK, instance_id=instance, at=stamp(1)))
    for one in retried:
        for _ in range(2):  # delivery is at least once
            aggregation.handle(AttemptEnded(run_id=RUN, subtask_id=SUBTASK, attempt=one))
    aggregation.handle(SubtaskEnded(run_id=RUN, report=end, instance_id=instance, at=stamp(3)))
    aggregation.handle(InstanceReleased(run_id=RUN, instance_id=instance, at=stamp(4)))
    plan = aggregation.runs[RUN].scheduler
    assert plan is not None
    assert scheduler_from_manifest(scheduler_to_manifest(plan)) == plan
    aggregation.handle(CloseRun(run_id=RUN, at=stamp(5)))
    return plan


def test_an_instance_whose_work_succeeds_after_a_loss_is_recovered() -> None:
    end = evolve(report(SUBTASK, Outcome.SUCCEEDED, 0), attempts=(attempt(1, Outcome.CRASHED, LOSS), attempt(2, Outcome.SUCCEEDED)))
    (assignment,) = worked(attempt(1, Outcome.CRASHED, LOSS), end=end).assignments.values()
    first, second = assignment.attempts
    assert (assignment.status, first.status, second.status) == (
        AssignmentStatus.RECOVERED,
        AttemptStatus.REQUEUED,
        AttemptStatus.COMPLETED,
    )
    (checkpoint,) = first.recovery_checkpoints
    assert (checkpoint.reason, checkpoint.action, checkpoint.timestamp) == (
        CheckpointReason.MISSED_HEARTBEAT,
        CheckpointAction.REQUEUE,
        first.completed_at,
    )
    assert checkpoint.detail == f"worker-lost: {LOSS.detail}"
    assert second.recovery_checkpoints == ()


def test_a_loss_that_is_not_tried_again_is_escalated_and_the_instance_has_failed() -> None:
    (assignment,) = worked(end=crashed()).assignments.values()
    (only,) = assignment.attempts
    assert (assignment.status, only.status) == (AssignmentStatus.FAILED, AttemptStatus.FAILED)
    assert [(point.reason, point.action) for point in only.recovery_checkpoints] == [
        (CheckpointReason.MISSED_HEARTBEAT, CheckpointAction.ESCALATE)
    ]


def test_a_retry_after_anything_else_makes_no_checkpoint() -> None:
    end = evolve(report(SUBTASK, Outcome.SUCCEEDED, 0), attempts=(attempt(1, Outcome.FAILED), attempt(2, Outcome.SUCCEEDED)))
    (assignment,) = worked(attempt(1, Outcome.FAILED), end=end).assignments.values()
    assert (assignment.status, len(assignment.attempts)) == (AssignmentStatus.SUCCEEDED, 1)
    assert assignment.attempts[0].recovery_checkpoints == ()


def test_a_loss_is_a_crash_unless_a_stop_was_recorded_before() -> None:
    assert execution_outcome(Execution(loss=LOSS)) is Outcome.CRASHED
    assert execution_outcome(Execution(loss=LOSS, stopped=True)) is Outcome.CRASHED
    stop = StopCause(StopKind.SIGNAL, "SIGINT")
    assert execution_outcome(Execution(loss=LOSS), stop) is Outcome.CANCELLED


def test_every_text_about_a_loss_names_it() -> None:
    execution = Execution(loss=LOSS)
    assert command_summary(execution, hint="all is well") == f"Lost ({LOSS})"
    data = error_detail(execution, run_id=RunId("r"), task_id=TaskId("t"), index=1, command_id="s0", command="true", at=stamp(1))
    assert data["reason"] == "command-execution-error"
    assert data["details"] == {"exit_code": None, "sandbox_state": "sandboxed", "stderr": str(LOSS)}
    assert why(crashed()) == str(LOSS)


def test_the_manifest_tells_which_instance_runs_a_stage_on_which_worker_at_every_moment() -> None:
    opening = open_pipeline_run(1, jobs=1)
    assert opening.scheduler is not None
    (instance,) = opening.scheduler.assignments
    aggregation = Aggregation(task_id=TASK.id)
    aggregation.handle(opening)
    aggregation.handle(SubtaskTaken(run_id=RUN, subtask_id=SUBTASK, instance_id=instance, at=stamp(1)))

    def said() -> str | None:
        manifest = aggregation.runs[RUN].manifest(stamp(2))
        assert manifest is not None
        return manifest.commands[0].summary

    told = [said()]
    for worker in ("w0 (tcp://h:1)", None, "w1 (tcp://h:2)"):
        aggregation.handle(SubtaskPlaced(run_id=RUN, subtask_id=SUBTASK, worker=worker))
        told.append(said())
    assert told == [None, f"Running on worker w0 (tcp://h:1) as {instance}.", None, f"Running on worker w1 (tcp://h:2) as {instance}."]
    aggregation.handle(SubtaskEnded(run_id=RUN, report=report(SUBTASK, Outcome.SUCCEEDED, 0), instance_id=instance, at=stamp(3)))
    assert "worker" not in str(said())
