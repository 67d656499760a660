"""Where a run works, and what its stages are given: flags, then the environment, then what is found."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.running import (
    PROJECT,
    as_object,
    assert_agreement,
    command,
    configure,
    configure_stages,
    entries,
    only_record,
    pipeline,
    records,
    run,
    words,
)

SHOW = "env > seen; pwd >> seen"


def seen(file: Path) -> Mapping[str, str]:
    """The environment that a stage wrote down, and its folder as `folder`."""
    *lines, folder = file.read_text().splitlines()
    return {**dict(line.split("=", 1) for line in lines if "=" in line), "folder": folder}


def test_what_a_stage_is_given(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    configure_stages(
        tmp_path,
        command("a", SHOW, cwd="sub", env={"COLOUR": "blue", "CODEX_ORCHESTRATOR_TASK_ID": "mine"}),
        command("b", SHOW, test="cp seen tested"),
    )
    finished = run(tmp_path, "run", "--task", "T-1", "--format", "json", variables={"COLOUR": "red", "KEPT": "yes"})
    assert finished.code == 0, finished.stderr
    record = only_record(tmp_path, "T-1")
    expected = {
        "TASK_ID": "T-1",
        "RUN_ID": str(record.manifest["run_id"]),
        "PIPELINE_ID": "p",
        "MANIFEST_PATH": str(record.folder / "manifest.json"),
        "RUN_DIR": str(record.folder),
        "RUNS_DIR": str(tmp_path / ".runs"),
        "OUT_DIR": str(tmp_path / "out"),
        "REPO_ROOT": str(tmp_path),
        "ROOT": str(tmp_path),
    }
    first, second = seen(tmp_path / "sub" / "seen"), seen(tmp_path / "seen")
    assert {name: second[f"CODEX_ORCHESTRATOR_{name}"] for name in expected} == expected
    assert (second["COLOUR"], second["KEPT"], second["folder"]) == ("red", "yes", str(tmp_path))
    assert (first["COLOUR"], first["CODEX_ORCHESTRATOR_TASK_ID"]) == ("blue", "mine")  # the stage's own wins
    assert (first["KEPT"], first["folder"]) == ("yes", str(tmp_path / "sub"))
    assert (tmp_path / "tested").exists()


def test_the_file_is_found_in_a_folder_above(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", SHOW))
    below = tmp_path / "x" / "y"
    below.mkdir(parents=True)
    assert run(below, "run").code == 0
    assert seen(tmp_path / "seen")["folder"] == str(tmp_path)
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")
    assert list(below.iterdir()) == []


def test_a_flag_beats_the_environment_which_beats_the_default(tmp_path: Path) -> None:
    """For every setting at once: three runs, each with one layer more."""
    flags, variables = tmp_path / "flags", tmp_path / "variables"
    for folder in (tmp_path, flags, variables):
        folder.mkdir(exist_ok=True)
        configure_stages(folder, command("a", SHOW), command("b", "true"), command("c", "true"))
    (tmp_path / "other.json").write_text((tmp_path / "codex.orchestrator.json").read_text().replace('"p"', '"other"'))
    env = {
        "CODEX_ORCHESTRATOR_ROOT": str(variables),
        "CODEX_ORCHESTRATOR_RUNS_DIR": "env-runs",
        "CODEX_ORCHESTRATOR_OUT_DIR": "env-out",
        "CODEX_ORCHESTRATOR_TARGET_STAGE": "b",
        "MCP_RUNNER_TASK_ID": "env-task",
    }
    told = [
        "--root",
        "flags",
        "--runs-dir",
        "flag-runs",
        "--out-dir",
        "flag-out",
        "--target",
        "c",
        "--task",
        "flag-task",
        "--config",
        "other.json",
    ]
    cases: list[tuple[list[str], dict[str, str], Path, Path, Path, str, str]] = [
        ([], {}, tmp_path, tmp_path / ".runs", tmp_path / "out", "0101", "p:a"),
        ([], env, variables, tmp_path / "env-runs", tmp_path / "env-out", "env-task", "p:b"),
        (told, env, flags, tmp_path / "flag-runs", tmp_path / "flag-out", "flag-task", "other:c"),
    ]
    for arguments, given, root, runs, out, task, target in cases:
        finished = run(tmp_path, "run", "--format", "json", *arguments, variables=given)
        assert finished.code == 0, finished.stderr
        manifest = as_object(json.loads((root / str(finished.document()["manifest"])).read_text()))
        assert (manifest["task_id"], manifest["plan_target_id"]) == (task, target)
        assert (runs / task / "metrics.json").is_file()
        assert (out / task / "state.json").is_file()
        assert seen(root / "seen")["CODEX_ORCHESTRATOR_REPO_ROOT"] == str(root)


def test_the_environment_names_the_configuration_too(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    file = configure(tmp_path / "there", pipeline("there", command("a", "true")))
    finished = run(tmp_path, "plan", variables={"CODEX_ORCHESTRATOR_REPO_CONFIG_PATH": str(file)})
    assert (finished.code, finished.stdout.split(":")[0]) == (0, "there")


@pytest.mark.parametrize("variables", [{}, {"CODEX_ORCHESTRATOR_TARGET_STAGE": "biuld"}], ids=["flag", "environment"])
def test_a_target_that_matches_nothing_is_told(tmp_path: Path, variables: dict[str, str]) -> None:
    configure_stages(tmp_path, command("lint", "true"), command("build", "true", plan={"aliases": ["make"]}))
    arguments = [] if variables else ["--target", "biuld"]
    finished = run(tmp_path, "plan", *arguments, variables=variables)
    assert finished.code == 0
    assert "warning: no stage of pipeline 'p' matches the target 'biuld', which has no effect; did you mean 'build'?" in finished.stderr
    assert run(tmp_path, "plan", "--target", "P:MAKE").stderr == ""


def test_the_folders_of_a_run(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "echo x; exit 1"))
    assert run(tmp_path, "run").code == 1
    record = only_record(tmp_path)
    run_id = str(record.manifest["run_id"])
    runs = tmp_path / ".runs"
    link = runs / "local-mcp" / run_id / "manifest.json"
    assert not os.path.isabs(os.readlink(link))
    assert link.resolve() == record.folder / "manifest.json"
    pointer = as_object(json.loads((runs / "0101" / "mcp" / run_id / "manifest.json").read_text()))
    assert tmp_path / str(pointer["manifest"]) == record.folder / "manifest.json"
    assert (tmp_path / str(record.manifest["compat_path"])) == runs / "0101" / "mcp" / run_id
    assert (runs / ".gitignore").read_text() == "*\n"
    assert len((record.folder / ".resume-token").read_text()) == 65
    assert sorted(path.name for path in record.folder.iterdir()) == [
        ".heartbeat",
        ".resume-token",
        "commands",
        "errors",
        "events.jsonl",
        "manifest.json",
        "run-summary.json",
        "runner.ndjson",
    ]
    assert (record.folder / "errors" / "01-a.json").is_file()
    assert list(tmp_path.rglob("*.tmp-*")) == []


def test_a_stage_may_run_the_command_line_itself(tmp_path: Path) -> None:
    """Of the same task, which the outer run owns meanwhile."""
    inner = f"PYTHONPATH={PROJECT} {' '.join(words('run', 'inner'))}"
    configure(tmp_path, pipeline("outer", command("a", inner)), pipeline("inner", command("b", "true")))
    assert run(tmp_path, "run").code == 0
    assert sorted(str(entry["pipeline_id"]) for entry in entries(tmp_path)) == ["inner", "outer"]
    for record in records(tmp_path):
        assert_agreement(tmp_path, record, "succeeded")
        assert record.manifest["parent_run_id"] is None


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no file system in memory to try")
def test_that_a_disk_in_memory_outlasts_no_power_is_said_once() -> None:
    with TemporaryDirectory(dir="/dev/shm") as name:
        configure_stages(Path(name), command("a", "true"), command("b", "true"))
        done = run(Path(name), "run")
    assert done.code == 0
    assert [line for line in done.stderr.splitlines() if "in memory" in line] == [
        "warning: /dev/shm is a file system in memory (tmpfs): what is recorded there does not outlast the power"
    ]
