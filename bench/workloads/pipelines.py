"""Pipelines as workloads: a configuration, and our command line in this process."""

import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from orchestrator_py.__main__ import main


def run_stages(folder: Path, commands: Sequence[str], *, parallel: bool = False) -> float:
    """Seconds that a run of one stage for each command takes; it has to succeed."""
    stages = [{"kind": "command", "id": f"s{place}", "title": command, "command": command} for place, command in enumerate(commands)]
    pipeline = {"id": "p", "title": "P", "guardrailsRequired": False, "parallel": parallel, "stages": stages}
    (folder / "codex.orchestrator.json").write_text(json.dumps({"pipelines": [pipeline]}))
    started = perf_counter()
    code = main(["run", "p", "--root", str(folder), "--jobs", str(len(commands))])
    seconds = perf_counter() - started
    if code != 0:
        raise RuntimeError(f"the pipeline ended with exit code {code}")
    return seconds
