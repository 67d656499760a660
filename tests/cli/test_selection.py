"""`run --only` and `--skip`: what is left out is visible, accounted for, and holds up nobody."""

from pathlib import Path

import pytest

from tests.cli.running import (
    as_list,
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

STAGES = (
    command("build", "touch built"),
    command("lint", "touch linted"),
    command("test", "touch tested", needs=["build", "lint"]),
)


def test_only_runs_exactly_what_it_names_and_says_which_needs_it_takes_as_met(tmp_path: Path) -> None:
    configure_stages(tmp_path, *STAGES)
    finished = run(tmp_path, "run", "--format", "json", "--only", "test", "p:build")
    assert finished.code == 0, finished.stderr
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "succeeded")
    assert_document(tmp_path, finished, record, "succeeded")
    assert record.statuses == {"build": "succeeded", "lint": "pending", "test": "succeeded"}
    assert record.commands["lint"]["summary"] == "Not selected."
    assert record.manifest["status_detail"] == "not-selected:lint"
    group = as_object(record.summary["group"])
    assert (group["size"], group["processed"]) == (3, 2)
    assert "note: test needs lint, which is not selected: taken as met\n" in finished.stderr
    assert "p:lint not started: not selected\n" in finished.stderr
    assert not (tmp_path / "linted").exists()


def test_skip_leaves_out_what_it_names_however_often_it_is_given(tmp_path: Path) -> None:
    configure_stages(tmp_path, *STAGES)
    finished = run(tmp_path, "run", "p", "--skip", "build", "--skip", "lint")
    assert finished.code == 0, finished.stderr
    assert only_record(tmp_path).statuses == {"build": "pending", "lint": "pending", "test": "succeeded"}
    assert "not started 2 of 3" in finished.stdout


def test_a_run_of_nothing_is_no_success(tmp_path: Path) -> None:
    configure_stages(tmp_path, *STAGES)
    finished = run(tmp_path, "run", "--only", "test", "--skip", "test")
    assert (finished.code, "p: nothing ran, none of its stages is selected" in finished.stdout) == (5, True)
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "failed")
    assert record.manifest["status_detail"] == "nothing-ran"


@pytest.mark.parametrize("flag", ["--only", "--skip"])
def test_a_stage_that_is_not_there_is_wrong_usage_and_nothing_is_started(tmp_path: Path, flag: str) -> None:
    configure_stages(tmp_path, *STAGES)
    finished = run(tmp_path, "run", flag, "biuld")
    assert (finished.code, "pipeline 'p' has no stage 'biuld'; did you mean 'build'?" in finished.stderr) == (2, True)
    swallowed = run(tmp_path, "run", flag, "build", "p")
    assert (swallowed.code, "(p: a pipeline; name it in front of --only and --skip)" in swallowed.stderr) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codex.orchestrator.json"]


def test_a_selection_is_of_the_stages_of_the_pipeline_alone(tmp_path: Path) -> None:
    """Those of a sub-pipeline run all, or not at all."""
    configure(tmp_path, pipeline("p", subpipeline("child", "c"), command("build", "true")), pipeline("c", *STAGES))
    assert run(tmp_path, "run", "--skip", "build").code == 0
    child, parent = records(tmp_path)
    assert child.statuses == dict.fromkeys(("build", "lint", "test"), "succeeded")
    assert parent.statuses == {"child": "succeeded", "build": "pending"}
    assert len(as_list(parent.manifest["child_runs"])) == 1


def test_a_failure_of_what_is_selected_is_a_failure(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("bad", "false"), command("good", "true"))
    assert run(tmp_path, "run", "--only", "bad").code == 1
    resumed = run(tmp_path, "resume", "--run", str(only_record(tmp_path).manifest["run_id"]), "--only", "good")
    assert (resumed.code, "unrecognized arguments: --only good" in resumed.stderr) == (2, True)
