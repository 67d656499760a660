"""Judges the rollups below a folder: they have to be those of the history beside them. Approves with exit code 0."""

import json
import sys
from pathlib import Path

from command_line import TASK


def main() -> int:
    task = Path(sys.argv[1]) / ".runs" / TASK
    statuses = [json.loads(line)["status"] for line in (task / "metrics.json").read_text().splitlines()]
    rollup = json.loads((task / "metrics" / "post-rollout.json").read_text())
    expected = (len(statuses), statuses.count("succeeded"))
    written = (rollup["total_runs"], rollup["succeeded_runs"])
    print(f"{written[1]} of {written[0]} runs succeeded; the history says {expected[1]} of {expected[0]}")
    return 0 if written == expected else 1


if __name__ == "__main__":
    sys.exit(main())
