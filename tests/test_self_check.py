"""The repository's own pipeline, which needs nothing but a plain installation."""

import subprocess
import sys
from pathlib import Path

from tests.test_docs import ROOT, environment


def test_the_self_check_of_this_repository_succeeds(tmp_path: Path) -> None:
    folders = ["--runs-dir", str(tmp_path / "runs"), "--out-dir", str(tmp_path / "out")]
    command = [sys.executable, "-m", "orchestrator_py", "run", "self-check", *folders]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "succeeded 6 of 6" in done.stdout
