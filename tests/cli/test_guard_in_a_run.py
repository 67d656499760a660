"""Guards as stages of a run: what is waived is in its manifest, and a required guardrail that did not run is seen."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import Data, as_list, as_object, command, environment, only_record, pipeline, run
from tests.cli.test_review import QUIET
from tests.guards.repositories import Repository, repository

GUARD = '"$CODEX_ORCHESTRATOR_PYTHON" -m orchestrator_py guard diff-budget'


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """What is not committed is over the budget."""
    return repository(tmp_path / "r").put(".gitignore", "/.runs\n/out\n").put("src/b.py", "1\n2\n3\n")


def configure(repo: Repository, *stages: Data, **more: object) -> None:
    whole = {"guardrails": {"maxLines": 2}, "pipelines": [pipeline("p", *stages, **more)]}
    repo.put("codex.orchestrator.json", json.dumps(whole))


def test_an_override_is_in_the_manifest_of_the_run_and_in_what_is_read_back(repo: Repository) -> None:
    configure(repo, command("size", GUARD), command("again", f"{GUARD} --dry-run"))
    done = run(repo.path, "run", variables={**QUIET, "DIFF_BUDGET_OVERRIDE_REASON": "  moved,\n not written "})
    assert done.code == 0, done.stderr
    manifest = only_record(repo.path).manifest
    (approval,) = as_list(manifest["approvals"])  # a dry run waives nothing
    assert (approval["actor"], approval["reason"]) == ("diff-budget", "moved, not written")
    assert list(approval) == ["actor", "timestamp", "reason"]
    assert str(manifest["started_at"]) <= str(approval["timestamp"]) <= str(manifest["completed_at"])
    assert as_object(manifest["guardrail_status"])["summary"] == "Guardrails: size, again succeeded (2 passed)."
    assert "  approved all the same (diff-budget): moved, not written" in run(repo.path, "status").stdout
    assert run(repo.path, "status", "--format", "json").document()["approvals"] == [approval]


def test_what_an_attempt_let_pass_is_on_record_though_another_one_followed(repo: Repository) -> None:
    """The first attempt has its reason and fails behind the guard; the second one is not asked."""
    again = f"test -e once && exit 0; touch once; {GUARD} && exit 1"
    configure(repo, command("size", again, retry={"maxAttempts": 2}))
    done = run(repo.path, "run", variables={**QUIET, "DIFF_BUDGET_OVERRIDE_REASON": "moved"})
    assert done.code == 0, done.stderr
    (approval,) = as_list(only_record(repo.path).manifest["approvals"])
    assert approval["reason"] == "moved"


def test_without_a_reason_nothing_is_approved(repo: Repository) -> None:
    configure(repo, command("size", GUARD))
    assert run(repo.path, "run", variables=QUIET).code == 1
    assert only_record(repo.path).manifest["approvals"] == []


def test_an_override_that_cannot_be_put_on_record_waives_nothing(repo: Repository) -> None:
    line = [sys.executable, "-m", "orchestrator_py", "guard", "diff-budget", "--max-lines", "2"]
    (repo.path / "file").write_text("")
    said = {**QUIET, "DIFF_BUDGET_OVERRIDE_REASON": "moved", "CODEX_ORCHESTRATOR_APPROVALS_PATH": str(repo.path / "file" / "a.jsonl")}
    done = subprocess.run(line, cwd=repo.path, env=environment(said), capture_output=True, text=True, check=False)
    assert done.returncode == 74
    assert "move away the file that stands where a folder belongs" in done.stderr or "is a file where a folder belongs" in done.stderr


def test_a_required_guardrail_that_did_not_run_is_seen_in_report_and_status(tmp_path: Path) -> None:
    stages = [command("bad", "exit 3"), command("lint", "true", guardrail=True)]
    (tmp_path / "codex.orchestrator.json").write_text(
        json.dumps({"pipelines": [pipeline("p", *stages), pipeline("free", command("a", "true"), guardrailsRequired=False)]})
    )
    assert run(tmp_path, "run", "p").code == 1
    told = "lint partial (1 pending of 1)"
    run_id = only_record(tmp_path).manifest["run_id"]
    assert f"  guardrails: required and not run: {told}" in run(tmp_path, "status").stdout.splitlines()
    report = run(tmp_path, "report").stdout.splitlines()
    assert f"  guardrails: required and not run in 1 of 1, last in {run_id}: {told}" in report
    assert "- **guardrails** (0101): required and not run in 1 of 1" in run(tmp_path, "report", "--format", "markdown").stdout
    assert run(tmp_path, "run", "free").code == 0
    (task,) = as_list(run(tmp_path, "report", "--format", "json").document()["tasks"])
    assert task["unguarded"] == [{"run_id": run_id, "guardrails": told}]
    found = run(tmp_path, "status", "--format", "json").document()
    assert (found["guardrails_required"], as_object(found["guardrails"])["present"]) == (False, False)
    assert "guardrails:" not in run(tmp_path, "status").stdout
