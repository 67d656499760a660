"""However a run ends, in whatever format: everything that tells how it went tells the same."""

import re
import signal
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import field, frozen

from tests.cli.event_lines import assert_well_formed, completed, file_lines, own, parse_lines
from tests.cli.running import (
    Data,
    Fifo,
    Finished,
    Record,
    as_list,
    as_object,
    assert_agreement,
    assert_document,
    command,
    configure_stages,
    finish,
    only_record,
    run,
    start,
    wait_for_line,
)

CODES = {"succeeded": 0, "failed": 1, "rejected": 3, "timed_out": 4, "skipped": 5, "crashed": 6, "cancelled": 8}
FORMATS = ("json", "jsonl", "text")

Act = Callable[[Path, list[str]], Finished]


def plain(folder: Path, arguments: list[str]) -> Finished:
    return run(folder, "run", *arguments)


def interrupted(folder: Path, arguments: list[str]) -> Finished:
    """By a signal, while a stage runs."""
    told = Fifo(folder / "told")
    process = start(folder, "run", *arguments)
    told.wait_for("up")
    process.send_signal(signal.SIGINT)
    return finish(process)


def interrupted_after_a_failure(folder: Path, arguments: list[str]) -> Finished:
    told = Fifo(folder / "told")
    process = start(folder, "run", "-j", "2", *arguments)
    told.wait_for("up")
    wait_for_line(process, "p:bad failed")
    process.send_signal(signal.SIGTERM)
    return finish(process)


def cancelled_by_a_failure(folder: Path, arguments: list[str]) -> Finished:
    Fifo(folder / "go")
    return run(folder, "run", "-j", "2", "--on-failure", "cancel", *arguments)


def lost_then_resumed(folder: Path, arguments: list[str]) -> Finished:
    told, gate = Fifo(folder / "told"), Fifo(folder / "gate")
    process = start(folder, "run")
    told.wait_for("up")
    process.kill()
    finish(process)
    del gate
    return _resumed(folder, arguments)


def failed_then_resumed(folder: Path, arguments: list[str]) -> Finished:
    assert run(folder, "run").code == 1
    return _resumed(folder, arguments)


def _resumed(folder: Path, arguments: list[str]) -> Finished:
    (run_id,) = (path.name for path in (folder / ".runs" / "0101" / "cli").iterdir())
    (folder / "mended").touch()
    return run(folder, "resume", "--run", run_id, *arguments)


@frozen(kw_only=True)
class Case:
    """`junit`: how each test case ended."""

    stages: list[Data]
    outcome: str
    junit: list[str]
    act: Act = plain
    signal: int | None = None
    more: Data = field(factory=dict)


def strictly(folder: Path, arguments: list[str]) -> Finished:
    return run(folder, "run", "--strict", "--fail-on-flaky", *arguments)


def out_of_time(folder: Path, arguments: list[str]) -> Finished:
    return run(folder, "run", "--timeout", "0.5", *arguments)


def selected(folder: Path, arguments: list[str]) -> Finished:
    return run(folder, "run", "--only", "b", *arguments)


SLEEP = "echo up > told; exec sleep 300"
PARALLEL: Data = {"parallel": True}
CASES = {
    "succeeded": Case(stages=[command("a", "true"), command("b", "echo said")], outcome="succeeded", junit=["passed"] * 2),
    "failed": Case(
        stages=[command("a", "true"), command("b", "exit 9"), command("c", "true")],
        outcome="failed",
        junit=["passed", "failure", "skipped"],
    ),
    "failed test": Case(stages=[command("a", "true", test="exit 4")], outcome="failed", junit=["failure"]),
    "rejected": Case(stages=[command("a", "true", review="echo no; exit 1")], outcome="rejected", junit=["failure"]),
    "timed out": Case(stages=[command("a", "exec sleep 300", timeoutSeconds=0.05)], outcome="timed_out", junit=["error"]),
    "crashed": Case(stages=[command("a", "kill -KILL $$")], outcome="crashed", junit=["error"]),
    "not spawned": Case(stages=[command("a", "true", cwd="nowhere")], outcome="crashed", junit=["error"]),
    "cancelled by a failure": Case(
        stages=[command("slow", "echo go > go; exec sleep 300"), command("bad", "read go < go; exit 3"), command("never", "true")],
        outcome="failed",
        junit=["error", "failure", "skipped"],
        act=cancelled_by_a_failure,
        more=PARALLEL,
    ),
    "interrupted": Case(
        stages=[command("before", "true"), command("now", SLEEP), command("never", "true")],
        outcome="cancelled",
        junit=["passed", "error", "skipped"],
        act=interrupted,
        signal=signal.SIGINT,
    ),
    "failed, then interrupted": Case(
        stages=[command("slow", SLEEP), command("bad", "false"), command("never", "true")],
        outcome="failed",
        junit=["error", "failure", "skipped"],
        act=interrupted_after_a_failure,
        signal=signal.SIGTERM,
        more=PARALLEL,
    ),
    "nothing planned": Case(stages=[], outcome="skipped", junit=["error"]),
    "nothing runnable": Case(stages=[command("a", "true", plan={"runnable": False})], outcome="skipped", junit=["skipped", "error"]),
    "waived": Case(stages=[command("a", "exit 7", allowFailure=True), command("b", "true")], outcome="succeeded", junit=["passed"] * 2),
    "flaky": Case(
        stages=[command("a", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2})], outcome="succeeded", junit=["passed"]
    ),
    "waived, strictly": Case(
        stages=[command("a", "true"), command("b", "exit 7", allowFailure=True)],
        outcome="failed",
        junit=["passed", "failure"],
        act=strictly,
    ),
    "flaky, strictly": Case(
        stages=[command("a", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2})],
        outcome="failed",
        junit=["failure"],
        act=strictly,
    ),
    "out of time": Case(
        stages=[command("a", "true"), command("b", "exec sleep 300"), command("c", "true")],
        outcome="timed_out",
        junit=["passed", "error", "skipped"],
        act=out_of_time,
    ),
    "selected": Case(
        stages=[command("a", "false"), command("b", "true"), command("c", "false")],
        outcome="succeeded",
        junit=["skipped", "passed", "skipped"],
        act=selected,
    ),
    "skipped upstream": Case(
        stages=[command("a", "false"), command("b", "true", needs=["a"])], outcome="failed", junit=["failure", "skipped"]
    ),
    "lost, then resumed": Case(
        stages=[command("a", "true"), command("b", "test -e mended || { echo up > told; read go < gate; }")],
        outcome="succeeded",
        junit=["passed"] * 2,
        act=lost_then_resumed,
    ),
    "failed, then resumed": Case(
        stages=[command("a", "true"), command("meh", "exit 2", allowFailure=True), command("b", "test -e mended")],
        outcome="succeeded",
        junit=["passed"] * 3,
        act=failed_then_resumed,
    ),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_everything_that_tells_how_a_run_went_tells_the_same(tmp_path: Path, case: Case, form: str) -> None:
    configure_stages(tmp_path, *case.stages, **case.more)
    finished = case.act(tmp_path, ["--format", form, "--junit-xml", "report.xml"])
    assert finished.code == (CODES[case.outcome] if case.signal is None else -case.signal), finished.stderr
    code = finished.code if finished.code >= 0 else 128 - finished.code

    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, case.outcome)  # manifest, summary, metrics entry, rollups
    events = _last_call(file_lines(record.folder))
    _assert_events_agree(events, record, case.outcome, code)
    _assert_junit_agrees(ET.parse(tmp_path / "report.xml").getroot(), events, case)
    match form:
        case "json":
            assert_document(tmp_path, finished, record, case.outcome)
            _assert_document_agrees(finished.document(), events)
        case "jsonl":
            assert parse_lines(finished.stdout) == events
        case _:
            _assert_text_agrees(finished.stdout, events, case)


def _last_call(lines: list[Data]) -> list[Data]:
    begin = max(place for place, event in enumerate(lines) if event["seq"] == 1)
    return lines[begin:]


def _assert_events_agree(events: list[Data], record: Record, outcome: str, code: int) -> None:
    assert_well_formed(events)
    last, manifest = events[-1], record.manifest
    assert (last["type"], last["outcome"], last["exitCode"], last["status"]) == ("run:completed", outcome, code, manifest["status"])
    assert (last["runId"], last["summary"]) == (manifest["run_id"], manifest["summary"])
    ends = completed(own(events, last["runId"]))
    assert list(ends.keys() ^ record.commands.keys()) == []
    for stage_id, stage in record.commands.items():
        end = ends[stage_id]
        told = {"status": "status", "exitCode": "exit_code", "summary": "summary", "logPath": "log_path"}
        assert {key: end[key] for key in told} == {key: stage[name] for key, name in told.items()}
    succeeded = [end for end in ends.values() if end["status"] == "succeeded"]
    assert len(succeeded) == record.entry["commands_passed"]
    words = {str(end["counted"]) for end in ends.values()} or {"skipped"}
    assert outcome == max(words, key=["skipped", "succeeded", "cancelled", "crashed", "timed_out", "rejected", "failed"].index)
    review = as_object(as_object(record.summary["review"])["decision"])
    top = (as_object(record.summary["build"])["success"], as_object(record.summary["test"])["success"], review["approved"])
    assert (top == (True, True, True)) is (outcome == "succeeded")


def _assert_junit_agrees(root: ET.Element, events: list[Data], case: Case) -> None:
    (suite,) = root
    kinds = ("failure", "error", "skipped")
    found = [next((kind for kind in kinds if one.find(kind) is not None), "passed") for one in suite.iter("testcase")]
    assert found == case.junit
    assert (root.get("failures"), root.get("errors")) == (str(found.count("failure")), str(found.count("error")))
    assert ("failure" in found or "error" in found) is (case.outcome != "succeeded")
    ends = completed(events)
    stages = [one for one in suite.iter("testcase") if one.get("name") != "(run)"]
    for one in stages:
        end = ends[str(one.get("name"))]
        reason = next((kind.get("message") for kind in one if kind.tag in kinds), None)
        assert reason in (None, end["reason"], str(end["outcome"]).replace("_", " "))
        assert float(str(one.get("time"))) == pytest.approx(float(str(end["durationSeconds"] or 0)), abs=0.001)
    names = {one.get("name"): {note.get("name") for note in one.iter("property")} for one in stages}
    for mark in ("waived", "flaky"):
        assert {name for name, notes in names.items() if mark in notes} == {name for name, end in ends.items() if end[mark]}


def _assert_document_agrees(document: Data, events: list[Data]) -> None:
    last, ends = events[-1], completed(events)
    assert (document["counts"], document["cause"], document["exit_code"]) == (last["counts"], last["cause"], last["exitCode"])
    started = {name: end for name, end in ends.items() if end["attempts"] or end["reason"] == "reused"}
    assert set(map(str, _texts(document["failed"]))) == {name for name, end in started.items() if end["counted"] != "succeeded"}
    for mark in ("waived", "flaky"):
        assert set(_texts(document[mark])) == {name for name, end in ends.items() if end[mark]}


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return value


def _assert_text_agrees(text: str, events: list[Data], case: Case) -> None:
    *_, sentence, report = text.splitlines()
    if case.outcome == "skipped":
        assert sentence.startswith("p: nothing ran")
        return
    assert re.match(rf"p {case.outcome.replace('_', ' ')}\b", sentence)
    counts = as_object(events[-1]["counts"])
    for word, number in counts.items():
        shown = re.search(rf"\b{'not started' if word == 'not_started' else word.replace('_', ' ')} (\d+)", sentence)
        assert (0 if shown is None else int(shown[1])) == (number if word != "planned" else 0)
    assert f"of {counts['planned']} in " in sentence
    assert report == f"report: .runs/0101/cli/{events[-1]['runId']}/manifest.json"
    assert as_list(events[0]["stages"])
