"""`--format jsonl`: the contract's events as they happen, and the same ones in the run's folder."""

import json
import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.cli.event_lines import assert_well_formed, completed, file_lines, of_type, own, parse_lines
from tests.cli.running import (
    Data,
    Fifo,
    as_list,
    as_object,
    command,
    configure,
    configure_stages,
    finish,
    only_record,
    pipeline,
    records,
    run,
    start,
    start_words,
    subpipeline,
    words,
)

BASE = ["type", "seq", "timestamp", "taskId", "runId"]
PLACE = ["stageId", "stageIndex"]


def events_of(text: str) -> list[Data]:
    events = parse_lines(text)
    assert_well_formed(events)
    return events


def test_the_keys_are_those_of_the_contract_and_ours_stand_behind_them(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "echo said; echo wrong >&2; exit 3"))
    finished = run(tmp_path, "run", "--format", "jsonl", "--stream-logs")
    assert finished.code == 1
    keys = {str(event["type"]): list(event) for event in events_of(finished.stdout)}
    assert keys.pop("run:started") == [
        *BASE,
        "formatVersion",
        "pipelineId",
        "pipelineTitle",
        "manifestPath",
        "logPath",
        "status",
        "stages",
    ]
    stage = [*BASE, *PLACE, "title", "kind", "logPath", "status"]
    assert keys.pop("stage:started") == [*stage, "instanceId"]
    ours = ["outcome", "counted", "attempts", "flaky", "waived", "reason", "durationSeconds"]
    assert keys.pop("stage:completed") == [*stage, "exitCode", "summary", *ours]
    assert keys.pop("log") == [*BASE, *PLACE, "level", "message", "source"]
    assert keys.pop("tool:call") == [*BASE, *PLACE, "toolName", "status", "message", "attempt"]
    theirs = ["pipelineId", "status", "manifestPath", "runSummaryPath", "metricsPath", "summary"]
    assert keys.pop("run:completed") == [*BASE, *theirs, "outcome", "cause", "counts", "exitCode"]
    assert keys == {}


def test_paths_lead_to_the_record(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    events = events_of(run(tmp_path, "run", "--format", "jsonl").stdout)
    record = only_record(tmp_path)
    started, ended = events[0], events[-1]
    assert started["manifestPath"] == ended["manifestPath"] == str(record.folder / "manifest.json")
    assert started["logPath"] == str(record.folder / "runner.ndjson")
    assert ended["metricsPath"] == str(tmp_path / ".runs" / "0101" / "metrics.json")
    assert tmp_path / str(ended["runSummaryPath"]) == record.folder / "run-summary.json"
    assert (tmp_path / str(completed(events)["a"]["logPath"])).is_file()
    (stage,) = as_list(started["stages"])
    assert list(stage) == ["index", "id", "title", "kind", "status", "summary", "exitCode", "logPath", "subRunId"]


def test_each_command_is_a_call_and_each_attempt_has_its_own(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "test -e once || { touch once; exit 4; }", test="true", retry={"maxAttempts": 2}))
    events = events_of(run(tmp_path, "run", "--format", "jsonl").stdout)
    calls = [
        (event["status"], event["attempt"], event["message"]) for event in of_type(events, "tool:call") if event["status"] != "started"
    ]
    assert calls == [("failed", 1, "exit 4"), ("succeeded", 2, "exit 0"), ("succeeded", 2, "exit 0")]
    end = completed(events)["a"]
    assert (end["attempts"], end["flaky"], end["outcome"]) == (2, True, "succeeded")


@pytest.mark.parametrize("variables", [{}, {"CODEX_ORCHESTRATOR_EMIT_COMMAND_STREAMS": "1"}], ids=["silent", "environment"])
def test_what_stages_print_is_told_only_to_who_asks(tmp_path: Path, variables: dict[str, str]) -> None:
    configure_stages(tmp_path, command("a", "printf 'one\\ntwo'; printf three >&2"))
    events = events_of(run(tmp_path, "run", "--format", "jsonl", variables=variables).stdout)
    said: dict[str, str] = {}
    for event in of_type(events, "log"):
        source = str(event["source"])
        said[source] = said.get(source, "") + str(event["message"])
        assert event["level"] == {"stdout": "info", "stderr": "error"}[source]
    assert said == ({"stdout": "one\ntwo", "stderr": "three"} if variables else {})


@pytest.mark.parametrize("form", ["jsonl", "json", "text"])
def test_every_run_has_its_events_in_its_folder_and_the_one_that_was_asked_for_has_all(tmp_path: Path, form: str) -> None:
    configure(
        tmp_path,
        pipeline("p", subpipeline("child", "q"), command("bad", "exit 2"), command("never", "true")),
        pipeline("q", command("x", "true"), command("off", "true", plan={"runnable": False})),
    )
    finished = run(tmp_path, "run", "--format", form)
    child, parent = records(tmp_path)
    events = file_lines(parent.folder)
    assert_well_formed(events)
    assert file_lines(child.folder) == own(events, child.manifest["run_id"])
    if form == "jsonl":
        assert (parent.folder / "events.jsonl").read_text() == finished.stdout
    assert {event["parentRunId"] for event in file_lines(child.folder)} == {parent.manifest["run_id"]}
    assert completed(own(events, parent.manifest["run_id"]))["child"]["subRunId"] == child.manifest["run_id"]
    off = completed(file_lines(child.folder))["off"]
    assert (off["outcome"], off["attempts"], off["reason"], off["durationSeconds"]) == ("skipped", 0, "not selected", None)
    never = completed(own(events, parent.manifest["run_id"]))["never"]
    assert (never["outcome"], never["attempts"], never["status"], never["reason"]) == ("cancelled", 0, "pending", "since p:bad failed")


def test_an_event_is_out_before_the_next_thing_happens(tmp_path: Path) -> None:
    gate = Fifo(tmp_path / "gate")
    configure_stages(tmp_path, command("a", "true"), command("b", "read go < gate"))
    process = start(tmp_path, "run", "--format", "jsonl")
    assert process.stdout is not None
    read: list[Data] = []
    while not any(event["type"] == "stage:started" and event["stageId"] == "b" for event in read):
        read.append(as_object(json.loads(process.stdout.readline())))
    assert completed(read)["a"]["outcome"] == "succeeded"
    (folder,) = (tmp_path / ".runs" / "0101" / "cli").iterdir()
    assert file_lines(folder)[: len(read)] == read
    os.write(gate._descriptor, b"go\n")
    assert finish(process).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_end_of_the_program_and_not_of_the_stream(tmp_path: Path, number: signal.Signals) -> None:
    told = Fifo(tmp_path / "told")
    configure(
        tmp_path,
        pipeline("p", subpipeline("child", "q"), command("never", "true")),
        pipeline("q", command("now", "echo up > told; exec sleep 300")),
    )
    process = start(tmp_path, "run", "--format", "jsonl")
    told.wait_for("up")
    process.send_signal(number)
    finished = finish(process)
    assert finished.code == -number
    last = events_of(finished.stdout)[-1]
    assert (last["type"], last["outcome"], last["exitCode"]) == ("run:completed", "cancelled", 128 + number)
    assert last["cause"] == {"kind": "signal", "detail": number.name}


def test_a_killed_run_leaves_whole_lines_and_what_is_torn_stays_alone(tmp_path: Path) -> None:
    told, gate = Fifo(tmp_path / "told"), Fifo(tmp_path / "gate")
    configure_stages(tmp_path, command("a", "true"), command("b", "echo up > told; test -f mended || read go < gate"))
    process = start(tmp_path, "run")
    told.wait_for("up")
    (folder,) = (tmp_path / ".runs" / "0101" / "cli").iterdir()
    path = folder / "events.jsonl"
    while '"stage:started"' not in (path.read_text() if path.exists() else ""):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    finish(process)
    del gate
    before = parse_lines(path.read_text())
    assert [event["seq"] for event in before] == list(range(1, len(before) + 1))
    assert before[-1]["type"] not in ("run:completed", "run:error")
    with path.open("a") as file:
        file.write('{"type":"torn')
    (tmp_path / "mended").touch()
    resumed = run(tmp_path, "resume", "--run", folder.name, "--format", "jsonl")
    assert resumed.code == 0
    assert_well_formed(parse_lines(resumed.stdout))
    *old, torn = path.read_text().removesuffix(resumed.stdout).splitlines()
    assert (torn, [json.loads(line) for line in old]) == ('{"type":"torn', before)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "--format", "jsonl", "--no-such-flag"], 2, "--no-such-flag"),
        (["run", "--format=jsonl", "no-such-pipeline"], 2, "no-such-pipeline"),
        (["resume", "--run", "nobody", "--format", "jsonl"], 2, "no such run"),
        (["run", "--format", "jsonl", "--runs-dir", "file"], 74, "file"),
    ],
)
def test_a_call_that_begins_nothing_ends_in_one_error(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    configure_stages(tmp_path, command("a", "true"))
    (tmp_path / "file").touch()
    finished = run(tmp_path, *arguments)
    (error,) = events_of(finished.stdout)
    assert (finished.code, error["exitCode"], error["type"]) == (code, code, "run:error")
    assert list(error) == [*BASE, "formatVersion", "pipelineId", "message", "stageId", "exitCode"]
    assert says in str(error["message"])
    assert str(error["message"]) in finished.stderr


def test_a_run_that_cannot_be_recorded_ends_in_an_error_that_carries_its_verdict_and_entry(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "mv $CODEX_ORCHESTRATOR_RUNS_DIR/0101/.writer.lock $CODEX_ORCHESTRATOR_RUNS_DIR/moved; exit 3"))
    finished = run(tmp_path, "run", "--format", "jsonl")
    last = events_of(finished.stdout)[-1]
    assert (finished.code, last["type"], last["exitCode"], last["outcome"]) == (74, "run:error", 74, "failed")
    assert last["pipelineId"] == "p"
    assert as_object(last["entry"])["run_id"] == last["runId"]


DEFECT = """
import sys
from orchestrator_py.__main__ import main
from orchestrator_py.app.pipeline_runner import PipelineRunner

async def run(self, pipeline, **more):
    raise ZeroDivisionError("planted")

PipelineRunner.run = run
sys.exit(main(["run", "--format", "jsonl"]))
"""


def test_a_defect_is_an_error_too(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    finished = finish(start_words(tmp_path, [words()[0], "-c", DEFECT]))
    (error,) = events_of(finished.stdout)
    assert (finished.code, error["exitCode"], "planted" in str(error["message"])) == (70, 70, True)


@pytest.mark.parametrize("closed", [">&-", "| head -c 0; exit ${PIPESTATUS[0]}", "| head -n 1 > /dev/null; exit ${PIPESTATUS[0]}"])
def test_a_reader_that_has_gone_changes_nothing(tmp_path: Path, closed: str) -> None:
    configure_stages(tmp_path, command("a", "true", review="exit 1"))
    line = f"{shlex.join(words('run', '--format', 'jsonl'))} {closed}"
    finished = finish(start_words(tmp_path, ["bash", "-c", line]))
    assert (finished.code, "Traceback" in finished.stderr) == (3, False)
    assert_well_formed(file_lines(only_record(tmp_path).folder))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_stdout_is_no_success_and_is_told_once(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"), command("b", "true"))
    finished = finish(start_words(tmp_path, ["bash", "-c", f"{shlex.join(words('run', '--format', 'jsonl'))} > /dev/full"]))
    assert finished.code == 74
    assert finished.stderr.count("stdout: cannot write to it") == 1
    assert_well_formed(file_lines(only_record(tmp_path).folder))


def test_a_reader_that_stands_still_holds_up_nothing_and_is_told_what_it_missed(tmp_path: Path) -> None:
    """Far more is printed than may wait for it, and the last stage has ended before anything is read."""
    os.mkfifo(tmp_path / "ended")
    configure_stages(tmp_path, command("noisy", "head -c 12000000 /dev/zero | tr '\\0' x"), command("last", "echo ended > ended"))
    process = start(tmp_path, "run", "--format", "jsonl", "--stream-logs")
    assert (tmp_path / "ended").read_text() == "ended\n"
    finished = finish(process)
    assert finished.code == 0
    events = events_of(finished.stdout)
    told = sum(len(str(event["message"])) for event in of_type(events, "log") if event["source"] == "stdout")
    missed = [str(event["message"]) for event in of_type(events, "log") if event["source"] == "system"]
    untold = sum(int(message.removeprefix("(").split()[0]) for message in missed)
    assert 0 < told < 12_000_000
    assert told + untold == 12_000_000


def test_a_file_that_cannot_be_written_is_named_once_and_changes_nothing(tmp_path: Path) -> None:
    made = "mkdir -p $CODEX_ORCHESTRATOR_RUN_DIR/../other/events.jsonl"
    configure(
        tmp_path,
        pipeline("p", command("a", made), subpipeline("child", "q"), command("b", "true")),
        pipeline("q", command("x", "true"), command("y", "true")),
    )
    named = "import sys; from orchestrator_py.app.pipeline_site import PipelineSite as Site; from orchestrator_py.__main__ import main\n"
    named += "ids = iter(['first', 'other'])\nSite.create_run_id = lambda self: next(ids)\nsys.exit(main(['run', '--format', 'jsonl']))"
    finished = finish(start_words(tmp_path, [words()[0], "-c", named]))
    assert finished.code == 0, finished.stderr
    assert finished.stderr.count("events.jsonl: is a folder where a file belongs") == 1
    assert "The events of run other are not complete there" in finished.stderr
    assert file_lines(tmp_path / ".runs" / "0101" / "cli" / "first") == events_of(finished.stdout)
