"""What this repository holds itself to: its own gate can say no, does not believe the tool that runs it, and does not fail with time."""

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import define, field

from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.guards.spec_guard import guard_specs
from orchestrator_py.model.pipeline import CommandStage
from tests.test_docs import ROOT, environment

SEVEN = ("spec-guard", "build", "lint", "test", "docs:check", "diff-budget", "review")
REVIEWER = ROOT / "scripts" / "gate" / "review_evidence.py"


def load(path: Path) -> ModuleType:
    spec = spec_from_loader(path.name, SourceFileLoader(path.name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK, REVIEW = load(ROOT / "scripts" / "check"), load(REVIEWER)


@define
class GateRun:
    """The record of a run of the gate that has passed; what a test breaks in it is not yet written."""

    folder: Path
    manifest: dict[str, Any] = field(init=False)
    logs: dict[str, int] = field(init=False)
    tests: dict[str, int] = field(factory=lambda: {"tests": 3200, "failures": 0, "errors": 0, "skipped": 10})
    decision: str = "approved"
    hand_off: str = ""

    def __attrs_post_init__(self) -> None:
        self.logs = dict.fromkeys(SEVEN, 0)
        stages = [{"id": name, "status": "succeeded", "exit_code": 0, "command": "true"} for name in SEVEN]
        self.manifest = {
            "run_id": "r1",
            "task_id": "t1",
            "pipeline_id": "implementation-gate",
            "status": "succeeded",
            "commands": [{**stage, "log_path": str(self.folder / f"{number}.ndjson")} for number, stage in enumerate(stages)],
        }
        told = "\n".join(f"- {name}: succeeded in 1 s" for name in SEVEN)
        self.hand_off = f"""# Review: x

## Run

- task: t1
- run: r1 of pipeline implementation-gate, which goes on
- manifest: `{self.path}`

Stages:

{told}

## Guardrails

- diff-budget: no findings; 1 of 2 files

## Change

## Checklist

`tasks/t1.md`: 2 of 2 done.

## Notes

None.
"""

    @property
    def path(self) -> Path:
        return self.folder / "manifest.json"

    def stage(self, name: str) -> dict[str, Any]:
        """The first of that name."""
        found: dict[str, Any] = next(stage for stage in self.manifest["commands"] if stage["id"] == name)
        return found

    def write(self) -> "GateRun":
        self.path.write_text(json.dumps(self.manifest))
        self.path.with_name("review.json").write_text(json.dumps({"decision": self.decision}))
        counts = " ".join(f'{key}="{count}"' for key, count in self.tests.items())
        self.path.with_name("pytest.xml").write_text(f"<testsuites><testsuite {counts} /></testsuites>")
        (self.folder / "dist").mkdir()
        for name in ("a.tar.gz", "a.whl"):
            (self.folder / "dist" / name).touch()
        for stage in self.manifest["commands"]:
            Path(stage["log_path"]).write_text(json.dumps({"type": "command:end", "exit_code": self.logs.get(stage["id"], 0)}))
        return self


Break = Callable[[GateRun], object]


def without(name: str) -> Break:
    return lambda run: run.manifest.update(commands=[stage for stage in run.manifest["commands"] if stage["id"] != name])


def twice(name: str) -> Break:
    return lambda run: run.manifest["commands"].append(copy.copy(run.stage(name)))


def said(old: str, new: str) -> Break:
    """The hand-off says something else."""

    def change(run: GateRun) -> None:
        assert old in run.hand_off
        run.hand_off = run.hand_off.replace(old, new)

    return change


LIES: dict[str, tuple[Break, str]] = {
    "a stage that was waived": (lambda run: run.stage("lint").update(exit_code=1), "lint is recorded as"),
    "a stage that was skipped": (lambda run: run.stage("test").update(status="skipped", exit_code=None), "test is recorded as"),
    "a stage that is not there": (without("docs:check"), "docs:check is recorded as []"),
    "a stage that is there twice": (twice("build"), "build is recorded as"),
    "another pipeline": (lambda run: run.manifest.update(pipeline_id="self-check"), "the run of self-check"),
    "a run that failed": (lambda run: run.manifest.update(status="failed"), "recorded as failed"),
    "a log that tells of another end": (lambda run: run.logs.update(test=1), "the log of test"),
    "tests that failed": (lambda run: run.tests.update(failures=1), "1 failures"),
    "tests that could not run": (lambda run: run.tests.update(errors=2), "2 errors"),
    "too few tests": (lambda run: run.tests.update(tests=3010), "3000 passed tests"),
    "tests that were skipped": (lambda run: run.tests.update(skipped=3000), "200 passed tests"),
    "a review that did not approve": (lambda run: setattr(run, "decision", "not_reviewed"), "'not_reviewed'"),
}


def test_a_run_that_has_passed_has_no_problems_and_an_approval(tmp_path: Path) -> None:
    run = GateRun(tmp_path).write()
    assert list(CHECK.problems(run.path, least_tests=CHECK.LEAST_TESTS)) == []
    assert list(REVIEW.problems(run.hand_off, run.manifest, tmp_path)) == []


@pytest.mark.parametrize("lie", LIES)
def test_the_check_does_not_believe_the_tool(lie: str, tmp_path: Path) -> None:
    break_it, expected = LIES[lie]
    run = GateRun(tmp_path)
    break_it(run)
    (problem,) = CHECK.problems(run.write().path, least_tests=CHECK.LEAST_TESTS)
    assert expected in problem


def test_what_a_stage_that_failed_has_printed_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = GateRun(tmp_path)
    run.stage("lint").update(status="failed", exit_code=1)
    chunks = [{"type": "exec:chunk", "data": "a line\nand"}, {"type": "exec:chunk", "data": " another\n"}]
    run.write()
    Path(run.stage("lint")["log_path"]).write_text("\n".join(map(json.dumps, chunks)))
    CHECK.show_failures(run.path)
    assert capsys.readouterr().out == "== lint (failed): true\na line\nand another\n\n"


@pytest.mark.parametrize(
    ("commits", "variables", "base"),
    [
        ({"HEAD", "origin/main"}, {}, None),
        ({"HEAD", "origin/HEAD"}, {}, None),
        ({"HEAD"}, {}, "HEAD"),
        ({"HEAD"}, {"BASE_SHA": "v1"}, "v1"),
        ({"HEAD"}, {"DIFF_BUDGET_BASE": "v1"}, None),
        (set(), {}, None),
    ],
)
def test_without_a_main_branch_elsewhere_what_is_not_committed_is_the_change(
    commits: set[str], variables: dict[str, str], base: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_SHA", "DIFF_BUDGET_BASE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**variables, "CODEX_ORCHESTRATOR_ROOT": "/elsewhere"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(CHECK, "is_commit", commits.__contains__)
    given = CHECK.environment(["tests/a b", "-x"])
    assert given.get("BASE_SHA") == base
    assert given["CHECK_PYTEST_ARGUMENTS"] == "'tests/a b' -x"
    assert "CODEX_ORCHESTRATOR_ROOT" not in given


# The reviewer ------------------------------------------------------------------------------------------------------

REJECTED: dict[str, tuple[Break, str]] = {
    "a guardrail failed": (lambda run: run.stage("lint").update(status="failed", exit_code=1), "lint is failed, exit code 1"),
    "a failure was waived": (lambda run: run.stage("test").update(exit_code=1), "test is succeeded, exit code 1"),
    "a guardrail did not run": (lambda run: run.stage("build").update(status="skipped", exit_code=None), "build is skipped"),
    "a guardrail is missing": (without("spec-guard"), "the stages of the run are"),
    "another pipeline": (lambda run: run.manifest.update(pipeline_id="diagnostics"), "no run of implementation-gate"),
    "another run": (lambda run: run.manifest.update(run_id="r2"), "about another run"),
    "another task": (lambda run: run.manifest.update(task_id="t2"), "another task"),
    "the run was cut short": (lambda run: run.manifest.update(status="cancelled"), "the run is cancelled"),
    "the change is too large": (said("no findings;", "2 findings;"), "within its budget"),
    "nobody has measured it": (said("no findings; 1 of 2 files", "not measured here"), "within its budget"),
    "work is left": (said("2 of 2 done", "1 of 2 done"), "1 of 2 are done"),
    "a section is missing": (said("## Change\n", ""), "no section '## Change'"),
    "a guardrail is not told of": (said("- lint: succeeded", "lint is fine"), "does not tell of lint"),
    "tests failed": (lambda run: run.tests.update(errors=1), "1 of them not passed"),
    "no tests": (lambda run: run.tests.update(tests=0), "0 tests"),
}


@pytest.mark.parametrize("situation", REJECTED)
def test_the_reviewer_rejects_what_does_not_hold_together(situation: str, tmp_path: Path) -> None:
    break_it, expected = REJECTED[situation]
    run = GateRun(tmp_path)
    break_it(run)
    (problem,) = REVIEW.problems(run.hand_off, run.write().manifest, tmp_path)
    assert expected in problem


def test_a_reason_waives_the_budget(tmp_path: Path) -> None:
    run = GateRun(tmp_path).write()
    said("no findings;", "2 findings (waived: moved from elsewhere);")(run)
    assert list(REVIEW.problems(run.hand_off, run.manifest, tmp_path)) == []


@pytest.mark.parametrize("left", ["pytest.xml", "dist/a.whl"])
def test_the_reviewer_looks_at_what_the_stages_have_made(left: str, tmp_path: Path) -> None:
    run = GateRun(tmp_path).write()
    (tmp_path / left).unlink()
    assert len(list(REVIEW.problems(run.hand_off, run.manifest, tmp_path))) == 1


def review(text: str) -> "subprocess.CompletedProcess[str]":
    given = {**environment(), "REVIEW_SECONDS": "0"}
    return subprocess.run([sys.executable, str(REVIEWER)], input=text, env=given, capture_output=True, text=True, check=False)


def test_the_reviewer_ends_with_its_decision_and_says_that_nobody_has_looked(tmp_path: Path) -> None:
    run = GateRun(tmp_path)
    run.manifest["status"] = "in_progress"
    run.stage("review").update(status="running", exit_code=None)
    approved = review(run.write().hand_off)
    assert (approved.returncode, approved.stderr) == (0, "")
    assert "Nobody has looked at the change" in approved.stdout
    run.stage("test").update(status="running", exit_code=None)
    run.path.write_text(json.dumps(run.manifest))
    rejected = review(run.hand_off)
    assert rejected.returncode == 1
    assert "test is running, exit code None" in rejected.stdout
    assert "Nobody has looked at the change" in rejected.stdout


@pytest.mark.parametrize("manifest", [None, "", "[]", "{"])
def test_without_a_manifest_nothing_is_approved(manifest: str | None, tmp_path: Path) -> None:
    run = GateRun(tmp_path)
    if manifest is not None:
        run.path.write_text(manifest)
    assert review(run.hand_off if manifest is not None else "").returncode == 1


# The pipelines -----------------------------------------------------------------------------------------------------


def test_the_gate_has_all_seven_guardrails_and_the_review_waits_for_the_others() -> None:
    text = (ROOT / "codex.orchestrator.json").read_text()
    configuration = parse_configuration(json.loads(text), source="codex.orchestrator.json")
    (gate,) = (pipeline for pipeline in configuration.pipelines if pipeline.id == "implementation-gate")
    stages = {stage.id: stage for stage in gate.stages}
    assert sorted(stages) == sorted(SEVEN) == sorted(CHECK.STAGES) == sorted((*REVIEW.EARLIER, "review"))
    assert set(stages["review"].policy.needs) == set(SEVEN) - {"review"}
    assert all(isinstance(stage, CommandStage) and stage.guardrail and not stage.policy.allow_failure for stage in gate.stages)
    assert configuration.guardrails.review_command is not None
    assert configuration.guardrails.max_age_days is None


def test_no_specification_of_this_repository_gets_old(tmp_path: Path) -> None:
    """Each has a date, and in the year 9999 it is still good."""
    text = (ROOT / "codex.orchestrator.json").read_text()
    settings = parse_configuration(json.loads(text), source="codex.orchestrator.json").guardrails
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    report = guard_specs(str(tmp_path), settings, base=None, now=datetime(9999, 12, 1, tzinfo=UTC))
    assert report.findings == []
    assert report.scope == f"{len(list((ROOT / 'docs').glob('*.md')))} specifications"
