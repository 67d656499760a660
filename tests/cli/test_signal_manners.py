"""Signals as people meet them: a shell, a pipe, `timeout`, `nohup`, a job in the background."""

import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.cli.running import (
    Fifo,
    Hold,
    assert_agreement,
    command,
    configure_stages,
    finish,
    only_record,
    start,
    start_words,
    wait_for_line,
    words,
)

TELLS = "exec 9> held; echo up > told; sleep 300 & wait"
WAITS = "echo up > told; read go < go"
RUN = shlex.join(words("run"))


def prepare(folder: Path, stage: str) -> tuple[Fifo, Hold]:
    configure_stages(folder, command("a", stage), command("b", "true"))
    return Fifo(folder / "told"), Hold(folder / "held")


def bash(line: str) -> list[str]:
    return ["bash", "-c", line]


def test_bash_shows_130_and_goes_on_only_if_it_was_not_interrupted_itself(tmp_path: Path) -> None:
    """The signal reaches us alone, as by `kill`: bash lives, and sees what a script would see."""
    told, held = prepare(tmp_path, TELLS)
    process = start_words(tmp_path, bash(f"{RUN} & wait $!; echo code $?"))
    told.wait_for("up")
    signal_program(process.pid, signal.SIGTERM)
    finished = finish(process)
    assert "code 143\n" in finished.stdout
    held.wait_until_let_go()
    assert_agreement(tmp_path, only_record(tmp_path), "cancelled")


def test_an_interrupt_from_the_keyboard_is_130_for_a_shell(tmp_path: Path) -> None:
    told, held = prepare(tmp_path, TELLS)
    process = start_words(tmp_path, bash(f"trap ':' INT; {RUN}; echo code $?"))
    told.wait_for("up")
    os.killpg(process.pid, signal.SIGINT)
    finished = finish(process)
    assert "code 130\n" in finished.stdout
    held.wait_until_let_go()


def test_in_a_pipe_whose_reader_is_interrupted_too(tmp_path: Path) -> None:
    told, held = prepare(tmp_path, TELLS)
    process = start_words(tmp_path, bash(f"{RUN} 2>&1 | cat"))
    told.wait_for("up")
    os.killpg(process.pid, signal.SIGINT)
    finish(process)
    held.wait_until_let_go()
    assert_agreement(tmp_path, only_record(tmp_path), "cancelled")


def test_a_reader_that_has_had_enough_ends_nothing(tmp_path: Path) -> None:
    """The first line is read, then stderr and stdout are closed, while the run goes on."""
    told, _ = prepare(tmp_path, WAITS)
    os.mkfifo(tmp_path / "go")
    process = start_words(tmp_path, bash(f"{RUN} -v 2>&1 | head -1; exit ${{PIPESTATUS[0]}}"))
    told.wait_for("up")
    (tmp_path / "go").write_text("go\n")
    finished = finish(process)
    assert (finished.code, finished.stdout, finished.stderr) == (0, "p:a started\n", "")
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")


def test_under_timeout(tmp_path: Path) -> None:
    """`timeout` sends SIGTERM when its time is over; we let it time out when the stage runs."""
    told, held = prepare(tmp_path, TELLS)
    process = start_words(tmp_path, bash(f"timeout --foreground 300 {RUN}; echo code $?"))
    told.wait_for("up")
    signal_program(process.pid, signal.SIGALRM, name="timeout")  # what its own alarm does
    finished = finish(process)
    assert "code 124\n" in finished.stdout
    held.wait_until_let_go()
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "cancelled")
    assert record.manifest["status_detail"] == "cancelled:signal: SIGTERM"


def test_nohup_keeps_it_going(tmp_path: Path) -> None:
    told, _ = prepare(tmp_path, WAITS)
    os.mkfifo(tmp_path / "go")
    process = start_words(tmp_path, ["nohup", *words("run")])
    told.wait_for("up")
    os.killpg(process.pid, signal.SIGHUP)
    (tmp_path / "go").write_text("go\n")
    assert finish(process).code == 0
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")


def test_a_background_job_of_a_script_ignores_the_keyboard_and_heeds_kill(tmp_path: Path) -> None:
    """A shell without job control starts background jobs with SIGINT ignored."""
    told, held = prepare(tmp_path, TELLS)
    process = start_words(tmp_path, bash(f"trap ':' INT; {RUN} & wait $!; wait $!; echo code $?"))
    told.wait_for("up")
    os.killpg(process.pid, signal.SIGINT)
    signal_program(process.pid, signal.SIGHUP)
    finished = finish(process)
    assert "code 129\n" in finished.stdout
    held.wait_until_let_go()
    record = only_record(tmp_path)
    assert record.manifest["status_detail"] == "cancelled:signal: SIGHUP"


def signal_program(parent: int, number: signal.Signals, *, name: str = "python") -> None:
    """The program that a shell has started."""
    os.kill(next(child for child in children(parent) if name in Path(f"/proc/{child}/comm").read_text()), number)


def children(parent: int) -> Iterator[int]:
    for task in Path(f"/proc/{parent}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def test_a_signal_that_keeps_back_the_next_attempt_ends_us_too(tmp_path: Path) -> None:
    """The last attempt has its word, and a loop around us still stops."""
    configure_stages(tmp_path, command("a", "exit 3", retry={"maxAttempts": 2, "backoffSeconds": 3600}))
    process = start(tmp_path, "run")
    wait_for_line(process, "p:a: attempt 1 failed, trying again")
    process.send_signal(signal.SIGINT)
    finished = finish(process)
    assert finished.code == -signal.SIGINT
    assert "p failed (SIGINT): failed 1 of 1" in finished.stdout
    assert_agreement(tmp_path, only_record(tmp_path), "failed")
