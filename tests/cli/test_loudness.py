"""How much is said on stderr, and that stdout does not change with it."""

import re
import sys
from pathlib import Path

import pytest

from tests.cli.running import (
    NOTHING,
    Fifo,
    assert_agreement,
    assert_document,
    command,
    configure_stages,
    finish,
    only_record,
    run,
    start,
    start_words,
    wait_for_line,
)

TWICE = {"maxAttempts": 2}


def configure(folder: Path) -> None:
    """One stage of each kind."""
    configure_stages(
        folder,
        command("good", "echo fine"),
        command("lax", "exit 3", allowFailure=True),
        command("flaky", "test -d again || { mkdir again; exit 1; }", retry=TWICE),
        command("bad", r"printf '\033[31mred\033[0m\033[2J\n'; exit 4"),
        command("never", "true"),
    )


def test_quiet_tells_only_what_fails(tmp_path: Path) -> None:
    configure(tmp_path)
    finished = run(tmp_path, "run", "-q")
    assert finished.code == 1
    heads = [line for line in finished.stderr.splitlines() if not line.startswith("    ")]
    assert [line.partition(" in ")[0] for line in heads] == ["[2/5] p:lax failed", "[4/5] p:bad failed"]
    assert "    | red\n    log: " in finished.stderr


def test_silent_leaves_the_report(tmp_path: Path) -> None:
    configure(tmp_path)
    finished = run(tmp_path, "run", "-qq")
    assert (finished.code, finished.stderr) == (1, "")


@pytest.mark.parametrize("flag", ["--color=auto", "-q", "-qq", "-v", "--no-progress"])
def test_the_report_is_the_same_and_names_what_was_waived_or_flaky(flag: str, tmp_path: Path) -> None:
    configure(tmp_path)
    report = run(tmp_path, "run", flag).stdout.splitlines()
    assert report[0].startswith("failed: p:bad (exit code 4), log .runs/")
    assert report[1:3] == ["waived: p:lax (failed)", "flaky: p:flaky (2 attempts)"]
    assert re.fullmatch(r"p failed: succeeded 3, failed 1, not started 1 of 5 in \d+\.\d s", report[3])
    assert report[4].startswith("report: .runs/")


def test_verbose_tells_starts_attempts_and_output(tmp_path: Path) -> None:
    configure(tmp_path)
    lines = run(tmp_path, "run", "-v").stderr.splitlines()
    assert lines[:2] == ["p:good started", "p:good | fine"]
    assert [line for line in lines if line.startswith("p:flaky")] == ["p:flaky started", "p:flaky: attempt 1 failed, trying again"]
    assert "p:bad | red" in lines


@pytest.mark.parametrize("arguments", [["-q", "-v"], ["--color", "sometimes"]])
def test_words_that_make_no_sense(arguments: list[str], tmp_path: Path) -> None:
    configure(tmp_path)
    assert run(tmp_path, "run", *arguments).code == 2
    assert not (tmp_path / ".runs").exists()


@pytest.mark.parametrize(
    ("flags", "variables", "colour"),
    [
        ([], NOTHING, False),
        (["--color", "always"], NOTHING, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_without_a_terminal(flags: list[str], variables: dict[str, str], colour: bool, tmp_path: Path) -> None:
    configure(tmp_path)
    finished = run(tmp_path, "run", *flags, variables=variables)
    assert ("p:bad \x1b[31mfailed\x1b[0m in " in finished.stderr) is colour
    assert ("p \x1b[31mfailed\x1b[0m: " in finished.stdout) is colour
    assert ("    | \x1b[31mred" in finished.stderr) is colour
    assert "\x1b[2J" not in finished.stderr + finished.stdout


def test_json_is_never_coloured(tmp_path: Path) -> None:
    configure(tmp_path)
    finished = run(tmp_path, "run", "--format", "json", "--color", "always")
    assert_document(tmp_path, finished, only_record(tmp_path), "failed")


def test_a_long_silence_is_broken_by_signs_of_life(tmp_path: Path) -> None:
    Fifo(tmp_path / "go")
    configure_stages(tmp_path, command("a", "read go < go"), command("b", "true"))
    process = start(tmp_path, "run", variables={"ORCHESTRATOR_PY_HEARTBEAT": "0.05"})
    wait_for_line(process, "still running: p:a (0 s)")
    wait_for_line(process, "still running: p:a")
    (tmp_path / "go").write_text("go\n")
    finished = finish(process)
    assert finished.code == 0
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")


def test_resume_takes_the_same_words(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "test -d again || { mkdir again; exit 1; }"))
    assert run(tmp_path, "run", "-qq").stderr == ""
    run_id = str(only_record(tmp_path).manifest["run_id"])
    finished = run(tmp_path, "resume", "--run", run_id, "-v", "--color", "never", "--no-progress")
    assert (finished.code, finished.stderr.splitlines()[0]) == (0, "p:a started")


LISTS_MODULES = """
import sys
from orchestrator_py.__main__ import main
code = main(["run"])
print([name for name in sys.modules if name.startswith(("rich", "orchestrator_py.cli.live"))], file=sys.stderr)
sys.exit(code)
"""


def test_what_draws_is_not_imported_where_nothing_is_drawn(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    finished = finish(start_words(tmp_path, [sys.executable, "-c", LISTS_MODULES], variables={"TERM": "xterm", "FORCE_COLOR": "1"}))
    assert finished.stderr.splitlines()[-1] == "[]"
