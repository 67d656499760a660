"""Guardrails and approvals in the manifest: while a run goes on, at its end, when it is sealed, when it is resumed."""

from attrs import evolve

from orchestrator_py.core.codec.contract import from_json, to_json
from orchestrator_py.core.manifest import manifest_at_end
from orchestrator_py.core.metrics_entry import create_metrics_entry
from orchestrator_py.core.resuming import reborn
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.core.sealing import seal
from orchestrator_py.ids import InstanceId, SubtaskId
from orchestrator_py.model.approval import Approval
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.guardrails import GuardrailCounts
from orchestrator_py.model.manifest import Manifest
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.pipeline import CommandStage, Pipeline
from orchestrator_py.model.policy import LENIENT
from orchestrator_py.model.summary import SubtaskReport
from tests.core.conversations import open_pipeline_run, report, stamp

LANE = InstanceId("task-1-general-01")
MOVED = Approval(actor="diff-budget", timestamp=stamp(1), reason="moved")
DATA = {"actor": "diff-budget", "timestamp": stamp(1), "reason": "moved"}


def ended(place: int, word: Outcome = Outcome.SUCCEEDED, *approvals: Approval) -> SubtaskReport:
    one = report(SubtaskId(f"p:s{place}"), word, place)
    assert one.build is not None
    return evolve(one, build=evolve(one.build, execution=Execution(exit_code=0, approvals=approvals)))


def told(record: RunRecord, *reports: SubtaskReport) -> Manifest:
    for one in reports:
        record.take(one.subtask_id, LANE, stamp(1))
        record.end_subtask(one, LANE)
    manifest = record.manifest(stamp(9))
    assert manifest is not None
    return manifest


def marked(*stage_ids: str, count: int = 3) -> RunRecord:
    return RunRecord(evolve(open_pipeline_run(count), guardrails=frozenset(stage_ids)))


def test_a_marked_stage_is_counted_from_the_start_since_only_the_pipeline_knows_it() -> None:
    status = told(marked("s0", "s2"), ended(0)).guardrail_status
    assert status is not None
    assert status.summary == "Guardrails: s0, s2 partial (1 passed, 1 pending of 2)."
    assert told(marked(), ended(0)).guardrail_status is None  # as the contract has it


def test_at_the_end_the_summary_says_what_they_came_to() -> None:
    record = marked("s0", "s2")
    told(record, ended(0), ended(1), ended(2, Outcome.FAILED))
    manifest = record.final_manifest(record.close(stamp(59)), stamp(59))
    assert manifest is not None
    assert (manifest.summary or "").endswith("\nGuardrails: s0, s2 failed (1/2 failed).")


def test_a_lost_run_is_sealed_with_what_it_had_counted_itself() -> None:
    lost = from_json(Manifest, to_json(told(marked("s0", "s2"), ended(0))))
    sealed = seal(lost, stamp(30), {})
    assert sealed.guardrail_status is not None
    assert sealed.guardrail_status.counts == GuardrailCounts(total=2, succeeded=1, failed=0, skipped=0, other=1)
    assert (sealed.guardrail_status.computed_at, sealed.guardrail_status.recommendation) == (stamp(30), None)
    assert (sealed.summary or "").endswith("\nGuardrails: s0, s2 partial (1 passed, 1 pending of 2).")
    entry = create_metrics_entry(_data(sealed), stamp(30))
    assert entry is not None
    assert entry.guardrails_present


def test_approvals_stand_in_the_order_of_the_stages_whoever_ended_first() -> None:
    first, second = ended(0, Outcome.SUCCEEDED, MOVED), ended(1, Outcome.SUCCEEDED, evolve(MOVED, reason="generated"))
    for order in ((first, second), (second, first)):
        assert told(marked(), *order).approvals == (DATA, {**DATA, "reason": "generated"})


def test_an_approval_of_a_stage_that_failed_all_the_same_is_on_record_too() -> None:
    record = marked()
    told(record, ended(0, Outcome.FAILED, MOVED), ended(1), ended(2))
    manifest = record.final_manifest(record.close(stamp(59)), stamp(59))
    assert manifest is not None
    assert manifest.approvals == (DATA,)
    assert _data(manifest)["approvals"] == [DATA]


def test_a_resumed_run_keeps_what_was_approved_and_no_one_approves_twice() -> None:
    pipeline = Pipeline(id="p", title="P", stages=tuple(CommandStage(id=f"s{n}", title=f"Stage {n}", command="true") for n in range(3)))
    record = marked("s1")
    told(record, ended(0, Outcome.SUCCEEDED, MOVED), ended(1, Outcome.FAILED), ended(2, Outcome.FAILED))
    first = record.final_manifest(record.close(stamp(59)), stamp(59))
    assert first is not None
    again = reborn(from_json(Manifest, to_json(first)), pipeline, LENIENT, at=stamp(60))
    assert (again.approvals, again.guardrail_status) == ((DATA,), None)
    resumed = RunRecord(evolve(open_pipeline_run(3), manifest=again))
    assert told(resumed, ended(1)).approvals == (DATA,)
    assert manifest_at_end(again, resumed._progress(), Outcome.FAILED, None, stamp(61)).approvals == (DATA,)


def _data(manifest: Manifest) -> dict[str, object]:
    data = to_json(manifest)
    assert isinstance(data, dict)
    return data
