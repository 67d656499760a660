"""--timeout, --strict and --fail-on-flaky: exit code, report and everything on record agree."""

from pathlib import Path

import pytest

from tests.cli.running import (
    as_list,
    assert_agreement,
    command,
    configure,
    configure_stages,
    only_record,
    pipeline,
    read_object,
    records,
    run,
    subpipeline,
)

FLAKY = command("flaky", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2, "backoffSeconds": 0.001, "jitter": True})
LAX = command("lax", "exit 3", allowFailure=True)


@pytest.mark.parametrize("how", ["flag", "file"])
def test_a_run_that_has_no_more_time_is_timed_out_with_all_that_it_runs(tmp_path: Path, how: str) -> None:
    limit = {"timeoutSeconds": 0.5} if how == "file" else {}
    stages = subpipeline("child", "c"), command("after", "true")
    configure(tmp_path, pipeline("p", *stages, **limit), pipeline("c", command("sleeper", "exec sleep 300")))
    finished = run(tmp_path, "run", "-j", "1", *(["--timeout", "0.5"] if how == "flag" else []))
    assert finished.code == 4, finished.stderr
    assert "p timed out (its limit is 0.5 s for the whole run): timed out 1, not started 1 of 2" in finished.stdout
    child, parent = records(tmp_path)
    for record in (child, parent):
        assert_agreement(tmp_path, record, "timed_out")
    assert child.manifest["status_detail"] == "stage:sleeper:timed_out"
    assert parent.statuses == {"child": "failed", "after": "pending"}
    assert "p:after not started: the time was up, 0.5 s for the whole run" in finished.stderr


def test_a_strict_run_waives_no_failure_and_still_names_it(tmp_path: Path) -> None:
    configure_stages(tmp_path, LAX, command("after", "true", needs=["lax"]))
    assert run(tmp_path, "run", "--task", "lenient").code == 0
    finished = run(tmp_path, "run", "--strict")
    assert finished.code == 1
    assert "waived: p:lax (failed), counts as failed\n" in finished.stdout
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "failed")
    assert record.statuses == {"lax": "failed", "after": "succeeded"}
    assert record.manifest["status_detail"] == "stage:lax:failed"
    assert record.commands["lax"]["error_file"] is not None


def test_a_flaky_success_fails_a_run_that_says_so(tmp_path: Path) -> None:
    configure_stages(tmp_path, FLAKY)
    finished = run(tmp_path, "run", "--fail-on-flaky")
    assert finished.code == 1, finished.stderr
    assert "failed: p:flaky (a success at attempt 2 counts as failed)" in finished.stdout
    assert "flaky: p:flaky (2 attempts), counts as failed\n" in finished.stdout
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "failed")
    run_id = str(record.manifest["run_id"])
    assert run(tmp_path, "resume", "--run", run_id, "--fail-on-flaky").code == 0  # succeeds at once by now
    again = read_object(record.folder / "manifest.json")
    assert (again["status"], len(as_list(again["resume_events"]))) == ("succeeded", 1)


def test_rules_hold_for_a_run_that_is_taken_up_again(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "test -e mended"), LAX)
    run(tmp_path, "run")
    run_id = str(only_record(tmp_path).manifest["run_id"])
    (tmp_path / "mended").touch()
    assert run(tmp_path, "resume", "--run", run_id, "--strict").code == 1
    assert run(tmp_path, "resume", "--run", run_id, "--timeout", "300").code == 0


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "nan", "inf"])
def test_a_limit_that_is_no_time_is_wrong_usage(tmp_path: Path, limit: str) -> None:
    configure_stages(tmp_path, LAX)
    finished = run(tmp_path, "run", f"--timeout={limit}")
    assert (finished.code, f"'{limit}' is not a number of seconds, at least 0.001" in finished.stderr) == (2, True)


def test_stages_that_share_a_resource_run_one_after_the_other(tmp_path: Path) -> None:
    alone = "mkdir busy && echo >> done && rmdir busy"
    stages = [command(name, alone, resources=["port"]) for name in "abc"]
    configure_stages(tmp_path, *stages, parallel=True, resources={"port": 1})
    finished = run(tmp_path, "run", "-j", "8")
    assert finished.code == 0, finished.stderr
