"""`python -m bench run|compare|doctor|profile|scale|guards|dask|dashboard`."""

import json
import os
import sys
from argparse import Namespace

from bench.arguments import create_parser
from bench.dashboard import measure_dashboard
from bench.dask import measure_dask
from bench.doctor import doctor
from bench.document import as_data, compare
from bench.errors import BenchError
from bench.machine import describe_machine
from bench.profiling import profile
from bench.rounds import run_workload, session
from bench.scale.arguments import create_scenario
from bench.scale.report import simulate
from bench.sdists import PACKAGES, guard_package
from bench.table import lines
from bench.workloads import WORKLOADS


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, whatever was missed; 1 if something could not be measured at all."""
    parsed = create_parser().parse_args(arguments)
    try:
        match parsed.command:
            case "run":
                _run(parsed)
            case "compare":
                print("\n".join(compare(parsed.first, parsed.second)))
            case "doctor":
                return doctor(parsed.folder, installing=parsed.install)
            case "guards":
                with session(parsed.folder) as shared:
                    for name in parsed.packages or PACKAGES:
                        print("\n".join(guard_package(name, shared)), flush=True)
            case "dashboard":
                print("\n".join(measure_dashboard(parsed.folder, parsed.seconds)))
            case "dask":
                print("\n".join(measure_dask(parsed.workers, parsed.reps)))
            case "scale":
                return simulate(create_scenario(parsed))
            case _:
                with session(parsed.folder) as shared:
                    print("\n".join(profile(parsed.workload, scale=parsed.scale, shared=shared, peers=parsed.folder)))
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(parsed: Namespace) -> None:
    """Tables as they come, the document at the end."""
    measured = []
    with session(parsed.folder) as shared:
        machine = describe_machine(shared)
        print(", ".join(f"{name}: {value}" for name, value in machine.items()), end="\n\n", flush=True)
        for name in parsed.workloads or WORKLOADS:
            workload = WORKLOADS[name](parsed.scale)
            measured.append(
                run_workload(workload, repetitions=parsed.reps, shared=shared, peers=parsed.folder, chosen=parsed.peers, tell=_tell)
            )
            print("\n".join(lines(measured[-1])), flush=True)
            if parsed.json:
                load = {"load after": round(os.getloadavg()[0], 2)}
                parsed.json.write_text(json.dumps(as_data(measured, machine={**machine, **load}, scale=parsed.scale), indent=1) + "\n")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
