"""The process that measures one case once: `python -m bench.child WORKLOAD CASE SCALE ANSWER-FILE`."""

import json
import resource
import sys
from pathlib import Path

from bench.model import PEAK
from bench.workloads import WORKLOADS


def main() -> None:
    """Measure in a new folder beside the answer file, then write the answer."""
    name, case_name, scale, answer = sys.argv[1:]
    (case,) = (case for case in WORKLOADS[name](float(scale)).cases if case.name == case_name)
    folder = Path(answer).with_name("work")
    folder.mkdir()
    sample = case.measure(folder)
    figures = {**sample.figures, PEAK.name: peak_megabytes()}
    Path(answer).write_text(json.dumps({"figures": figures, "counts": dict(sample.counts)}))


def peak_megabytes() -> float:
    """The high-water mark of this program alone: what the kernel says to getrusage includes the process that we were forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # where there is no /proc, it is told in bytes


if __name__ == "__main__":
    main()
