"""A run can be taken up again: what succeeded is kept, the rest runs once more, and the run counts once."""

import signal
from pathlib import Path

from tests.cli.running import (
    Data,
    Fifo,
    Finished,
    as_list,
    as_object,
    command,
    configure,
    configure_stages,
    entries,
    finish,
    pipeline,
    read_object,
    run,
    start,
    subpipeline,
)

COUNTED = "echo x >> $CODEX_ORCHESTRATOR_REPO_ROOT/"


def totals(folder: Path) -> Data:
    return read_object(folder / ".runs" / "0101" / "metrics" / "post-rollout.json")


def manifest_of(folder: Path, run_id: str) -> Data:
    return read_object(folder / ".runs" / "0101" / "cli" / run_id / "manifest.json")


def statuses(folder: Path, run_id: str) -> dict[object, object]:
    return {stage["id"]: stage["status"] for stage in as_list(manifest_of(folder, run_id)["commands"])}


def run_id_of(finished: Finished) -> str:
    return str(finished.document()["run_id"])


def test_a_stage_that_was_flaky_before_is_so_in_the_run_that_keeps_it(tmp_path: Path) -> None:
    wobbly = command("wobbly", "test -e tried || { touch tried; false; }", retry={"maxAttempts": 2})
    configure_stages(tmp_path, wobbly, command("bad", "test -e mended"))
    failed = run(tmp_path, "run", "--format", "json")
    (tmp_path / "mended").touch()
    assert (failed.code, run(tmp_path, "resume", "--run", run_id_of(failed)).code) == (1, 0)
    (task,) = as_list(run(tmp_path, "report", "--format", "json").document()["tasks"])
    assert task["flaky"] == [{"stage": "wobbly", "runs": 1}]
    told = as_list(run(tmp_path, "status", "--format", "json").document()["stages"])
    assert [(one["id"], one["status"], one["attempt"]) for one in told] == [("wobbly", "succeeded", 2), ("bad", "succeeded", 1)]


def test_what_did_not_succeed_runs_again_and_the_run_counts_once_with_its_last_outcome(tmp_path: Path) -> None:
    configure_stages(
        tmp_path,
        command("kept", f"{COUNTED}kept"),
        command("waived", f"{COUNTED}waived; false", allowFailure=True),
        command("again", f"{COUNTED}again; test -f mended"),
        command("after", f"{COUNTED}after", needs=["again", "kept"]),
    )
    failed = run(tmp_path, "run", "--format", "json", "-j", "1")
    assert failed.code == 1
    run_id = run_id_of(failed)
    assert totals(tmp_path)["succeeded_runs"] == 0

    (tmp_path / "mended").touch()
    resumed = run(tmp_path, "resume", "--run", run_id, "--format", "json")
    assert (resumed.code, resumed.document()["outcome"], run_id_of(resumed)) == (0, "succeeded", run_id)
    assert {name: (tmp_path / name).read_text().count("x") for name in ("kept", "waived", "again", "after")} == {
        "kept": 1,
        "waived": 1,
        "again": 2,
        "after": 1,
    }
    assert statuses(tmp_path, run_id) == {"kept": "succeeded", "waived": "skipped", "again": "succeeded", "after": "succeeded"}
    assert (totals(tmp_path)["total_runs"], totals(tmp_path)["succeeded_runs"]) == (1, 1)
    summary = read_object(tmp_path / str(resumed.document()["run_summary"]))
    assert as_object(summary["group"])["processed"] == 4
    events = as_list(manifest_of(tmp_path, run_id)["resume_events"])
    assert [(event["reason"], event["outcome"]) for event in events] == [("resume", "accepted")]
    assert run(tmp_path, "metrics", "verify").code == 0


def test_a_stage_that_is_kept_ran_where_its_plan_says(tmp_path: Path) -> None:
    configure_stages(
        tmp_path, command("far", "true", plan={"requiresCloud": True}), command("near", "true"), command("bad", "test -f mended")
    )
    run_id = run_id_of(run(tmp_path, "run", "--format", "json"))
    (tmp_path / "mended").touch()
    resumed = run(tmp_path, "resume", "--run", run_id, "--format", "json")
    builds = as_list(read_object(tmp_path / str(resumed.document()["run_summary"]))["builds"])
    assert [build["mode"] for build in builds] == ["cloud", "mcp", "mcp"]


def test_a_run_that_succeeded_since_a_failure_was_waived_has_something_to_resume_under_rules_that_waive_none(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("shaky", "test -f mended", allowFailure=True), command("kept", f"{COUNTED}kept"))
    run_id = run_id_of(run(tmp_path, "run", "--format", "json"))
    refused = run(tmp_path, "resume", "--run", run_id)
    assert (refused.code, "has succeeded already" in refused.stderr) == (2, True)
    assert run(tmp_path, "resume", "--run", run_id, "--strict").code == 1
    assert statuses(tmp_path, run_id) == {"shaky": "failed", "kept": "succeeded"}
    (tmp_path / "mended").touch()
    assert run(tmp_path, "resume", "--run", run_id, "--strict").code == 0
    assert statuses(tmp_path, run_id) == {"shaky": "succeeded", "kept": "succeeded"}
    assert (tmp_path / "kept").read_text() == "x\n"
    assert (totals(tmp_path)["total_runs"], totals(tmp_path)["succeeded_runs"]) == (1, 1)


def test_a_run_that_fails_again_stays_failed_and_still_counts_once(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "false"))
    run_id = run_id_of(run(tmp_path, "run", "--format", "json"))
    assert run(tmp_path, "resume", "--run", run_id).code == 1
    assert (totals(tmp_path)["total_runs"], totals(tmp_path)["succeeded_runs"]) == (1, 0)
    assert statuses(tmp_path, run_id) == {"a": "failed"}


def test_what_cannot_be_resumed_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    file = configure_stages(tmp_path, command("a", "test -f mended"))
    run_id = run_id_of(run(tmp_path, "run", "--format", "json"))
    before = manifest_of(tmp_path, run_id)

    wrong_token = run(tmp_path, "resume", "--run", run_id, "--token", "0" * 64)
    assert (wrong_token.code, "Resume token mismatch." in wrong_token.stderr) == (2, True)
    unknown = run(tmp_path, "resume", "--run", "nobody", "--format", "json")
    assert (unknown.code, "no such run" in str(unknown.document()["error"])) == (2, True)
    assert run(tmp_path, "resume", "--run", "../x").code == 2
    right = file.read_text()
    configure_stages(tmp_path, command("other", "true"))
    changed = run(tmp_path, "resume", "--run", run_id)
    assert (changed.code, "has other stages (other) than when" in changed.stderr) == (2, True)
    assert manifest_of(tmp_path, run_id) == before

    file.write_text(right)
    (tmp_path / "mended").touch()
    assert run(tmp_path, "resume", "--run", run_id, "--token", str(before["resume_token"])).code == 0
    succeeded = run(tmp_path, "resume", "--run", run_id)
    assert (succeeded.code, "has succeeded already" in succeeded.stderr) == (2, True)


def test_a_live_run_is_held_and_a_killed_one_can_be_taken_up(tmp_path: Path) -> None:
    told, gate = Fifo(tmp_path / "told"), Fifo(tmp_path / "gate")  # stages that outlive their killed run end with the gate
    on_record = """until grep -q '"status": "succeeded"' .runs/0101/cli/*/manifest.json; do sleep 0.01; done"""
    second = f"{on_record}; echo up > told; test -f mended || read go < gate"
    configure_stages(tmp_path, command("first", f"{COUNTED}first"), command("second", second))
    process = start(tmp_path, "run")
    told.wait_for("up")
    (run_id,) = (path.name for path in (tmp_path / ".runs" / "0101" / "cli").iterdir())
    held = run(tmp_path, "resume", "--run", run_id, "--format", "json")
    assert (held.code, held.document()["exit_code"]) == (75, 75)
    process.send_signal(signal.SIGKILL)
    assert finish(process).code == -signal.SIGKILL
    del gate

    (tmp_path / "mended").touch()
    resumed = run(tmp_path, "resume", "--run", run_id, "--format", "json")
    assert resumed.code == 0
    assert (tmp_path / "first").read_text().count("x") == 1
    assert totals(tmp_path)["total_runs"] == 1


def test_the_next_run_seals_one_whose_process_was_killed(tmp_path: Path) -> None:
    told, gate = Fifo(tmp_path / "told"), Fifo(tmp_path / "gate")  # stages that outlive their killed run end with the gate
    configure(
        tmp_path,
        pipeline("p", command("first", "true"), subpipeline("child", "q")),
        pipeline("q", command("now", "mkdir $CODEX_ORCHESTRATOR_RUN_DIR/work.tmp-1-2-3; echo up > told; read go < gate")),
        pipeline("quick", command("a", "true")),
    )
    process = start(tmp_path, "run")
    told.wait_for("up")
    process.send_signal(signal.SIGKILL)
    finish(process)
    del gate
    killed = {path.name for path in (tmp_path / ".runs" / "0101" / "cli").iterdir()}
    assert len(killed) == 2

    assert run(tmp_path, "run", "quick").code == 0
    for run_id in killed:
        manifest = manifest_of(tmp_path, run_id)
        assert (manifest["status"], manifest["status_detail"], manifest["completed_at"]) == ("failed", "owner-lost", None)
        assert manifest["metrics_recorded"] is True
    lost = [entry for entry in entries(tmp_path) if entry["run_id"] in killed]
    assert [(entry["status"], entry["duration_seconds"]) for entry in lost] == [("failed", None)] * 2
    assert totals(tmp_path)["total_runs"] == 3
    assert list((tmp_path / ".runs" / "0101" / "live-runs").iterdir()) == []
    assert len(list(tmp_path.glob(".runs/0101/cli/*/work.tmp-1-2-3"))) == 1, "what a command leaves in the run's folder stays"


def test_a_resumed_run_keeps_its_child_runs_and_its_document(tmp_path: Path) -> None:
    configure(
        tmp_path,
        pipeline("p", subpipeline("child", "q"), command("last", "test -f mended")),
        pipeline("q", command("a", "true")),
    )
    first = run(tmp_path, "run", "--format", "json")
    run_id = run_id_of(first)
    children = manifest_of(tmp_path, run_id)["child_runs"]
    (tmp_path / "mended").touch()
    resumed = run(tmp_path, "resume", "--run", run_id, "--format", "json")
    assert manifest_of(tmp_path, run_id)["child_runs"] == children
    assert resumed.code == 0
    assert list(resumed.document()) == list(first.document())
