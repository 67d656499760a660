"""What the figures depend on beside the programs: cores, processor, file system, versions, and how busy it was."""

import os
import platform
import shutil
import subprocess
from pathlib import Path


def describe_machine(folder: Path) -> dict[str, object]:
    """`folder` is where the measured programs write."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "file system": _file_system(folder),
        "python": platform.python_version(),
        "node": _version("node"),
        "load before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        named = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        named = []
    return named[0] if named else platform.processor() or platform.machine()


def _file_system(folder: Path) -> str:
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    around = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(around, key=lambda mount: len(mount[0]))[1] if around else "unknown"


def _version(program: str) -> str:
    if shutil.which(program) is None:
        return "not installed"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
