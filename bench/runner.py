"""Runs the cases of a workload in turns, each in a fresh process and folder, so that a busy moment or a warm cache favours none of them."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.model import Case, CaseResult, Sample, WorkloadResult
from bench.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[1]


def run_workload(name: str, *, rounds: int, scale: float) -> WorkloadResult:
    """Every case once a round. Raises CalledProcessError if a case cannot be measured; its stderr has been shown."""
    workload = WORKLOADS[name](scale)
    samples: dict[str, list[Sample]] = {case.name: [] for case in workload.cases}
    for _ in range(rounds):
        for case in workload.cases:
            samples[case.name].append(_measure_apart(name, case, scale))
    return WorkloadResult(
        name=name,
        title=workload.title,
        figures=workload.figures,
        cases=[CaseResult(name=case, samples=taken) for case, taken in samples.items()],
    )


def _measure_apart(workload: str, case: Case, scale: float) -> Sample:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        answer = Path(folder) / "sample.json"
        command = [sys.executable, "-m", "bench.child", workload, case.name, str(scale), str(answer)]
        subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, check=True)
        data = json.loads(answer.read_text())
    return Sample(figures=data["figures"], counts=data["counts"])


def _environment() -> dict[str, str]:
    """Ours without what would redirect or group a run."""
    around = ("CODEX_", "MCP_RUNNER_", "TFGRPO_", "FEATURE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(around)}
