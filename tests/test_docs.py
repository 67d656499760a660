"""What the documentation shows is true: its programs run, its configurations load, its links lead somewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_py.core.configuration import parse_configuration

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TESTED_ELSEWHERE = {"docs/metrics.md"}  # by tests/cli/test_metrics_page.py, with a history to show
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def environment() -> dict[str, str]:
    """Ours without what a surrounding run may have put there, with the installed commands first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX_", "MCP_", "TFGRPO_", "FEATURE_"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": str(ROOT)}


def run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("page", [name for name in NAMES if blocks(name, "python")])
def test_every_program_on_a_page_runs(page: str, tmp_path: Path) -> None:
    for program in blocks(page, "python"):
        done = run([sys.executable, "-W", "error", "-c", program], tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Outcome.SUCCEEDED" in done.stdout


@pytest.mark.parametrize("page", [name for name in NAMES if blocks(name, "json")])
def test_every_configuration_on_a_page_can_run(page: str) -> None:
    for text in blocks(page, "json"):
        assert parse_configuration(json.loads(text), source=page).warnings == ()


@pytest.mark.parametrize("page", [name for name in NAMES if blocks(name, "console") and name not in TESTED_ELSEWHERE])
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    """All in one folder, in the order of the page, with the configuration of the README."""
    (tmp_path / "codex.orchestrator.json").write_text(blocks("README.md", "json")[0])
    (tmp_path / "Makefile").write_text("build test:\n\t@echo $@\nlint:\n\t@exit 3\n")
    shown = [line.removeprefix("$ ") for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
    assert shown
    for command in shown:
        done = run(["sh", "-c", command.replace("orchestrator-py ", f"{sys.executable} -m orchestrator_py ", 1)], tmp_path)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    if (tmp_path / "report.json").exists():
        assert json.loads((tmp_path / "report.json").read_text())["outcome"] == "succeeded"


@pytest.mark.parametrize("page", NAMES)
def test_every_link_between_pages_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_the_readme_shows_two_commands_and_ci_runs_them() -> None:
    assert len(blocks("README.md", "sh")) == 2
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_the_readme_fits_on_a_page_or_two() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130
