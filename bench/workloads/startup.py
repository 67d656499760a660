"""From the shell's point of view: how long a call takes before and beside the work."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.model import Case, Figure, Sample, Workload

CALLS = 10
WALL = Figure("wall", "ms")
PIPELINE = {"id": "p", "title": "P", "guardrailsRequired": False, "stages": [{"kind": "command", "id": "a", "command": "true"}]}


def create(scale: float) -> Workload:
    """Against the import of the libraries that a run cannot do without."""
    calls, module = max(1, round(CALLS * scale)), ["-m", "orchestrator_py"]
    return Workload(
        title=f"one call of the interpreter, the median of {calls}",
        figures=(WALL,),
        cases=(
            Case("import of the stack", partial(_measure, calls, ["-c", "import asyncio, anyio, aiofiles, attrs, cattrs"])),
            Case("bare interpreter", partial(_measure, calls, ["-c", "pass"])),
            Case("--version", partial(_measure, calls, [*module, "--version"])),
            Case("plan", partial(_measure, calls, [*module, "plan"])),
            Case("run of one `true`", partial(_measure, calls, [*module, "run"])),
        ),
    )


def _measure(calls: int, arguments: Sequence[str], folder: Path) -> Sample:
    (folder / "codex.orchestrator.json").write_text(json.dumps({"pipelines": [PIPELINE]}))
    environment = _with_bytecode_below(folder / "bytecode")
    _call(arguments, folder, environment)  # compiles
    return Sample(figures={WALL.name: 1000 * median(_call(arguments, folder, environment) for _ in range(calls))})


def _call(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    return perf_counter() - started


def _with_bytecode_below(folder: Path) -> dict[str, str]:
    """As an installation has it: compiled once, whatever is set around us."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}
