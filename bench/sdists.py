"""`guards`: the three guards over a package that the package index serves, and what they find there, for a person to judge."""

import json
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError
from bench.measure import environment

PACKAGES = ("jupyterlab", "black", "pydantic", "apache-airflow-core")
_EVERY_DOCUMENT = {"guardrails": {"docRoots": ["."], "maxAgeDays": None}}


def guard_package(name: str, shared: Path) -> Iterator[str]:
    """Lines to be read. pip asks the index that it is configured for, and has the package prepare its metadata; BenchError if it cannot."""
    folder = shared / "archives" / name
    _call([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, "--dest", str(folder), name], shared)
    yield from guard_archive(next(folder.iterdir()), shared)


def guard_archive(archive: Path, shared: Path) -> Iterator[str]:
    """Unpacked, and a repository without a commit, so that all of it is a change."""
    place = shared / "unpacked" / archive.name
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(place, filter="data")
    except tarfile.TarError as error:
        raise BenchError(f"{archive.name} is no archive that can be unpacked: {error}") from error
    (root,) = place.iterdir()
    _call(["git", "init", "--quiet"], root)
    configuration = shared / "guards.json"
    configuration.write_text(json.dumps(_EVERY_DOCUMENT))
    command = [
        sys.executable,
        "-m",
        "orchestrator_py",
        "guard",
        "all",
        "--root",
        str(root),
        "--config",
        str(configuration),
        "--format",
        "json",
    ]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment(shared), capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise BenchError(f"{archive.name}: the guards ended with exit code {done.returncode}: {done.stderr.strip()}")
    findings = json.loads(done.stdout)["findings"]
    files = len(_call(["git", "ls-files", "--others", "--exclude-standard"], root).splitlines())
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(Counter(finding["rule"] for finding in findings).items()))
    yield f"{archive.name}: {files} files, {wall * 1000:.0f} ms, {rules or 'no findings'}"
    yield from (f"  {finding['file']}:{finding['line'] or ''} {finding['rule']}: {finding['message']}" for finding in findings)


def _call(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command[:4])} ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout
