"""Our command line, called in another folder: nothing of the run around us may redirect it."""

import json
import os
import subprocess
import sys
from pathlib import Path

TASK = "0101"
"""The task that a run belongs to if nobody names another."""


def call(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`python -m orchestrator_py ARGUMENTS --format json` in the folder."""
    around = ("CODEX_ORCHESTRATOR_", "MCP_RUNNER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(around)}
    command = [sys.executable, "-m", "orchestrator_py", *arguments, "--format", "json"]
    return subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def write_configuration(folder: Path, data: object) -> None:
    """The folder, made if need be, and its configuration file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "codex.orchestrator.json").write_text(json.dumps(data))
