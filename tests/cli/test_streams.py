"""Whatever stdin, stdout and stderr are, the run goes on and is on record, and stdout holds nothing but what was asked for."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from select import select

import pytest

from tests.cli.running import (
    assert_agreement,
    assert_document,
    command,
    configure_stages,
    environment,
    finish,
    only_record,
    run,
    start,
    start_words,
    wait_for_line,
    words,
)

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
REJECTED = command("a", "echo said", review="echo no; exit 1")


@pytest.mark.parametrize(
    "closed",
    [
        "<&-",
        "2>&-",
        "<&- >&- 2>&-",
        "| head -c 0; exit ${PIPESTATUS[0]}",
        pytest.param("> /dev/full 2> /dev/full", marks=FULL),
    ],
)
def test_streams_that_are_gone_change_neither_record_nor_code(tmp_path: Path, closed: str) -> None:
    configure_stages(tmp_path, REJECTED)
    finished = finish(start_words(tmp_path, ["bash", "-c", f"{shlex.join(words('run', '--format', 'json'))} {closed}"]))
    assert finished.code == 3
    assert finished.stderr == "" or "p:a rejected" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "Exception ignored" not in finished.stderr
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "rejected")
    if closed in ("<&-", "2>&-"):
        assert_document(tmp_path, finished, record, "rejected")


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_an_error_is_its_code_even_if_it_cannot_be_told(tmp_path: Path, closed: str) -> None:
    finished = finish(start_words(tmp_path, ["bash", "-c", f"{shlex.join(words('run', '--format', 'json'))} {closed}"]))
    assert (finished.code, finished.stderr) == (2, "")
    assert finished.stdout == "" or finished.document()["exit_code"] == 2


@FULL
def test_a_full_stdout_is_no_success(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    finished = finish(start_words(tmp_path, ["bash", "-c", f"{shlex.join(words('run'))} > /dev/full"]))
    assert finished.code == 74
    assert finished.stderr.endswith("orchestrator-py: stdout: cannot write to it: No space left on device.\n")
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")


@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_help_for_a_reader_that_has_gone(tmp_path: Path, variables: dict[str, str]) -> None:
    line = "%s | head -c 0; exit ${PIPESTATUS[0]}"
    for arguments in (["--help"], ["--version"], ["run", "--help"]):
        finished = finish(start_words(tmp_path, ["bash", "-c", line % shlex.join(words(*arguments))], variables=variables))
        assert (finished.code, finished.stderr) == (0, "")


READING = [
    "status",
    "runs",
    "runs --format json",
    "report",
    "report --format html",
    "logs a",
    "logs",
    "logs --format json",
    "metrics show",
    "metrics verify",
    "metrics export",
    "plan",
    "validate --format json",
    "schema",
    "completion bash",
]


@pytest.mark.parametrize("line", READING)
def test_whoever_asks_and_goes_away_has_had_enough(tmp_path: Path, line: str) -> None:
    """Also if everything fits into a buffer, and it is noticed only when that is emptied."""
    configure_stages(tmp_path, command("a", "echo said"))
    assert run(tmp_path, "run").code == 0
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(words(*line.split()), cwd=tmp_path, env=environment(), stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr.decode()) == (0, "")


@FULL
@pytest.mark.parametrize("line", READING)
def test_an_answer_that_cannot_be_written_is_no_success(tmp_path: Path, line: str) -> None:
    configure_stages(tmp_path, command("a", "echo said"))
    assert run(tmp_path, "run").code == 0
    with open("/dev/full", "w") as full:
        done = subprocess.run(words(*line.split()), cwd=tmp_path, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False)
    said = "orchestrator-py: stdout: cannot write to it: No space left on device.\n"
    assert (done.returncode, done.stderr.decode()) == (74, said)


def test_a_stderr_that_breaks_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    configure_stages(tmp_path, command("a", "true"), command("b", "read go < go"), command("c", "true"))
    process = start(tmp_path, "run", "--format", "json")
    wait_for_line(process, "p:a succeeded")
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None
    (tmp_path / "go").write_text("go\n")
    finished = finish(process)
    assert finished.code == 0
    assert_document(tmp_path, finished, only_record(tmp_path), "succeeded")


def test_a_stderr_that_nobody_reads_does_not_hold_up_the_run(tmp_path: Path) -> None:
    """Far more is said than a pipe holds, and the last stage has ended before anybody reads it."""
    os.mkfifo(tmp_path / "ended")
    noisy = [command(f"noisy{number}", "yes $(seq 80) | head -n 10; exit 1", allowFailure=True) for number in range(30)]
    configure_stages(tmp_path, *noisy, command("last", "echo ended > ended"))
    process = start(tmp_path, "run", "--format", "json")
    assert (tmp_path / "ended").read_text() == "ended\n"
    finished = finish(process)
    assert finished.code == 0
    assert len(finished.stderr) > 65536
    assert "[31/31] p:last succeeded" in finished.stderr


def read_late(folder: Path, line: str, *, variables: Mapping[str, str]) -> tuple[int, str]:
    """Code and output of a shell line whose stdout is a pipe that a neighbour has made non-blocking, and that is read when it is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen(
        ["bash", "-c", f"exec {line}"], cwd=folder, env=environment(variables), stdout=writer, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and select([], [writer], [], 0)[1]:
        time.sleep(0.01)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        text = file.read()
    return process.wait(), text


@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_nothing_is_lost_in_a_pipe_that_a_neighbour_has_made_non_blocking(tmp_path: Path, variables: dict[str, str]) -> None:
    configure_stages(tmp_path, command("a", f"yes 1 2 3 {60 * 'y'} | head -n 1200 # {70_000 * 'x'}"))
    code, text = read_late(tmp_path, f"{shlex.join(words('run', '-v'))} 2>&1 >/dev/null", variables=variables)
    assert (code, text.count("a | 1 2 3 yyy")) == (0, 1200)
    code, text = read_late(tmp_path, shlex.join(words("run", "--format", "jsonl", "--stream-logs")), variables=variables)
    events = [json.loads(line) for line in text.splitlines()]
    assert (code, [event["seq"] for event in events]) == (0, list(range(1, len(events) + 1)))
    assert events[-1]["type"] == "run:completed"
    for arguments in (["logs", "a"], ["logs"], ["plan", "--format", "json"], ["plan"]):
        code, text = read_late(tmp_path, shlex.join(words(*arguments)), variables=variables)
        assert (code, text) == (0, run(tmp_path, *arguments).stdout), arguments
        assert len(text) > 65536


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=["C", "ascii"])
def test_a_terminal_that_knows_only_ascii(tmp_path: Path, variables: dict[str, str]) -> None:
    configure_stages(tmp_path, command("größe", "printf 'naïve\\377\\n'; exit 1", review="true"), title="Prüfung")
    for arguments in (["run"], ["plan"], ["run", "grösse"]):
        finished = run(tmp_path, *arguments, variables={**variables, "MCP_RUNNER_TASK_ID": "text"})
        assert "Traceback" not in finished.stderr
        assert "UnicodeEncodeError" not in finished.stderr
    root = tmp_path / "größer"
    root.mkdir()
    configure_stages(root, command("ä", "true"))
    finished = run(tmp_path, "run", "--root", str(root), "--runs-dir", str(tmp_path / "größe"), "--format", "json", variables=variables)
    assert finished.code == 0, finished.stderr
    assert "größe/0101" in str(finished.document()["manifest"])


@pytest.mark.parametrize("coercion", ["0", "1"], ids=["ASCII", "UTF-8"])
def test_the_locale_changes_neither_the_command_nor_its_environment(tmp_path: Path, coercion: str) -> None:
    """What stands in a configuration is UTF-8; what we were given is handed on as the bytes that it was."""
    root = tmp_path / "größe"
    root.mkdir()
    configure_stages(root, command("a", "printf '%s' \"é✓ $OURS $GIVEN $CODEX_ORCHESTRATOR_RUN_DIR\" > said", env={"OURS": "✓"}))
    given = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": coercion, "PYTHONUTF8": coercion}
    env = {**{os.fsencode(name): os.fsencode(value) for name, value in environment(given).items()}, b"GIVEN": b"\xc3\xa9\xff"}
    done = subprocess.run(words("run", "-q"), cwd=root, env=env, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    (run_dir,) = (root / ".runs" / "0101" / "cli").iterdir()
    assert (root / "said").read_bytes() == b"\xc3\xa9\xe2\x9c\x93 \xe2\x9c\x93 \xc3\xa9\xff " + os.fsencode(run_dir)


def test_what_a_stage_prints_cannot_steer_the_terminal(tmp_path: Path) -> None:
    evil = r"printf '\033[2J\033]0;title\007red\r\nbad \377 utf8\n\342\200\256::error::x\n'; exit 1"
    configure_stages(tmp_path, command("a\x1b[31m", evil), command("b", evil, review=f"{evil}"), parallel=True)
    finished = run(tmp_path, "run", "--on-failure", "continue")
    for text in (finished.stdout, finished.stderr):
        assert all(character.isprintable() or character == "\n" for character in text), text
        assert not any(line.startswith("::") for line in text.splitlines())
    assert finished.stderr.count("    | bad ") == 2
