"""A signal ends a run honestly: by that signal, with a record that accounts for every stage, and with nothing left running."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.running import (
    Fifo,
    Hold,
    as_list,
    assert_agreement,
    assert_document,
    command,
    configure,
    configure_stages,
    entries,
    environment,
    finish,
    only_record,
    pipeline,
    records,
    start,
    start_words,
    subpipeline,
    wait_for_line,
    words,
)
from tests.guards.repositories import repository

SLEEPER = "sleep 300"
TELLER = f"sh -c 'echo up > told; exec {SLEEPER}' & wait"  # a grandchild tells, so that it is one when it is told to end
HOLDER = f"exec 9> held; {TELLER}"  # it is seen as long as it lives
EXITS_WELL = f"trap 'exit 0' TERM; {HOLDER}"
IGNORES_TERM = f"trap 'echo term > told' TERM; exec 9> held; echo up > told; while :; do {SLEEPER} & wait; done"


@pytest.mark.parametrize(
    ("number", "stage"),
    [(signal.SIGINT, HOLDER), (signal.SIGTERM, HOLDER), (signal.SIGHUP, HOLDER), (signal.SIGTERM, EXITS_WELL)],
    ids=["SIGINT", "SIGTERM", "SIGHUP", "a stage that exits 0"],
)
def test_a_signal_leaves_a_cancelled_record_and_no_process(tmp_path: Path, number: signal.Signals, stage: str) -> None:
    told, held = Fifo(tmp_path / "told"), Hold(tmp_path / "held")
    configure_stages(tmp_path, command("before", "true"), command("now", stage), command("after", "true"), command("last", "true"))
    process = start(tmp_path, "run", "--format", "json")
    told.wait_for("up")
    process.send_signal(number)
    finished = finish(process)
    assert finished.code == -number
    held.wait_until_let_go()
    record = only_record(tmp_path)
    assert_document(tmp_path, finished, record, "cancelled")
    assert_agreement(tmp_path, record, "cancelled")
    assert record.manifest["status_detail"] == f"cancelled:signal: {number.name}"
    assert record.statuses == {"before": "succeeded", "now": "failed", "after": "pending", "last": "pending"}
    assert record.commands["now"]["summary"] == f"Cancelled (signal: {number.name})."
    assert f"[4/4] p:last not started: {number.name}" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_failure_before_the_signal_keeps_the_verdict(tmp_path: Path) -> None:
    told = Fifo(tmp_path / "told")
    configure_stages(tmp_path, command("slow", TELLER), command("bad", "false"), command("never", "true"), parallel=True)
    process = start(tmp_path, "run", "--format", "json", "-j", "2")
    told.wait_for("up")
    wait_for_line(process, "p:bad failed")
    process.send_signal(signal.SIGINT)
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    record = only_record(tmp_path)
    assert_document(tmp_path, finished, record, "failed")
    assert_agreement(tmp_path, record, "failed")
    assert record.manifest["status_detail"] == "stage:bad:failed"
    assert record.statuses == {"slow": "failed", "bad": "failed", "never": "pending"}


def test_a_failure_inside_a_child_run_is_not_hidden_by_the_signal(tmp_path: Path) -> None:
    told = Fifo(tmp_path / "told")
    slow = command("slow", TELLER)
    configure(tmp_path, pipeline("p", subpipeline("child", "c")), pipeline("c", slow, command("bad", "false"), parallel=True))
    process = start(tmp_path, "run", "--format", "json", "-j", "2")
    told.wait_for("up")
    wait_for_line(process, "c:bad failed")
    process.send_signal(signal.SIGINT)
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    child, parent = records(tmp_path)
    assert_agreement(tmp_path, child, "failed")
    assert_document(tmp_path, finished, parent, "failed")
    assert_agreement(tmp_path, parent, "failed")


def test_a_signal_ends_a_child_run_before_its_parent(tmp_path: Path) -> None:
    told, held = Fifo(tmp_path / "told"), Hold(tmp_path / "held")
    configure(
        tmp_path,
        pipeline("p", subpipeline("child", "c", optional=True), command("after", "true")),
        pipeline("c", command("now", HOLDER), command("later", "true")),
    )
    process = start(tmp_path, "run", "--format", "json")
    told.wait_for("up")
    process.send_signal(signal.SIGTERM)
    finished = finish(process)
    assert finished.code == -signal.SIGTERM
    held.wait_until_let_go()
    child, parent = records(tmp_path)
    assert_document(tmp_path, finished, parent, "cancelled")
    for record in (child, parent):
        assert_agreement(tmp_path, record, "cancelled")
        assert record.manifest["status_detail"] == "cancelled:signal: SIGTERM"
    assert child.statuses == {"now": "failed", "later": "pending"}
    assert parent.statuses == {"child": "failed", "after": "pending"}  # a cancel is never waived
    assert [run["status"] for run in as_list(parent.manifest["child_runs"])] == ["cancelled"]


def test_a_stage_that_ignores_term_is_killed_after_the_grace(tmp_path: Path) -> None:
    told, held = Fifo(tmp_path / "told"), Hold(tmp_path / "held")
    configure_stages(tmp_path, command("a", IGNORES_TERM))
    process = start(tmp_path, "run", "--format", "json", "--grace", "0.1")
    told.wait_for("up")
    process.send_signal(signal.SIGINT)
    told.wait_for("term")
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    held.wait_until_let_go()
    assert_agreement(tmp_path, only_record(tmp_path), "cancelled")


def test_a_second_signal_takes_away_the_grace(tmp_path: Path) -> None:
    told, held = Fifo(tmp_path / "told"), Hold(tmp_path / "held")
    configure_stages(tmp_path, command("a", IGNORES_TERM))
    process = start(tmp_path, "run", "--format", "json", "--grace", "3600")
    told.wait_for("up")
    process.send_signal(signal.SIGINT)
    told.wait_for("term")
    process.send_signal(signal.SIGTERM)
    finished = finish(process)
    assert finished.code == -signal.SIGINT  # the first one was the cause
    held.wait_until_let_go()
    assert_agreement(tmp_path, only_record(tmp_path), "cancelled")
    assert "stopping (SIGINT): what runs has 3600 s to end; one more signal kills it at once" in finished.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_cuts_nothing_short_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    configure_stages(tmp_path, command("a", "true"))
    process = start(tmp_path, "run", "--format", "json")
    wait_for_line(process, "[1/1] p:a succeeded")
    process.send_signal(number)
    finished = finish(process)
    assert finished.code == 0
    record = only_record(tmp_path)
    assert_document(tmp_path, finished, record, "succeeded")
    assert_agreement(tmp_path, record, "succeeded")


SIGNALS_AFTER_THE_RUN = """
import atexit, signal, sys
from orchestrator_py.__main__ import main
from orchestrator_py.cli import run_outputs

say = run_outputs.print_json

def print_json(data, code):
    signal.raise_signal(signal.SIGTERM)
    return say(data, code)

run_outputs.print_json = print_json
atexit.register(signal.raise_signal, signal.SIGTERM)
sys.exit(main(["run", "--format", "json"]))
"""


def test_a_signal_after_the_run_does_not_change_its_code(tmp_path: Path) -> None:
    """One before the report is printed, another one when the interpreter ends."""
    configure_stages(tmp_path, command("a", "false"))
    finished = finish(start_words(tmp_path, [sys.executable, "-c", SIGNALS_AFTER_THE_RUN]))
    assert finished.code == 1, finished.stderr
    assert_document(tmp_path, finished, only_record(tmp_path), "failed")


def test_a_second_signal_that_comes_when_everything_has_ended_leaves_the_report_alone(tmp_path: Path) -> None:
    """The first one has stopped the run; the second one comes just before the report is printed."""
    told = Fifo(tmp_path / "told")
    configure_stages(tmp_path, command("a", f"echo up > told; exec {SLEEPER}"))
    process = start_words(tmp_path, [sys.executable, "-c", SIGNALS_AFTER_THE_RUN])
    told.wait_for("up")
    process.send_signal(signal.SIGINT)
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    assert_document(tmp_path, finished, only_record(tmp_path), "cancelled")


def test_at_whatever_moment_a_signal_comes_the_record_and_the_end_agree(tmp_path: Path) -> None:
    """The claim holds at every moment; the pauses only spread the moments."""
    configure_stages(tmp_path, command("a", "true"), command("b", "true"))
    for pause in (0.14, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.34):
        task = f"after-{pause}"
        process = start(tmp_path, "run", "--task", task)
        with suppress(subprocess.TimeoutExpired):  # on a fast machine it may be over
            process.wait(pause)
        process.send_signal(signal.SIGTERM)
        finished = finish(process)
        assert "Traceback" not in finished.stderr
        if (tmp_path / ".runs" / task / "metrics.json").exists():
            status = only_record(tmp_path, task).manifest["status"]
            assert (finished.code, status) in [(0, "succeeded"), (-signal.SIGTERM, "cancelled")]
        else:  # it had not begun
            assert finished.code == -signal.SIGTERM


SIGNAL_BEFORE_THE_RUN = """
import asyncio, signal, sys
from orchestrator_py.__main__ import main
from orchestrator_py.app.pipeline_runner import PipelineRunner

begin = PipelineRunner.run

async def run(self, pipeline, **more):
    signal.raise_signal(signal.SIGTERM)
    for _ in range(10):  # turns of the loop, so that it is heard
        await asyncio.sleep(0)
    return await begin(self, pipeline, **more)

PipelineRunner.run = run
sys.exit(main(["run", "--format", "json"]))
"""


def test_a_signal_just_before_the_run_begins_is_not_lost(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "touch started"))
    finished = finish(start_words(tmp_path, [sys.executable, "-c", SIGNAL_BEFORE_THE_RUN]))
    assert finished.code == -signal.SIGTERM, finished.stderr
    record = only_record(tmp_path)
    assert_document(tmp_path, finished, record, "cancelled")
    assert_agreement(tmp_path, record, "cancelled")
    assert record.statuses == {"a": "pending"}
    assert not (tmp_path / "started").exists()


SIGNAL_IN_THE_LAST_MOMENT = """
import asyncio, signal
from datetime import timedelta
from orchestrator_py.app.run_service import RunService
from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.signals import StopSignals
from orchestrator_py.model.grace import Grace

async def main():
    async with RunService(None, SystemClock()) as service:
        with StopSignals(service, Grace(timedelta(seconds=9)), print).heeded():
            signal.raise_signal(signal.SIGTERM)
        for _ in range(10):  # turns of the loop, in which it would be heard
            await asyncio.sleep(0)

asyncio.run(main())
"""


def test_a_signal_in_the_last_moment_is_not_told_as_a_stop(tmp_path: Path) -> None:
    finished = finish(start_words(tmp_path, [sys.executable, "-c", SIGNAL_IN_THE_LAST_MOMENT]))
    assert (finished.code, finished.stdout, finished.stderr) == (0, "", "")


def test_a_signal_during_the_start_ends_the_program_without_a_word(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    process = start_words(tmp_path, [sys.executable, "-X", "importtime", *words("run")[1:]])
    wait_for_line(process, "orchestrator_py.cli.arguments")
    process.send_signal(signal.SIGINT)
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


def test_a_signal_that_we_were_told_to_ignore_stays_ignored(tmp_path: Path) -> None:
    told = Fifo(tmp_path / "told")
    os.mkfifo(tmp_path / "go")
    configure_stages(tmp_path, command("a", "echo up > told; read go < go"))
    process = start(tmp_path, "run", ignoring=[signal.SIGHUP])
    told.wait_for("up")
    process.send_signal(signal.SIGHUP)
    (tmp_path / "go").write_text("go\n")
    assert finish(process).code == 0
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")


def test_how_stages_end_is_known_even_if_our_parent_ignores_the_end_of_children(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"), command("b", "exit 7"))
    finished = finish(start(tmp_path, "run", "--format", "json", ignoring=[signal.SIGCHLD]))
    assert finished.code == 1
    record = only_record(tmp_path)
    assert_document(tmp_path, finished, record, "failed")
    assert [(one["status"], one["exit_code"]) for one in as_list(record.manifest["commands"])] == [("succeeded", 0), ("failed", 7)]


def test_what_git_answers_a_guard_is_known_even_if_our_parent_ignores_the_end_of_children(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    repo.put("README.md", "[there](missing.md)\n")
    finished = finish(start(repo.path, "guard", "docs", ignoring=[signal.SIGCHLD]))
    assert finished.code == 1
    assert "the link leads to missing.md, which does not exist" in finished.stdout


def test_a_shell_loop_around_us_stops_too(tmp_path: Path) -> None:
    told = Fifo(tmp_path / "told")
    configure_stages(tmp_path, command("a", f"echo up > told; exec {SLEEPER}"))
    process = start_words(tmp_path, ["bash", "-c", 'for turn in 1 2 3; do "$@"; done; echo finished', "bash", *words("run")])
    told.wait_for("up")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: the shell and we, not the stages
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    assert "finished" not in finished.stdout
    assert len(entries(tmp_path)) == 1


def fill(pipe: int) -> None:
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, bytes(65536))
    os.set_blocking(pipe, True)


def test_a_report_that_nobody_reads_does_not_make_us_immortal(tmp_path: Path) -> None:
    """stdout is a full pipe: the run is on record, and signals end what is left of the program."""
    configure_stages(tmp_path, command("a", "true"))
    reading, writing = os.pipe()
    fill(writing)
    process = subprocess.Popen(words("run"), cwd=tmp_path, env=environment(), stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    wait_for_line(process, "[1/1] p:a succeeded")
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    os.close(reading)
    process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")
