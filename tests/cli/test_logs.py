"""`logs`: what stages have printed, as it was, or made harmless for a terminal; and what they go on to print."""

import json
import os
import pty
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.cli.logs_text import Printer, harmless
from orchestrator_py.reading.stage_log import Piece
from tests.cli.running import (
    PATIENCE_SECONDS,
    command,
    configure,
    configure_stages,
    environment,
    finish,
    pipeline,
    run,
    start,
    subpipeline,
    wait_for_line,
    words,
)

BEL, ESC = "\x07", "\x1b"
RED = f"{ESC}[31mred{ESC}[0m"


@pytest.fixture
def two_stages(tmp_path: Path) -> Path:
    shell = r"printf 'one\ntwo'; echo oops >&2"
    configure_stages(tmp_path, command("a", shell), command("long", r"printf '\033[31mred\033[0m\033[2J\000é\n'"))
    assert run(tmp_path, "run").code == 0
    return tmp_path


def test_the_output_of_one_stage_is_printed_as_it_was(two_stages: Path) -> None:
    assert run(two_stages, "logs", "a", "--stream", "stdout").stdout == "one\ntwo"
    assert run(two_stages, "logs", "a", "--stream", "stderr").stdout == "oops\n"
    assert run(two_stages, "logs", "long").stdout == f"{RED}{ESC}[2J\0é\n"


def test_the_output_of_all_stages_has_their_names_in_front_of_each_line(two_stages: Path) -> None:
    lines = run(two_stages, "logs", "--stream", "stdout").stdout.split("\n")
    assert lines[:2] == ["a    | one", "a    | two"]
    assert lines[2].startswith("long | ")


def test_json_is_a_line_for_each_piece(two_stages: Path) -> None:
    lines = run(two_stages, "logs", "a", "--format", "json").stdout.splitlines()
    pieces = [json.loads(line) for line in lines]
    assert [list(piece) for piece in pieces] == [["stage", "stream", "attempt", "timestamp", "data"]] * len(pieces)
    assert "".join(piece["data"] for piece in pieces if piece["stream"] == "stdout") == "one\ntwo"


def test_a_terminal_gets_colours_and_nothing_that_could_move_it(two_stages: Path) -> None:
    master, slave = pty.openpty()
    done = subprocess.Popen(words("logs", "long"), cwd=two_stages, env=environment({"NO_COLOR": ""}), stdout=slave)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    assert done.wait(PATIENCE_SECONDS) == 0
    os.close(master)
    assert shown == f"{RED}é{ESC}[0m\r\n"


def test_a_torn_last_line_and_foreign_lines_are_passed_over(two_stages: Path) -> None:
    (log,) = (two_stages / ".runs" / "0101" / "cli").glob("*/commands/01-a.ndjson")
    with log.open("ab") as file:
        file.write(b'no json "exec:chunk"\n[1]\n{"type":"exec:chunk","stream":"stdout","data":5}\n{"type":"exec:chunk","stream":"std')
    done = run(two_stages, "logs", "a", "--stream", "stdout")
    assert (done.code, done.stdout, done.stderr) == (0, "one\ntwo", "")


def test_a_log_that_is_no_file_is_named_and_the_rest_is_printed(two_stages: Path) -> None:
    (log,) = (two_stages / ".runs" / "0101" / "cli").glob("*/commands/01-a.ndjson")
    log.unlink()
    os.mkfifo(log)
    done = run(two_stages, "logs")
    assert done.code == 0
    assert done.stdout.startswith("long | ")
    assert "01-a.ndjson: is no file" in done.stderr


def test_a_stage_that_is_not_there(two_stages: Path) -> None:
    done = run(two_stages, "logs", "lnog")
    assert (done.code, done.stdout) == (2, "")
    assert "has no stage 'lnog'; did you mean 'long'?" in done.stderr


def test_a_child_run_has_logs_of_its_own(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", subpipeline("sub", "child")), pipeline("child", command("a", "echo from the child")))
    assert run(tmp_path, "run").code == 0
    runs = [json.loads(path.read_text()) for path in (tmp_path / ".runs" / "0101" / "cli").glob("*/manifest.json")]
    parent = next(one["run_id"] for one in runs if one["parent_run_id"] is None)
    done = run(tmp_path, "logs", "--run", parent, "sub")
    assert done.code == 2
    child = done.stderr.partition("--run ")[2].partition("`")[0]
    assert run(tmp_path, "logs", "--run", child, "a").stdout == "from the child\n"


def test_a_long_line_in_many_pieces_costs_no_more_than_its_length() -> None:
    """Copying all that has come with each piece takes minutes."""
    written: list[str] = []
    printer = Printer(as_json=False, width=1, write=written.append)
    piece = Piece(stage="a", stream="stdout", attempt=1, timestamp="", data=1000 * "x")
    began = time.process_time()
    for _ in range(50_000):
        printer.print(piece)
    printer.end("a")
    assert len("".join(written)) == 50_000_000 + len("a | \n")
    assert time.process_time() - began < 10


def test_a_name_can_neither_speak_to_a_terminal_nor_end_a_line(tmp_path: Path) -> None:
    configure_stages(tmp_path, command(f"a{ESC}]0;title{BEL}\nb", "echo said"), command("c", "echo more"))
    assert run(tmp_path, "run").code == 0
    assert run(tmp_path, "logs").stdout == "a\ufffd]0;title\ufffd\ufffdb | said\nc             | more\n"


@pytest.mark.parametrize("arguments", [["a"], [], ["--follow"]])
def test_a_workflow_obeys_nothing_that_a_stage_has_printed(tmp_path: Path, arguments: list[str]) -> None:
    """Nor what stands in two pieces, or is the name of a stage."""
    shell = "printf ':'; sleep 0.1; echo ':error::x'; echo '  ::error::x'; printf 'a #'; sleep 0.1; echo '#[error]x'; echo '##[error]x' >&2"
    configure_stages(tmp_path, command("a", shell), command("::error::c", "echo ::error::x"))
    assert run(tmp_path, "run").code == 0
    obeying = {"GITHUB_ACTIONS": "true"}
    text = run(tmp_path, "logs", *arguments, variables=obeying).stdout
    assert text.count("error") >= 4
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())
    data = run(tmp_path, "logs", *arguments, "--format", "json", variables=obeying).stdout
    assert "##[" not in data
    assert json.loads(data.splitlines()[-1]) == json.loads(run(tmp_path, "logs", *arguments, "--format", "json").stdout.splitlines()[-1])


# Following ---------------------------------------------------------------------------------------------------------


def test_follow_prints_what_comes_until_the_run_has_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    configure_stages(tmp_path, command("a", "echo early; read word < go; echo $word"), command("b", "echo last"))
    process = start(tmp_path, "run")
    while run(tmp_path, "logs", "a").stdout != "early\n":
        assert process.poll() is None
    following = start(tmp_path, "logs", "--follow")
    assert following.stdout is not None
    assert following.stdout.readline() == "a | early\n"
    (tmp_path / "go").write_text("late\n")
    assert finish(process).code == 0
    finished = finish(following)
    assert (finished.code, finished.stdout, finished.stderr) == (0, "a | late\nb | last\n", "")


def test_follow_of_a_run_that_has_ended_prints_it_and_ends(two_stages: Path) -> None:
    assert run(two_stages, "logs", "a", "--stream", "stdout", "--follow").stdout == "one\ntwo"


def test_a_reader_who_goes_away_ends_it(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "yes | head -n 100000"))
    process = start(tmp_path, "run")
    wait_for_line(process, "succeeded")
    finish(process)
    line = f"{' '.join(words('logs', 'a'))} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "y\n", "")


# Terminals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain\tline", "plain\tline"),
        (RED, f"{RED}{ESC}[0m"),
        (f"a{ESC}[2Jb{ESC}[1;1Hc", "abc"),
        (f"a{ESC}]0;title{BEL}b{ESC}]8;;http://x{ESC}\\c", "abc"),
        (f"a{ESC}]52;c;unfinished", "a]52;c;unfinished"),
        (f"a{ESC}cb{ESC}(Bc\x9b2Jd", "abc2Jd"),
        ("over\rwritten\x08", "overwritten"),
    ],
)
def test_what_a_terminal_is_spared(line: str, shown: str) -> None:
    assert harmless(line, colour=True) == shown
    assert ESC not in harmless(line, colour=False)


@given(st.text(alphabet=st.sampled_from([*"\x1b[]0123456789;?Am\\P_^ ", "\x07", "\x9b", "\0", "\r"]), max_size=30))
def test_nothing_but_colour_is_left_of_control_sequences(line: str) -> None:
    without = harmless(line, colour=False)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in without)
    rest = harmless(line, colour=True)
    while ESC in rest:
        before, _, after = rest.partition(ESC)
        sequence = after[: after.index("m") + 1]
        assert sequence[0] == "["
        assert set(sequence[1:-1]) <= set("0123456789;:")
        rest = before + after[len(sequence) :]
