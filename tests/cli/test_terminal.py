"""What a person sees in a terminal: a calm picture of what runs, what ended above it, and a terminal as it was, however it ends."""

import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import (
    Data,
    Fifo,
    Hold,
    assert_agreement,
    command,
    configure,
    configure_stages,
    only_record,
    pipeline,
    subpipeline,
    words,
)
from tests.cli.terminal import Terminal, needs_tmux, open_terminal

pytestmark = needs_tmux

RUN = shlex.join(words("run"))
BAR = "─"
FIRST_ROWS = "clear; "


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with open_terminal(tmp_path) as opened:
        yield opened


def waiting(stage_id: str, said: str) -> Data:
    return command(stage_id, f"printf '{said}'; read go < go")


def rows_after(screen: str) -> list[str]:
    """The rows below the bar."""
    rows = screen.split("\n")
    return rows[next(index for index, row in enumerate(rows) if BAR in row) + 1 :]


def test_what_runs_stands_below_the_bar_and_what_ended_above(tmp_path: Path, terminal: Terminal) -> None:
    Fifo(tmp_path / "go")
    stages = [command("first", "true"), waiting("build", r"one\ntwo\r\033[32mthree\033[0m\033[2J"), command("last", "true")]
    configure_stages(tmp_path, *stages)
    terminal.type(FIRST_ROWS + RUN)
    screen = terminal.wait_for("three")
    assert screen.startswith("p:first  succeeded")
    build, counts = rows_after(screen)
    assert build.split()[:2] == ["p:build", "three"]
    assert build.endswith(" s")
    assert len(build) == 79
    assert counts == "succeeded 1  running 1  waiting 1"
    assert "\x1b[32mthree" in terminal.screen(colours=True)
    (tmp_path / "go").write_text("go\n")
    rows = terminal.wait_for(lambda screen: "report:" in screen and screen.endswith("$")).split("\n")
    assert [row.split()[:2] for row in rows[:3]] == [["p:first", "succeeded"], ["p:build", "succeeded"], ["p:last", "succeeded"]]
    assert rows[3] == ""
    assert rows[4].startswith("p succeeded: succeeded 3 of 3 in ")
    assert BAR not in terminal.history()


def test_what_a_stage_prints_is_no_markup(tmp_path: Path, terminal: Terminal) -> None:
    Fifo(tmp_path / "go")
    configure_stages(tmp_path, waiting("a", "[bold red]not[/] :smile: [link=x]"))
    terminal.type(FIRST_ROWS + RUN)
    terminal.wait_for("[bold red]not[/] :smile: [link=x]")
    terminal.press("C-c")
    terminal.wait_for("report:")


CODES = {"C-c": 130, "kill": 143, "kill -9": 137, "C-z": 148}


@pytest.mark.parametrize("how", CODES)
def test_the_terminal_is_as_it_was(how: str, tmp_path: Path, terminal: Terminal) -> None:
    held, _ = Hold(tmp_path / "held"), Fifo(tmp_path / "go")
    configure_stages(tmp_path, command("a", "exec 9> held; read go < go"))
    terminal.type(f"{FIRST_ROWS}sh -c 'echo $$ > pid; exec {RUN}'")
    terminal.wait_for("running 1")
    if how.startswith("C-"):
        terminal.press(how)
    else:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL if how == "kill -9" else signal.SIGTERM)
    terminal.wait_for(lambda screen: screen.endswith("$"))
    assert terminal.cursor_is_visible()
    terminal.type("echo code $?; printf plain")
    terminal.wait_for("plain$")
    assert f"code {CODES[how]}" in terminal.screen()
    assert "\x1b[" not in terminal.screen(colours=True).split("\n")[-1]
    if how in ("C-c", "kill"):
        assert BAR not in terminal.history()
        assert_agreement(tmp_path, only_record(tmp_path), "cancelled")
    terminal.type("kill -9 %1; echo go > go")  # what we left there
    held.wait_until_let_go()


def test_it_follows_the_size_of_the_terminal(tmp_path: Path, terminal: Terminal) -> None:
    Fifo(tmp_path / "go")
    stages = [waiting(f"stage-{number}", f"said {number}") for number in range(8)]
    configure_stages(tmp_path, *stages, parallel=True)
    terminal.type(f"{FIRST_ROWS}{RUN} -j 8")
    terminal.wait_for(lambda screen: "p:stage-7" in screen and "said 7" in screen)
    terminal.resize(20, 24)
    narrow = terminal.wait_for(lambda screen: "said" not in screen and "p:stage-7" in screen)
    assert [len(row) <= 19 and row.endswith(" s") for row in narrow.split("\n")[-9:-1]] == [True] * 8
    terminal.resize(60, 10)
    small = terminal.wait_for(lambda screen: "and 5 more" in screen)
    assert [name for name in (f"p:stage-{number}" for number in range(8)) if name in small] == ["p:stage-0", "p:stage-1", "p:stage-2"]
    terminal.resize(60, 3)
    terminal.wait_for(lambda screen: "p:stage" not in screen and "running 8" in screen)
    terminal.resize(80, 24)
    terminal.wait_for(lambda screen: "said 7" in screen)
    (tmp_path / "go").write_text("go\n" * 8)
    terminal.press("C-c")  # a FIFO gives several readers their lines as it likes
    terminal.wait_for("report:")  # what a terminal has wrapped anew between two pictures may stay above it


def test_stages_of_sub_pipelines_have_rows_of_their_own(tmp_path: Path, terminal: Terminal) -> None:
    Fifo(tmp_path / "go")
    configure(tmp_path, pipeline("p", subpipeline("child", "inner")), pipeline("inner", waiting("a", "said")))
    terminal.type(FIRST_ROWS + RUN)
    screen = terminal.wait_for("said")
    assert [row.split()[0] for row in rows_after(screen)] == ["p:child", "inner:a", "running"]
    (tmp_path / "go").write_text("go\n")
    terminal.wait_for("report:")


@pytest.mark.parametrize("words", ["CI=true {}", "TERM=dumb {}", "{} --no-progress", "{} -q", "{} 2> >(cat >&2)"])
def test_lines_where_nobody_wants_a_picture(words: str, tmp_path: Path, terminal: Terminal) -> None:
    Fifo(tmp_path / "go")
    configure_stages(tmp_path, command("a", "true"), command("b", "false", allowFailure=True), command("c", "echo $$; read go < go"))
    terminal.type(FIRST_ROWS + words.format(RUN))
    terminal.wait_for("] p:b failed")
    (tmp_path / "go").write_text("go\n")
    terminal.wait_for("report:")
    assert BAR not in terminal.history()
    assert ("] p:a succeeded" in terminal.history()) is ("-q" not in words)


def test_verbose_lines_stand_above_the_picture(tmp_path: Path, terminal: Terminal) -> None:
    Fifo(tmp_path / "go")
    configure_stages(tmp_path, waiting("a", r"one\ntwo\n"))
    terminal.type(f"{FIRST_ROWS}{RUN} -v")
    screen = terminal.wait_for(lambda screen: "a | two" in screen and BAR in screen)
    assert screen.split("\n")[:3] == ["p:a started", "p:a | one", "p:a | two"]
    (tmp_path / "go").write_text("go\n")
    terminal.wait_for("report:")
