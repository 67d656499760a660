"""However a run ends: exit code, JSON document, manifest, summary, history and rollups say the same."""

from pathlib import Path

import pytest
from attrs import field, frozen

from tests.cli.running import (
    Data,
    as_object,
    assert_agreement,
    assert_document,
    command,
    configure,
    configure_stages,
    only_record,
    pipeline,
    records,
    run,
    subpipeline,
)


@frozen(kw_only=True)
class Case:
    stages: list[Data]
    code: int
    outcome: str
    detail: str | None
    statuses: list[str]
    says: str = field(default="")
    more: Data = field(factory=dict)


CASES = {
    "success": Case(
        stages=[command("a", "true"), command("b", "true")], code=0, outcome="succeeded", detail=None, statuses=["succeeded"] * 2
    ),
    "failure": Case(
        stages=[command("a", "true"), command("b", "echo no >&2; exit 9"), command("c", "true")],
        code=1,
        outcome="failed",
        detail="stage:b:failed",
        statuses=["succeeded", "failed", "pending"],
        says="[2/3] p:b failed in",
    ),
    "failed test": Case(
        stages=[command("a", "true", test="exit 4")], code=1, outcome="failed", detail="stage:a:failed", statuses=["failed"]
    ),
    "rejected": Case(
        stages=[command("a", "true", review="echo too long; exit 1"), command("b", "true")],
        code=3,
        outcome="rejected",
        detail="stage:a:rejected",
        statuses=["failed", "succeeded"],
        says="p:a rejected in",
    ),
    "timed out": Case(
        stages=[command("a", "exec sleep 300", timeoutSeconds=0.05)],
        code=4,
        outcome="timed_out",
        detail="stage:a:timed_out",
        statuses=["failed"],
        says="its limit is 0.05 s",
    ),
    "no stages": Case(stages=[], code=5, outcome="skipped", detail="nothing-ran", statuses=[]),
    "none runnable": Case(
        stages=[command("a", "true", plan={"runnable": False})], code=5, outcome="skipped", detail="nothing-ran", statuses=["pending"]
    ),
    "killed": Case(
        stages=[command("a", "kill -KILL $$")], code=6, outcome="crashed", detail="stage:a:crashed", statuses=["failed"], says="SIGKILL"
    ),
    "not spawned": Case(
        stages=[command("a", "true", cwd="nowhere")],
        code=6,
        outcome="crashed",
        detail="stage:a:crashed",
        statuses=["failed"],
        says="could not be started: No such file or directory",
    ),
    "reviewer killed": Case(
        stages=[command("a", "true", review="kill -KILL $$")], code=6, outcome="crashed", detail="stage:a:crashed", statuses=["failed"]
    ),
    "waived": Case(
        stages=[command("a", "exit 7", allowFailure=True), command("b", "true")],
        code=0,
        outcome="succeeded",
        detail="waived:a",
        statuses=["skipped", "succeeded"],
        says="p:a failed in",
    ),
    "flaky": Case(
        stages=[command("a", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2})],
        code=0,
        outcome="succeeded",
        detail="flaky:a",
        statuses=["succeeded"],
        says="p:a: attempt 1 failed, trying again",
    ),
    "skipped upstream": Case(
        stages=[command("a", "false"), command("b", "true", needs=["a"]), command("c", "true", needs=["b"])],
        code=1,
        outcome="failed",
        detail="stage:a:failed",
        statuses=["failed", "pending", "pending"],
        says="p:c not started: something it needs did not succeed",
    ),
    "worst of all": Case(
        stages=[
            command("k", "kill -KILL $$"),
            command("t", "exec sleep 300", timeoutSeconds=0.05),
            command("r", "true", review="false"),
        ],
        code=3,
        outcome="rejected",
        detail="stage:r:rejected",
        statuses=["failed"] * 3,
        more={"parallel": True},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_everything_says_the_same(tmp_path: Path, case: Case) -> None:
    configure_stages(tmp_path, *case.stages, **case.more)
    finished = run(tmp_path, "run", "--format", "json", "-j", "3", "--on-failure", "continue" if case.more else "stop")
    assert finished.code == case.code, finished.stderr
    record = only_record(tmp_path)
    assert_document(tmp_path, finished, record, case.outcome)
    assert_agreement(tmp_path, record, case.outcome)
    assert record.manifest["status_detail"] == case.detail
    assert list(record.statuses.values()) == case.statuses
    assert case.says in finished.stderr


def test_the_text_report_names_the_failed_ones_and_their_logs(tmp_path: Path) -> None:
    configure_stages(
        tmp_path,
        command("ok", "true"),
        command("bad", "printf 'one\\ntwo\\n'; exit 3"),
        command("meh", "exit 1", allowFailure=True),
        command("shy", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2}),
        parallel=True,
    )
    finished = run(tmp_path, "run", "--on-failure", "continue")
    assert finished.code == 1
    record = only_record(tmp_path)
    log = record.commands["bad"]["log_path"]
    failed, waived, flaky, sentence, report = finished.stdout.splitlines()
    assert failed == f"failed: p:bad (exit code 3), log {log}"
    assert waived == "waived: p:meh (failed)"
    assert flaky == "flaky: p:shy (2 attempts)"
    assert sentence.startswith("p failed: succeeded 3, failed 1 of 4 in ")
    assert report == f"report: {record.manifest['artifact_root']}/manifest.json"
    assert f"    $ printf 'one\\ntwo\\n'; exit 3\n    | one\n    | two\n    log: {log}\n" in finished.stderr


@pytest.mark.parametrize(
    ("child_ends", "optional", "code", "outcome", "status", "detail"),
    [
        ("true", False, 0, "succeeded", "succeeded", None),
        ("false", False, 1, "failed", "failed", "subpipeline:child:failed"),
        ("false", True, 0, "succeeded", "skipped", "waived:child"),
        ("kill -KILL $$", False, 6, "crashed", "failed", "subpipeline:child:crashed"),
    ],
)
def test_a_child_run_has_its_own_record_and_its_parent_knows_it(
    tmp_path: Path, child_ends: str, optional: bool, code: int, outcome: str, status: str, detail: str | None
) -> None:
    configure(
        tmp_path,
        pipeline("p", subpipeline("child", "c", optional=optional), command("after", "true")),
        pipeline("c", command("x", child_ends)),
    )
    finished = run(tmp_path, "run", "--format=json")
    assert finished.code == code, finished.stderr
    child, parent = records(tmp_path)  # the child was on record before its parent
    assert_document(tmp_path, finished, parent, outcome)
    assert_agreement(tmp_path, parent, outcome)
    child_outcome = {"true": "succeeded", "false": "failed"}.get(child_ends, "crashed")
    assert_agreement(tmp_path, child, child_outcome)
    assert child.manifest["parent_run_id"] == parent.manifest["run_id"]
    assert child.manifest["completed_at"] <= parent.manifest["completed_at"]  # type: ignore[operator]  # texts of one shape
    assert parent.manifest["child_runs"] == [
        {
            "run_id": child.manifest["run_id"],
            "pipeline_id": "c",
            "status": child.manifest["status"],
            "manifest": f"{child.manifest['artifact_root']}/manifest.json",
        }
    ]
    assert parent.entry["child_runs"] == 1
    stage = parent.commands["child"]
    assert (stage["status"], stage["sub_run_id"]) == (status, child.manifest["run_id"])
    assert (stage["command"], stage["log_path"], stage["error_file"], stage["exit_code"]) == (None, None, None, None)
    assert not (parent.folder / "errors").exists()
    assert parent.manifest["status_detail"] == detail
    assert parent.statuses["after"] == ("succeeded" if code == 0 else "pending")


def test_a_rejected_stage_shows_how_its_review_ended(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "echo built", review="echo too long; exit 5"))
    assert run(tmp_path, "run").stdout.startswith("rejected: p:a (too long), log ")
    stage = only_record(tmp_path).commands["a"]
    assert (stage["exit_code"], stage["summary"]) == (5, "Rejected by review: too long")
    detail = as_object(as_object(only_record(tmp_path).summary["review"])["decision"])
    assert detail == {"approved": False, "feedback": "too long"}
