"""Runs one small pipeline for every verdict in the folder that is named; each has to end with its exit code."""

import sys
from pathlib import Path

from command_line import call, write_configuration

STAGES: dict[int, dict[str, object]] = {
    0: {"command": "true"},
    1: {"command": "exit 9"},
    3: {"command": "true", "review": "echo not like this; exit 1"},
    4: {"command": "sleep 60", "timeoutSeconds": 0.1},
    5: {"command": "true", "plan": {"runnable": False}},
    6: {"command": "kill -KILL $$"},
}
"""Exit code -> the only stage of a pipeline that ends with it."""


def main() -> int:
    folder = Path(sys.argv[1])
    stages = {code: {"kind": "command", "id": "only", "title": f"Ends with {code}", **stage} for code, stage in STAGES.items()}
    write_configuration(folder, {"pipelines": [{"id": f"exit-{code}", "title": "One stage", "stages": [stages[code]]} for code in stages]})
    codes = {code: call(folder, "run", f"exit-{code}").returncode for code in stages}
    print("\n".join(f"expected {expected}, got {got}" for expected, got in codes.items()))
    return 0 if all(expected == got for expected, got in codes.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
