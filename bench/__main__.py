"""`python -m bench [WORKLOAD ...]`: measure, print, exit 0. Figures are told, never judged: machines differ and are noisy."""

import argparse
import json
import sys

from bench.report import as_data, as_text
from bench.runner import run_workload
from bench.workloads import WORKLOADS


def main(arguments: list[str] | None = None) -> int:
    """Run the named workloads, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures what the project claims, as ratios within one run.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="measurements of each case, in turns (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="factor on all sizes (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parsed = parser.parse_args(arguments)
    unknown = [name for name in parsed.workloads if name not in WORKLOADS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(WORKLOADS)}")
    if parsed.rounds < 1 or parsed.scale <= 0:
        parser.error("--rounds is at least 1, --scale more than 0")
    results = []
    for name in parsed.workloads or WORKLOADS:
        results.append(run_workload(name, rounds=parsed.rounds, scale=parsed.scale))
        if not parsed.json:
            print(as_text(results[-1]), flush=True)
    if parsed.json:
        print(json.dumps(as_data(results, scale=parsed.scale), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
