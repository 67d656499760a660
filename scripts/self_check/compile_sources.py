"""Compiles every Python file of the repository, in memory."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("orchestrator_py", "tests", "bench", "examples", "scripts")


def main() -> int:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    for file in files:
        compile(file.read_bytes(), file, "exec", dont_inherit=True)  # a SyntaxError names file and line
    print(f"{len(files)} files compile")
    return 0 if files else 1


if __name__ == "__main__":
    sys.exit(main())
