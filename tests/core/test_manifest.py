"""The manifest of a command-line run at one moment: commands, status, marks, and the lines of its summary."""

from datetime import timedelta

import pytest
from attrs import evolve

from orchestrator_py.core.codec.printing import pretty_pieces, print_pretty
from orchestrator_py.core.command_records import deciding_execution
from orchestrator_py.core.manifest import manifest_at_end, manifest_in_progress
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.ids import InstanceId, RunId, SubtaskId
from orchestrator_py.model.execution import Execution, Output
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, RunStatus
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.result import ReviewDecision, ReviewResult
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from tests.core.conversations import STOP, open_pipeline_run, report, stamp


def record_of(*reports: SubtaskReport, count: int | None = None) -> RunRecord:
    """A run of which these reports were told, in order."""
    opening = open_pipeline_run(count or len(reports))
    record = RunRecord(opening)
    lane = InstanceId(next(iter(opening.scheduler.assignments))) if opening.scheduler else InstanceId("none")
    for one in reports:
        if one.started_at is not None:
            record.take(one.subtask_id, lane, one.started_at)
        record.end_subtask(one, lane if one.started else None)
    return record


def stage(place: int, word: Outcome = Outcome.SUCCEEDED, execution: Execution | None = None) -> SubtaskReport:
    """How stage number `place` ended; its build was the command."""
    one = report(SubtaskId(f"p:s{place}"), word, place)
    return one if one.build is None else evolve(one, build=evolve(one.build, execution=execution, notes=None))


def finished(record: RunRecord, *, cause: StopCause | None = None) -> Manifest:
    if cause is not None:
        record.stop(cause)
    manifest = record.final_manifest(record.close(stamp(59)), stamp(59))
    assert manifest is not None
    return manifest


def test_a_stage_that_runs_has_a_start_a_log_and_no_end() -> None:
    record = record_of(count=2)
    record.take(SubtaskId("p:s0"), InstanceId("task-1-general-01"), stamp(3))
    manifest = record.manifest(stamp(4))
    assert manifest is not None
    running, pending = manifest.commands
    assert (running.status, running.started_at, running.completed_at) == (CommandStatus.RUNNING, stamp(3), None)
    assert running.log_path == ".runs/task-1/cli/run-1/commands/01-s0.ndjson"
    assert (pending.status, pending.started_at, pending.log_path) == (CommandStatus.PENDING, None, None)
    assert (manifest.status, manifest.updated_at, manifest.completed_at) == (RunStatus.IN_PROGRESS, stamp(4), None)


def test_what_has_ended_is_worked_out_and_printed_once_and_stays_true() -> None:
    record = record_of(stage(0, Outcome.FAILED, Execution(exit_code=3)), count=3)
    record.take(SubtaskId("p:s1"), InstanceId("task-1-general-01"), stamp(3))
    printed: list[str] = []
    for moment in range(4, 8):
        manifest = record.manifest(stamp(moment))
        assert manifest is not None
        printed.append("".join(pretty_pieces(manifest, record.texts)))
        assert printed[-1] == print_pretty(manifest)
        assert manifest.commands[0] is record.command(SubtaskId("p:s0"))
        if moment == 5:
            record.end_subtask(stage(1, Outcome.SUCCEEDED, Execution(exit_code=0)), None)
    assert len(set(printed)) == 4


def test_a_command_that_failed_shows_its_code_its_words_and_its_error_file() -> None:
    execution = Execution(exit_code=3, stderr=Output(text="no such option"))
    manifest = finished(record_of(stage(0, Outcome.FAILED, execution), stage(1, Outcome.SUCCEEDED, Execution(exit_code=0))))
    failed, good = manifest.commands
    assert (failed.status, failed.exit_code, failed.error_file) == (CommandStatus.FAILED, 3, ".runs/task-1/cli/run-1/errors/01-s0.json")
    assert failed.summary == "Exited with code 3 — no such option"
    assert (good.status, good.exit_code, good.error_file) == (CommandStatus.SUCCEEDED, 0, None)
    assert manifest.status_detail == "stage:s0:failed"
    assert manifest.summary is not None
    assert "Stage 'Stage 0' failed with exit code 3." in manifest.summary.splitlines()


@pytest.mark.parametrize(
    ("word", "cause", "words"),
    [
        (Outcome.TIMED_OUT, StopCause(StopKind.TIMEOUT, "5 s"), "Timed out (timeout: 5 s)."),
        (Outcome.CANCELLED, STOP, "Cancelled (embedder: enough)."),
    ],
)
def test_a_stage_that_we_ended_says_by_what(word: Outcome, cause: StopCause, words: str) -> None:
    one = evolve(stage(0, word, Execution(signal="SIGTERM", stopped=True)), cause=cause)
    manifest = finished(record_of(one), cause=None if word is Outcome.TIMED_OUT else cause)
    assert manifest.commands[0].summary == words
    assert manifest.status is (RunStatus.FAILED if word is Outcome.TIMED_OUT else RunStatus.CANCELLED)
    assert manifest.status_detail == ("stage:s0:timed_out" if word is Outcome.TIMED_OUT else "cancelled:embedder: enough")


@pytest.mark.parametrize(("feedback", "words"), [("too big", "Rejected by review: too big"), (None, "Rejected by review.")])
def test_a_rejected_stage_says_why(feedback: str | None, words: str) -> None:
    review = ReviewResult(summary="no", decision=ReviewDecision(approved=False, feedback=feedback))
    manifest = finished(record_of(evolve(stage(0, Outcome.REJECTED, Execution(exit_code=0)), review=review)))
    assert manifest.commands[0].summary == words
    assert (manifest.status, manifest.status_detail) == (RunStatus.FAILED, "stage:s0:rejected")


def test_waived_and_flaky_stages_are_named_in_a_success() -> None:
    attempts = tuple(
        AttemptReport(number=number, outcome=word, started_at=stamp(1), completed_at=stamp(2), elapsed=timedelta(seconds=1))
        for number, word in ((1, Outcome.FAILED), (2, Outcome.SUCCEEDED))
    )
    waived = [evolve(stage(place, Outcome.FAILED, Execution(exit_code=1)), waived=True) for place in (1, 0)]
    manifest = finished(record_of(*waived, evolve(stage(2), attempts=attempts)))
    assert manifest.status is RunStatus.SUCCEEDED
    assert manifest.status_detail == "waived:s0,s1; flaky:s2"
    assert [command.status.value for command in manifest.commands] == ["skipped", "skipped", "succeeded"]
    assert [(command.exit_code, command.error_file) for command in manifest.commands[:2]] == [(1, None)] * 2


def test_a_run_of_which_nothing_ran_is_no_success() -> None:
    manifest = finished(record_of(stage(0, Outcome.SKIPPED)))
    assert (manifest.status, manifest.status_detail) == (RunStatus.FAILED, "nothing-ran")


def test_a_run_that_cannot_be_vouched_for_says_so() -> None:
    record = record_of(stage(0))
    record.contradict("two words for one stage")
    assert finished(record).status_detail == "pipeline-error"


def test_the_first_word_on_a_child_run_that_is_terminal_stays() -> None:
    record = record_of(stage(0))
    told = [ChildRun(run_id=RunId("c"), pipeline_id="q", status=status, manifest="m") for status in RunStatus]
    assert [record.tell_child(child) for child in told] == [True, True, True, False, False]
    assert [child.status for child in finished(record).child_runs] == [RunStatus.SUCCEEDED]


def test_the_execution_that_decided_is_that_of_the_first_stage_that_did_not_succeed() -> None:
    one = stage(0, Outcome.SUCCEEDED, Execution(exit_code=0))
    assert one.test is not None
    assert one.review is not None
    tested = evolve(one, test=evolve(one.test, success=False, execution=Execution(exit_code=7)))
    reviewed = evolve(one, review=ReviewResult(summary="", decision=ReviewDecision(approved=False), execution=Execution(exit_code=8)))
    never = SubtaskReport(subtask_id=SubtaskId("p:s0"), outcome=Outcome.SKIPPED)
    found = [deciding_execution(report) for report in (one, tested, reviewed, never)]
    assert [None if execution is None else execution.exit_code for execution in found] == [0, 7, 8, None]


def test_a_manifest_is_a_pure_function_of_what_is_known() -> None:
    record = record_of(stage(0), count=2)
    born, progress = record.opening.manifest, record._progress()
    assert born is not None
    assert manifest_in_progress(born, progress, stamp(5)) == manifest_in_progress(born, progress, stamp(5))
    ended = manifest_at_end(born, progress, Outcome.FAILED, None, stamp(6))
    assert ended == manifest_at_end(born, progress, Outcome.FAILED, None, stamp(6))
    assert born.commands[0] == CommandRecord(index=1, id="s0", title="Stage 0", command="true", kind="command")
