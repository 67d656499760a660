"""Runs the tests and writes their record to the file that is named. CHECK_PYTEST_ARGUMENTS, words of a shell, may choose among them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AROUND = ("CODEX_ORCHESTRATOR_", "MCP_RUNNER_", "BASE_SHA", "DIFF_BUDGET_")
"""What the run around us, or who has started it, has said to its stages is not meant for runs that the tests make."""


def main() -> int:
    chosen = shlex.split(os.environ.get("CHECK_PYTEST_ARGUMENTS", ""))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(AROUND)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the tests start the program a thousand times, and compiling it doubles a start
    shared = ("-n", "auto", "--dist", "worksteal")  # tests last from a millisecond to minutes: who has none left takes over the other's
    command = [sys.executable, "-m", "pytest", *shared, "-q", f"--junit-xml={sys.argv[1]}", *chosen]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
