"""The repository's own pipelines that need nothing but a plain installation."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, environment


@pytest.mark.parametrize(("pipeline", "stages"), [("self-check", 6), ("diagnostics", 5)])
def test_what_this_repository_says_of_itself_is_true(pipeline: str, stages: int, tmp_path: Path) -> None:
    folders = ["--runs-dir", str(tmp_path / "runs"), "--out-dir", str(tmp_path / "out")]
    command = [sys.executable, "-m", "orchestrator_py", "run", pipeline, *folders]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"succeeded {stages} of {stages}" in done.stdout
