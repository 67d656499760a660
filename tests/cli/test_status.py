"""`status`: where a run stands, from another process, while it goes on, after its process was killed, and when it has ended."""

import os
import pty
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator_py.core.places import MANIFEST_VERSION
from tests.cli.running import (
    PATIENCE_SECONDS,
    Data,
    Fifo,
    as_list,
    command,
    configure,
    configure_stages,
    environment,
    finish,
    only_record,
    pipeline,
    run,
    snapshot,
    start,
    start_words,
    subpipeline,
    words,
)
from tests.reading.records import stage, timed_id, write_run


def status(folder: Path, *arguments: str) -> Data:
    done = run(folder, "status", "--format", "json", *arguments)
    assert (done.code, done.stderr) == (0, "")
    return done.document()


def wait_until_running(folder: Path, stage_id: str) -> Data:
    """What `status` says as soon as that stage runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = run(folder, "status", "--format", "json")
        if found.code == 0:
            document = found.document()
            if any((one["id"], one["status"]) == (stage_id, "running") for one in as_list(document["stages"])):
                return document
    raise AssertionError("it never ran")


def waiting_run(folder: Path) -> "subprocess.Popen[str]":
    """A run whose second stage waits until somebody writes to `go`."""
    os.mkfifo(folder / "go")
    configure_stages(folder, command("first", "echo done"), command("second", "read go < go"), command("third", "exit 3"))
    return start(folder, "run")


def test_a_run_that_goes_on_is_told_from_another_process_and_is_left_alone(tmp_path: Path) -> None:
    process = waiting_run(tmp_path)
    found = wait_until_running(tmp_path, "second")
    assert (found["status"], found["completed_at"], found["task"], found["pipeline"]) == ("running", None, "0101", "p")
    first, second, third = as_list(found["stages"])
    assert [one["status"] for one in (first, second, third)] == ["succeeded", "running", "pending"]
    assert (first["exit_code"], first["summary"], third["elapsed_seconds"]) == (0, "done", None)
    assert isinstance(second["elapsed_seconds"], float | int)
    assert (tmp_path / str(second["log_path"])).is_file()
    text = run(tmp_path, "status", "--run", str(found["run_id"])[:-3]).stdout
    assert "second  running in " in text
    assert "third   waiting" in text
    (tmp_path / "go").write_text("go\n")
    assert finish(process).code == 1
    ended = status(tmp_path)
    assert (ended["run_id"], ended["status"], ended["detail"]) == (found["run_id"], "failed", "stage:third:failed")
    assert [one["exit_code"] for one in as_list(ended["stages"])] == [0, 0, 3]


def test_how_a_stage_ended_is_told_in_the_exact_word(tmp_path: Path) -> None:
    """For which the manifest has no room: its events have it."""
    configure_stages(
        tmp_path, command("late", "exec sleep 20", timeoutSeconds=0.2), command("dead", "kill -9 $$", allowFailure=True), parallel=True
    )
    assert run(tmp_path, "run", "--on-failure", "continue").code == 4
    told = run(tmp_path, "status").stdout
    assert "  late  timed out in " in told
    assert "  dead  crashed (waived) in " in told


def test_a_run_that_was_killed_is_lost(tmp_path: Path) -> None:
    on_record = """until grep -q '"status": "running"' .runs/0101/cli/*/manifest.json; do sleep 0.01; done"""
    configure_stages(tmp_path, command("first", f"{on_record}; kill -KILL $PPID; read never"))
    assert finish(start(tmp_path, "run")).code == -signal.SIGKILL
    before = snapshot(tmp_path)
    found = status(tmp_path)
    assert (found["status"], found["elapsed_seconds"]) == ("lost", None)
    assert [one["status"] for one in as_list(found["stages"])] == ["lost"]
    text = run(tmp_path, "status", "--watch")
    assert text.code == 6
    assert "lost; its process is gone, how it ended is not known" in text.stdout
    assert "lost: " in run(tmp_path, "report").stdout
    assert [one["status"] for one in as_list(run(tmp_path, "runs", "--status", "lost", "--format", "json").document()["runs"])] == ["lost"]
    assert snapshot(tmp_path) == before
    configure_stages(tmp_path, command("first", "true"))
    assert run(tmp_path, "run").code == 0  # it puts the other one on record, too
    sealed = run(tmp_path, "status", "--run", str(found["run_id"]), "--format", "json").document()
    assert [one["status"] for one in as_list(sealed["stages"])] == ["lost"]
    (reported,) = as_list(run(tmp_path, "report", "--format", "json").document()["tasks"])
    assert (reported["counts"], reported["failing"]) == ({"lost": 1, "succeeded": 1}, [])


def test_watch_tells_each_change_once_and_ends_with_the_code_of_the_run(tmp_path: Path) -> None:
    process = waiting_run(tmp_path)
    wait_until_running(tmp_path, "second")
    watching = start(tmp_path, "status", "--watch", variables={"PYTHONUNBUFFERED": "1"})
    assert watching.stdout is not None
    lines = [watching.stdout.readline() for _ in range(3)]
    assert [line.partition(":")[0] for line in lines[1:]] == ["first", "second"]
    assert lines[0].endswith(": running\n")
    (tmp_path / "go").write_text("go\n")
    assert finish(process).code == 1
    finished = finish(watching)
    assert finished.code == 1
    assert "p): failed in " in finished.stdout
    assert "third   failed in " in finished.stdout


@pytest.mark.parametrize(("to", "code"), [("| head -n 1", 141), ("--format json | true", 141), ("> /dev/full", 74)])
def test_watch_ends_with_its_reader_and_never_as_a_run_that_succeeded(tmp_path: Path, to: str, code: int) -> None:
    """The run goes on until all are done."""
    if "full" in to and not Path("/dev/full").exists():
        pytest.skip("this system has no disk that is always full")
    process = waiting_run(tmp_path)
    wait_until_running(tmp_path, "second")
    line = f"{shlex.join(words('status', '--watch'))} {to}; exit ${{PIPESTATUS[0]}}"
    assert finish(start_words(tmp_path, ["bash", "-c", line])).code == code
    assert process.poll() is None
    (tmp_path / "go").write_text("go\n")
    assert finish(process).code == 1


def test_watch_draws_over_what_it_drew_on_a_terminal(tmp_path: Path) -> None:
    process = waiting_run(tmp_path)
    wait_until_running(tmp_path, "second")
    master, slave = pty.openpty()
    watching = subprocess.Popen(words("status", "--watch"), cwd=tmp_path, env=environment(), stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while shown.count(b"running in") < 4:
        shown += os.read(master, 65536)
    assert b"\x1b[5A" in shown
    (tmp_path / "go").write_text("go\n")
    assert finish(process).code == 1
    try:
        while part := os.read(master, 65536):
            shown += part
    except OSError:  # the other end is closed
        pass
    assert watching.wait(PATIENCE_SECONDS) == 1
    assert shown.count(b"failed in") >= 2
    os.close(master)


def test_child_runs_are_named(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", subpipeline("sub", "child")), pipeline("child", command("a", "true")))
    assert run(tmp_path, "run").code == 0
    parent = next(one for one in as_list(run(tmp_path, "runs", "--format", "json").document()["runs"]) if one["parent_run_id"] is None)
    found = status(tmp_path, "--run", str(parent["run_id"]))
    (child,) = as_list(found["child_runs"])
    assert (child["pipeline_id"], child["status"]) == ("child", "succeeded")
    assert status(tmp_path, "--run", str(child["run_id"]))["status"] == "succeeded"
    assert f"child run {child['run_id']} (child): succeeded" in run(tmp_path, "status", "--run", str(parent["run_id"])).stdout


def test_a_manifest_that_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    runs_root = tmp_path / ".runs"
    write_run(runs_root, "torn").write_text("{")
    fifo = Fifo(tmp_path / "fifo")
    write_run(runs_root, "fifo").unlink()
    os.rename(fifo.path, runs_root / "t" / "cli" / "fifo" / "manifest.json")
    write_run(runs_root, "newer", version=MANIFEST_VERSION + 1)
    for run_id, problem in (("torn", "is not JSON"), ("fifo", "is no file"), ("newer", "upgrade orchestrator-py")):
        done = run(tmp_path, "status", "--run", run_id)
        assert (done.code, done.stdout, done.stderr.count("\n")) == (74, "", 1)
        assert problem in done.stderr


def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path / ".runs", "r")
    for words_ in (["--run", "../r"], ["--run", ".."], ["--task", "../t"], ["--task", "local-mcp"], ["--task", "nowhere"]):
        done = run(tmp_path, "status", *words_)
        assert (done.code, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_what_others_wrote_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    write_run(tmp_path / ".runs", timed_id(1), stage("a\x1b[2J", "failed", summary="\x1b]0;title\x07\nsecond"), pipeline_id="p\x1b[31m")
    text = run(tmp_path, "status").stdout
    assert "\x1b" not in text
    assert "\x07" not in text


def test_folders_that_may_only_be_read_are_enough(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "echo a"))
    assert run(tmp_path, "run").code == 0
    assert only_record(tmp_path).statuses == {"a": "succeeded"}
    before = {path: os.lstat(path).st_mtime_ns for path in tmp_path.rglob("*")}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for name in ("status", "runs", "report", "logs"):
        assert run(tmp_path, name).code == 0
    assert {path: os.lstat(path).st_mtime_ns for path in tmp_path.rglob("*")} == before
    for path in before:
        path.chmod(0o755 if path.is_dir() else 0o644)
