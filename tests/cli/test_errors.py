"""What cannot run is refused before anything is started or written, and the message says what, where and what to do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import Finished, command, configure, configure_stages, environment, finish, pipeline, run, snapshot, start_words


def assert_refused(folder: Path, finished: Finished, code: int, *parts: str) -> None:
    """With this code, one JSON document on stdout, and nothing but the configuration in the folder."""
    assert finished.code == code, finished.stderr
    document = finished.document()
    assert document == {"error": document["error"], "exit_code": code}
    for part in parts:
        assert part in str(document["error"])
    assert str(document["error"]).split("\n")[0] in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (folder / ".runs").is_dir()
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (None, ["codex.orchestrator.json is missing. Create it; the smallest one is {", '"command": "npm test"']),
        ("{\n  nonsense", ["codex.orchestrator.json:2:3: not JSON"]),
        (
            '{"pipelines": [{"id": "p", "stages": [{"kind": "command", "id": "a", "comand": "true"}, {"kind": "comand"}]}]}',
            [
                "codex.orchestrator.json: $.pipelines[0].stages[0]",
                "did you mean 'command'?",
                "codex.orchestrator.json: $.pipelines[0].stages[1].kind",
            ],
        ),
        (
            '{"pipelines": [{"id": "p", "stages": [{"kind": "command", "id": "a", "command": "true", "needs": ["b"]}]}]}',
            ["codex.orchestrator.json: $.pipelines[0].stages[0].needs: pipeline 'p' has no stage 'b'"],
        ),
    ],
)
def test_a_configuration_that_cannot_run(tmp_path: Path, text: str | None, parts: list[str]) -> None:
    if text is not None:
        (tmp_path / "codex.orchestrator.json").write_text(text)
    for name in ("run", "plan"):
        assert_refused(tmp_path, run(tmp_path, name, "--format", "json"), 2, *parts)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "diagnostic"], ["Pipeline 'diagnostic' not found.", "did you mean 'diagnostics'?"]),
        (["run", ""], ["The name of the pipeline is empty; name one"]),
        (["run", "--task", "a/b"], ['Invalid task ID "a/b": slashes are not allowed.']),
        (["run", "--task", ".."], ['Invalid task ID "..": leading dots are not allowed.']),
        (["run", "--task", ""], ["Invalid task ID: value must be a non-empty string."]),
        (["run", "--task", "local-mcp"], ['Invalid task ID "local-mcp": the runs folder keeps something else under that name']),
        (["run", "-j", "0"], ["argument -j/--jobs: '0' is not a whole number from 1", "orchestrator-py run --help tells more"]),
        (["run", "--grace", "nan"], ["argument --grace: 'nan' is not a number of seconds from 0 to 86400"]),
        (["run", "--on-failure", "explode"], ["argument --on-failure: invalid choice: 'explode'"]),
        (["run", "--runs-dir", ""], ["argument --runs-dir: the path is empty"]),
        (["run", "--root", "nowhere"], ["nowhere: there is no such folder; name the repository with --root."]),
        (["run", "--config", "nowhere.json"], ["nowhere.json is missing."]),
        (["walk"], ["argument COMMAND: invalid choice: 'walk'"]),
        (["run", "diagnostics", "more"], ["unrecognized arguments: more"]),
    ],
)
def test_words_that_make_no_sense(tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    configure(tmp_path, pipeline("diagnostics", command("a", "touch started")))
    assert_refused(tmp_path, run(tmp_path, *arguments, "--format=json"), 2, *parts)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("value", "reason"),
    [("a:b", 'Invalid task ID "a:b": character ":" is not allowed.'), ("", "Invalid task ID: value must be a non-empty string.")],
)
def test_a_bad_task_of_the_environment_is_named_as_such(tmp_path: Path, value: str, reason: str) -> None:
    configure_stages(tmp_path, command("a", "true"))
    finished = run(tmp_path, "run", "--format", "json", variables={"MCP_RUNNER_TASK_ID": value})
    assert_refused(tmp_path, finished, 2, f'Invalid MCP_RUNNER_TASK_ID "{value}": {reason}')


def test_a_run_that_its_environment_makes_impossible_leaves_nothing(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "touch started"))
    finished = run(tmp_path, "run", "--format", "json", variables={"TFGRPO_GROUP_SIZE": "5"})
    assert_refused(tmp_path, finished, 2, "exceeds available scheduling capacity")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("name", [".runs", "out", ".runs/0101"])
def test_a_file_where_a_folder_belongs_stops_the_run_before_it_starts(tmp_path: Path, name: str) -> None:
    configure_stages(tmp_path, command("a", "touch started"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    finished = run(tmp_path, "run", "--format", "json")
    assert finished.code == 74
    assert f"{tmp_path / name}: is a file where a folder belongs; move it away." in finished.stderr
    assert finished.document()["exit_code"] == 74
    assert not (tmp_path / "started").exists()
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    line = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    finished = finish(start_words(tmp_path, ["bash", "-c", line, "bash", sys.executable, "-m", "orchestrator_py", "run"]))
    assert finished.code == 2
    assert finished.stderr.endswith("The current folder is gone; change to another one, or name the repository with --root.\n")


def test_keys_without_effect_are_told_once_and_a_plan_starts_nothing(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", command("a", "touch started"), runtimeMode="cli"), pipeline("q", runtimeMode="cli"))
    before = snapshot(tmp_path)
    finished = run(tmp_path, "plan", "--format", "json")
    assert finished.code == 0
    assert finished.stderr.count("warning") == 1
    assert "runtimeMode (at $.pipelines[0] and 1 more)" in finished.stderr
    document = finished.document()
    assert list(document) == ["pipeline", "stages", "plan", "targetId", "edges"]
    assert document["targetId"] == "p:a"
    assert snapshot(tmp_path) == before


def test_windows_is_refused_in_one_sentence(tmp_path: Path) -> None:
    code = "import sys; sys.platform = 'win32'; from orchestrator_py.__main__ import main; sys.exit(main(['run']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "orchestrator-py needs Linux or macOS: it relies on process groups and kernel file locks.\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["run", "--help"]])
def test_help_imports_little(tmp_path: Path, arguments: list[str]) -> None:
    code = f"""
import json, sys
from orchestrator_py.__main__ import main
code = main({arguments!r})
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})), file=sys.stderr)
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith(("usage: orchestrator-py", "orchestrator-py "))
    assert not {"anyio", "asyncio", "cattrs", "attr", "attrs", "aiofiles"} & set(json.loads(done.stderr))


def test_a_plan_imports_no_event_loop(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    code = """
import sys
from orchestrator_py.__main__ import main
sys.exit(main(["plan"]) or bool({"anyio", "asyncio"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "p: p (1 stage)\n  1  a  true  (target)\n"


def test_the_help_of_run_explains_the_exit_codes(tmp_path: Path) -> None:
    text = run(tmp_path, "run", "--help").stdout
    for code in (0, 1, 2, 3, 4, 5, 6, 8, 70, 74):
        assert f"\n  {code} " in text
    assert "130, 143, 129" in text
