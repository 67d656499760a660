"""`profile`: where the time of our side of a workload goes, by room and by function."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError
from bench.measure import environment
from bench.model import OURS, Case, Place
from bench.workloads import WORKLOADS

MOST_LINES = 15
PROFILED = Path(__file__).parent / "drivers" / "profiled.py"
Cost = tuple[float, str]


def profile(name: str, *, scale: float, shared: Path, peers: Path) -> Iterator[str]:
    """The first case of ours, or the largest of W5; what a profiler adds makes calls look dearer than they are."""
    case = _case(name, scale)
    place = Place(folder=shared / "profiled", shared=shared, peers=peers)
    place.folder.mkdir()
    case.prepare(place)
    words = list(case.command(place))[1:]
    yield f"### {name}: where {case.name} spends its time"
    yield from _section("imports, wall ms by package", _imports(words, place))
    _run([sys.executable, str(PROFILED), str(shared / "profile"), *words], place)
    stats = json.loads((shared / "profile").read_text())
    yield from _section("CPU ms by room, all threads", _by_room(stats))
    yield from _section("CPU ms by function, without what it calls", [(cost, f"{where}  ({calls} calls)") for where, calls, cost in stats])


def _case(name: str, scale: float) -> Case:
    ours = [case for case in WORKLOADS[name](scale).cases if case.program == OURS and case.at_once == 1]
    if not ours:
        raise BenchError(f"{name} is many processes of W1; profile that")
    return ours[-1] if name == "W5" else ours[0]


def _imports(words: list[str], place: Place) -> list[Cost]:
    """Own time of each module, added up; a second start, so that bytecode is there."""
    _run([sys.executable, *words], place)
    told = _run([sys.executable, "-X", "importtime", *words], place).stderr
    costs: dict[str, float] = defaultdict(float)
    for own, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)", told):
        costs[module.partition(".")[0]] += int(own) / 1000
    return [(sum(costs.values()), "all"), *((cost, module) for module, cost in costs.items())]


def _by_room(stats: list[tuple[str, int, float]]) -> list[Cost]:
    costs: dict[str, float] = defaultdict(float)
    for where, _, cost in stats:
        costs[room_of(where)] += cost
    return [(cost, room) for room, cost in costs.items()]


def room_of(where: str) -> str:
    """`orchestrator_py/store`, `asyncio`, or `built in`."""
    if where.startswith("~"):
        return "built in"
    inside = re.search(r"orchestrator_py/\w+", where) or re.search(r"(?<=site-packages/)\w+|(?<=python\d\.\d\d/)(?!site)\w+", where)
    return inside[0] if inside else "generated and others"


def _section(title: str, costs: list[Cost]) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    yield from (f"  {cost:9.1f}  {what}" for cost, what in sorted(costs, reverse=True)[:MOST_LINES])


def _run(command: list[str], place: Place) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, cwd=place.folder, env=environment(place.shared), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BenchError(f"`{' '.join(command)}` ended with exit code {done.returncode}: {done.stderr[-500:]}")
    return done
