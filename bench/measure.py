"""One case, once: a fresh folder, the command by way of the launcher, and what folder and outputs tell afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from attrs import evolve

from bench.errors import BenchError
from bench.model import CPU, PEAK, WALL, Case, Place, Sample
from bench.watching import watching

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = Path(__file__).with_name("launcher.py")
MOST_SECONDS = 900
AROUND = ("CODEX_", "MCP_RUNNER_", "TFGRPO_", "FEATURE_", "PYTHON", "GITHUB_")
"""Variables that would redirect or group a run, or keep Python from using its bytecode."""


def measure(case: Case, *, shared: Path, peers: Path) -> Sample:
    """Raises BenchError if the command fails; of several at once, those that fail are counted.

    What was prepared, and what others have left, is on disk before it begins: a sync of its own would wait for that, too.
    What it leaves goes with the session: a file system may look at each file that was removed lately before it makes a new one, and the
    next case would pay for that.
    """
    top = Path(mkdtemp(prefix="case-", dir=shared))
    place = Place(folder=top / "work", shared=shared, peers=peers)
    place.folder.mkdir()
    case.prepare(place)
    os.sync()
    return _launch(case, place, top)


def environment(shared: Path) -> dict[str, str]:
    """Ours without what redirects runs; its home is not the user's, whose settings would be in the way."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(AROUND)}
    return {**kept, "HOME": str(shared), "PYTHONPATH": str(ROOT)}


def _launch(case: Case, place: Place, top: Path) -> Sample:
    around = {**environment(place.shared), **case.environment}
    if not case.watched:
        return _judge(case, place, top, _call(case, place, top, around), {})
    with watching(place.folder, around) as seen:
        told = _call(case, place, top, around)
    return _judge(case, place, top, told, seen)


def _call(case: Case, place: Place, top: Path, around: Mapping[str, str]) -> str:
    command = [sys.executable, "-I", "-S", str(LAUNCHER), str(top), str(case.at_once), *case.command(place)]
    with subprocess.Popen(
        command, cwd=place.folder, env=around, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as launcher:
        try:
            return launcher.communicate(timeout=MOST_SECONDS)[0]
        except BaseException as error:  # also a Ctrl-C: what was started here goes with us
            os.killpg(launcher.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise BenchError(f"{case.name} did not end within {MOST_SECONDS} s") from error
            raise


def _judge(case: Case, place: Place, top: Path, told: str, seen: Mapping[str, int]) -> Sample:
    numbers = told.split()
    if len(numbers) != 3 + case.at_once:
        raise BenchError(f"{case.name} could not be started")
    wall, cpu, peak, *codes = (float(number) for number in numbers)
    failed = sum(code != 0 for code in codes)
    if failed and case.at_once == 1:
        raise BenchError(f"{case.name} ended with exit code {codes[0]:g}: {_tail(top / 'stderr-0')}")
    found = case.find(place, [(top / f"stdout-{number}").read_text(errors="replace") for number in range(case.at_once)])
    figures = {WALL: wall * 1000, CPU: cpu * 1000, PEAK: peak / 1024, **found.figures}
    counts = {"failed": failed, **found.counts, **seen} if case.at_once > 1 else found.counts
    return evolve(found, figures=figures, counts=counts)


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-500:].strip()
