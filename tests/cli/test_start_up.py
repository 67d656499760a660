"""A start imports what its command needs, seen in a real process."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator_py import __version__
from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.exit_codes import code_of_outcome
from orchestrator_py.model.outcome import Outcome
from tests.cli.running import command, configure_stages, environment, run

LOOPS_AND_CLASSES = {"asyncio", "anyio", "aiofiles", "attr", "attrs", "cattrs"}
SLOW_EVERYWHERE = {"dataclasses", "inspect", "pathlib", "shutil", "statistics", "subprocess", "tempfile", "textwrap"}

_CODE = """
import sys
from orchestrator_py.__main__ import main
code = main({arguments!r})
print(*sys.modules, file=sys.__stderr__)
sys.exit(code)
"""


def imported(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """Exit code, and the modules that a process which ran the command has imported."""
    line = [sys.executable, "-c", _CODE.format(arguments=list(arguments))]
    done = subprocess.run(line, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    return done.returncode, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["run", "--help"], 0),
        (["metrics", "prune", "--help"], 0),
        (["status", "--help"], 0),
        ([], 2),
        (["statsu"], 2),
        (["run", "--jobs", "0"], 2),
        (["report", "--last", "0"], 2),
    ],
)
def test_help_version_and_wrong_words_need_a_parser_and_nothing_else(tmp_path: Path, arguments: list[str], code: int) -> None:
    found_code, modules = imported(tmp_path, *arguments)
    assert found_code == code
    assert modules & {*LOOPS_AND_CLASSES, *SLOW_EVERYWHERE, "typing", "json", "importlib.metadata"} == set()
    assert not any(name.startswith(("orchestrator_py.store", "orchestrator_py.app", "orchestrator_py.model")) for name in modules)


@pytest.mark.parametrize(
    "arguments", [["status"], ["status", "--format", "json"], ["runs"], ["report"], ["report", "--format", "json"], ["logs"]]
)
def test_reading_back_needs_the_standard_library_alone(tmp_path: Path, arguments: list[str]) -> None:
    configure_stages(tmp_path, command("a", "echo a"))
    assert run(tmp_path, "run").code == 0
    code, modules = imported(tmp_path, *arguments)
    assert code == 0
    assert modules & {*LOOPS_AND_CLASSES, *SLOW_EVERYWHERE, "typing"} == set()


def test_totals_need_no_parser_and_no_calendar(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    code, modules = imported(tmp_path, "report", "--format", "json")
    assert code == 0
    assert modules & {"argparse", "datetime", "heapq", "locale"} == set()
    assert len([name for name in modules if name.startswith("orchestrator_py")]) <= 32


def test_a_run_imports_what_it_uses(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    code, modules = imported(tmp_path, "run")
    assert code == 0
    rooms = {"executors", "dashboard", "exports", "guards", "pages", "reading"}
    assert "argparse" not in modules
    others = {"cli.event_printer", "cli.github", "cli.junit", "cli.live", "cli.progress_output", "store.memory"}
    assert {name for name in modules if name.removeprefix("orchestrator_py.").partition(".")[0] in rooms} == set()
    assert modules & {f"orchestrator_py.{name}" for name in others} == set()


_ATTRS = """
import linecache, sys
from orchestrator_py.__main__ import main
code = main(["run"])
written = (name for name in linecache.cache if name.startswith("<attrs generated") and "orchestrator_py" in name)
print(*written, sep="\\n", file=sys.__stderr__)
sys.exit(code)
"""


def test_attrs_writes_next_to_nothing_for_a_run(tmp_path: Path) -> None:
    """What it writes and compiles for all classes would take a quarter of a start."""
    configure_stages(tmp_path, command("a", "true"))
    done = subprocess.run([sys.executable, "-c", _ATTRS], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    written = [line for line in done.stderr.splitlines() if line.startswith("<attrs generated")]
    assert len(written) <= 2


def test_the_version_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "--version")
    assert (done.code, done.stdout) == (0, f"orchestrator-py {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["statsu"], "invalid choice: 'statsu'; did you mean 'status'?"),
        (["xyz"], "invalid choice: 'xyz'; known: run, resume, plan"),
        (["report", "--format", "jsno"], "invalid choice: 'jsno'; did you mean 'json'?"),
        (["--format", "json", "status"], "invalid choice: 'json'; known: run, resume, plan"),
    ],
)
def test_who_mistypes_is_told_what_was_meant(tmp_path: Path, arguments: list[str], hint: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.code == 2
    assert hint in done.stderr


def test_help_fits_the_terminal_and_keeps_line_breaks(tmp_path: Path) -> None:
    for columns, most in (("72", 72), ("200", 200)):
        lines = run(tmp_path, "run", "--help", variables={"COLUMNS": columns}).stdout.splitlines()
        assert max(map(len, lines)) <= most
        assert "  74  the run, or its report, could not be written" in lines


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    (choices,) = (action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return choices


def test_every_parser_is_made_for_who_asks_for_all_and_each_for_who_asks_for_it() -> None:
    """What a command says of itself does not depend on whether the others are made too."""
    whole = create_parser()
    usages = {name: parser.format_help() for name, parser in commands_of(whole).items()}
    assert {"run", "status", "runs", "report", "logs", "metrics"} <= set(usages)
    for name, usage in usages.items():
        assert commands_of(create_parser([name]))[name].format_help() == usage
    assert create_parser(["run"]).format_help() == whole.format_help()


def test_every_outcome_has_a_code_of_its_own() -> None:
    assert len({code_of_outcome(outcome) for outcome in Outcome}) == len(Outcome)
