"""Style, format, types and floors: each runs even if an earlier one has failed, so that one call shows everything."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
SOURCES = ["orchestrator_py", "tests", "bench", "examples", "scripts"]
STEPS = {
    "style": [PYTHON, "-m", "ruff", "check", "--quiet", *SOURCES],
    "format": [PYTHON, "-m", "ruff", "format", "--check", "--quiet", *SOURCES],
    "types": [PYTHON, "-m", "mypy", "--no-pretty", "--no-error-summary"],
    "floors": [str(Path(PYTHON).with_name("lint-imports"))],
}


def passes(name: str, command: list[str]) -> bool:
    """What it prints is shown if it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(f"{name}:\n{done.stdout}", flush=True)
    return done.returncode == 0


def main() -> int:
    failed = [name for name, command in STEPS.items() if not passes(name, command)]
    print(f"failed: {', '.join(failed)}" if failed else f"{', '.join(STEPS)}: nothing to say")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
