"""`init`, `validate`, `schema`, `completion` and `plan`: about the configuration, starting nothing."""

import json
import subprocess
from pathlib import Path

import pytest

from orchestrator_py.cli.init_command import look_at
from tests.cli.running import command, configure, configure_stages, environment, finish, pipeline, run, start_words, subpipeline, words

CONFIG = "codex.orchestrator.json"


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


# init --------------------------------------------------------------------------------------------------------------


def test_init_writes_what_validate_accepts_and_run_runs(tmp_path: Path) -> None:
    put(tmp_path, Makefile="build:\n\ttrue\ntest: build\n\ttrue\nNAME := x\n.PHONY: test\n")
    assert run(tmp_path, "init").code == 0
    assert run(tmp_path, "validate").stdout.endswith("valid, 1 pipeline with 2 stages\n")
    assert run(tmp_path, "run", "--format", "json").document()["outcome"] == "succeeded"


def test_init_never_writes_over_a_configuration(tmp_path: Path) -> None:
    put(tmp_path, codex__orchestrator__json="mine")
    done = run(tmp_path, "init")
    assert done.code == 2
    assert CONFIG in done.stderr
    assert (tmp_path / CONFIG).read_text() == "mine"


def test_what_init_cannot_write_is_not_left_half(tmp_path: Path) -> None:
    line = 'ulimit -f 0; exec "$@"'
    done = finish(start_words(tmp_path, ["bash", "-c", line, "bash", *words("init")]))
    assert done.code == 74
    assert f"{CONFIG}: cannot write it: File too large." in done.stderr
    assert not (tmp_path / CONFIG).exists()


def test_a_dry_run_of_init_prints_the_file_and_writes_nothing(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "init", "--dry-run").stdout)["defaultPipeline"] == "checks"
    assert list(tmp_path.iterdir()) == []


def test_init_finds_what_each_kind_of_project_offers(tmp_path: Path) -> None:
    put(tmp_path, pyproject__toml="[tool.ruff]\n[tool.mypy]\n", package__json='{"scripts": {"lint": "x", "test": "y"}}', Cargo__toml="")
    put(tmp_path, pnpm_lock="", uv__lock="", Makefile="docs:\n")
    (tmp_path / "pnpm_lock").rename(tmp_path / "pnpm-lock.yaml")
    (tmp_path / "tests").mkdir()
    found = look_at(tmp_path)
    assert found.python_tools == {"ruff", "mypy", "pytest"}
    assert found.node_scripts == {"lint", "test"}
    assert found.make_targets == {"docs"}
    assert (found.manager, found.runner, found.rust) == ("pnpm", "uv run ", True)


def test_files_that_make_no_sense_say_nothing(tmp_path: Path) -> None:
    put(tmp_path, pyproject__toml="[[[", package__json='{"scripts": 3}')
    (tmp_path / "Makefile").mkdir()
    found = look_at(tmp_path)
    assert (found.python_tools, found.node_scripts, found.make_targets) == (frozenset(),) * 3


# validate ----------------------------------------------------------------------------------------------------------


def test_validate_names_every_problem_with_its_place(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true", needs=["b"]), command("c", "", timeoutSeconds=-1))
    for asked in (["validate"], ["validate", "--format", "json"]):
        done = run(tmp_path, *asked)
        assert done.code == 2
        for place in ("$.pipelines[0].stages[0].needs", "$.pipelines[0].stages[1].command", "$.pipelines[0].stages[1].timeoutSeconds"):
            assert place in done.stderr
    document = run(tmp_path, "validate", "--format", "json").document()
    assert document["valid"] is False
    assert isinstance(document["problems"], list)
    assert len(document["problems"]) == 3


def test_validate_tells_a_configuration_that_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "validate", "--config", "nowhere.json")
    assert done.code == 2
    assert "nowhere.json is missing" in done.stderr


def test_validate_as_json_tells_the_pipelines(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", command("a", "true")), pipeline("q"))
    document = run(tmp_path, "validate", "--format", "json").document()
    assert (document["valid"], document["problems"]) == (True, [])
    assert document["pipelines"] == [{"id": "p", "stages": 1}, {"id": "q", "stages": 0}]


# schema and completion -----------------------------------------------------------------------------------------------


def test_schema_prints_the_shipped_schema(tmp_path: Path) -> None:
    document = run(tmp_path, "schema").document()
    assert document["title"] == CONFIG


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_completion_script_is_one_that_the_shell_understands(tmp_path: Path, shell: str) -> None:
    script = run(tmp_path, "completion", shell).stdout
    assert "validate" in script
    assert "--on-failure" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_bash_completes_commands_and_flags(tmp_path: Path) -> None:
    script = run(tmp_path, "completion", "bash").stdout
    (tmp_path / "script").write_text(script)
    ask = "COMP_WORDS=(orchestrator-py val); COMP_CWORD=1; $(complete -p orchestrator-py | grep -o -- '-F [^ ]*' | cut -c4-)"
    asked = f"source ./script; {ask}; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["validate"], done.stderr


def test_without_the_extra_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "shtab.py").write_text("raise ImportError")
    done = run(tmp_path, "completion", "bash", variables={"PYTHONPATH": f"{tmp_path}:{environment()['PYTHONPATH']}"})
    assert done.code == 2
    assert "pip install 'orchestrator-py[completion]'" in done.stderr


# plan --------------------------------------------------------------------------------------------------------------


def test_plan_shows_the_step_of_each_stage_and_what_is_in_a_sub_pipeline(tmp_path: Path) -> None:
    stages = [command("lint", "make lint"), command("test", "make test", needs=["build"]), command("build", "make build")]
    configure(tmp_path, pipeline("p", *stages, subpipeline("docs", "q", needs=["test"]), parallel=True), pipeline("q", command("x", "y")))
    lines = run(tmp_path, "plan").stdout.splitlines()
    assert [line.split("  (")[0].rstrip() for line in lines[1:]] == [
        "  1  lint   make lint",
        "     build  make build",
        "  2  test   make test",
        "  3  docs   pipeline q",
        "       1  x  y",
    ]


def test_plan_as_json_is_a_graph(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "x"), command("b", "y", needs=["a"]), command("c", "z", needs=["a", "b"]))
    document = run(tmp_path, "plan", "--format", "json").document()
    assert document["edges"] == [{"from": "a", "to": "b"}, {"from": "a", "to": "c"}, {"from": "b", "to": "c"}]
    stages = document["stages"]
    assert isinstance(stages, list)
    assert [(stage["id"], stage["step"]) for stage in stages] == [("a", 1), ("b", 2), ("c", 3)]


def test_stages_that_run_one_after_the_other_are_a_step_each(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "x"), command("b", "y"))
    lines = run(tmp_path, "plan").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["1", "a"], ["2", "b"]]
