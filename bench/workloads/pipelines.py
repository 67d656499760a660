"""The same group of commands for every program that runs such: its configuration, and its command line."""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from attrs import frozen

from bench.model import OURS, Case, Place, Sample
from bench.peers import DOIT, REFERENCE_PACKAGE

FLOORS = Path(__file__).parents[1] / "drivers" / "floors.py"
TASK = "0101"
"""The task of a run on the command line that names none, ours and the reference's."""


@frozen
class Group:
    """So many times the same command, so many of them at a time."""

    times: int
    command: str
    jobs: int = 8

    @property
    def size(self) -> str:
        """As the tables name it."""
        return f"{self.times} × {self.command}"


def ours(group: Group, *, at_once: int = 1) -> Case:
    """`orchestrator-py run`."""
    command = [sys.executable, "-m", "orchestrator_py", "run", "--format", "json", "--jobs", str(group.jobs)]
    return _case(OURS, group, lambda _: command, partial(write_pipeline, group), find=find_runs, at_once=at_once)


def reference(group: Group, *, at_once: int = 1) -> Case:
    """Its own way to run a pipeline; the mode is named so that it looks for no other program."""
    words = ["start", "p", "--runtime-mode", "cli", "--format", "json"]
    return _case(
        "reference",
        group,
        lambda place: ["node", str(place.peers / REFERENCE_PACKAGE / "bin" / "codex-orchestrator.js"), *words],
        partial(write_pipeline, group),
        find=find_runs,
        at_once=at_once,
    )


def make(group: Group) -> Case:
    """As many targets as commands."""
    return _case("make", group, lambda _: ["make", f"-j{group.jobs}"], partial(_write_makefile, group))


def doit(group: Group) -> Case:
    """As many tasks as commands."""
    program = Path(DOIT.program).with_name("doit")
    return _case("doit", group, lambda place: [str(place.peers / program), "-n", str(group.jobs)], partial(_write_tasks, group))


def floor(name: str, group: Group) -> Case:
    """`spawn` or `asyncio`."""
    words = [str(FLOORS), name] if name == "spawn" else [str(FLOORS.with_name("asyncio_floor.py"))]
    spec = json.dumps({"times": group.times, "command": group.command, "jobs": group.jobs})
    return _case(f"{name} floor", group, lambda _: [sys.executable, *words, spec], lambda _: None)


def write_pipeline(group: Group, place: Place) -> None:
    """For ours and for the reference, which knows nothing of `parallel`."""
    stages = [{"kind": "command", "id": f"s{number}", "title": f"S{number}", "command": group.command} for number in range(group.times)]
    pipeline = {"id": "p", "title": "P", "guardrailsRequired": False, "parallel": True, "stages": stages}
    (place.folder / "codex.orchestrator.json").write_text(json.dumps({"defaultPipeline": "p", "pipelines": [pipeline]}))


def find_runs(place: Place, outputs: Sequence[str]) -> Sample:
    """Lost and doubled: of the runs that have a folder, and one for each call."""
    task = place.folder / ".runs" / TASK
    started = [folder.name for folder in (task / "cli").iterdir()]
    return Sample(counts=count_runs(task, [*started, *["a run without a folder"] * (len(outputs) - len(started))]))


def count_runs(task: Path, run_ids: Sequence[str]) -> dict[str, int]:
    """An entry that waits in the queue beside the history is not lost, and told apart."""
    history, queued = _entries([task / "metrics.json"]), _entries(sorted((task / "metrics.pending").glob("*.jsonl")))
    recorded = [*history, *queued]
    lost = sum(run_id not in recorded for run_id in run_ids) if len(run_ids) < 100 else len(set(run_ids) - set(recorded))
    return {"lost": lost, "doubled": len(recorded) - len(set(recorded)), "queued": len(queued)}


def _entries(paths: Sequence[Path]) -> list[str]:
    lines = [line for path in paths if path.exists() for line in path.read_bytes().split(b"\n") if line]
    return [json.loads(line)["run_id"] for line in lines]


def _case(
    program: str,
    group: Group,
    command: Callable[[Place], Sequence[str]],
    prepare: Callable[[Place], None],
    *,
    find: Callable[[Place, Sequence[str]], Sample] = lambda *_: Sample(),
    at_once: int = 1,
) -> Case:
    size = group.size if at_once == 1 else f"{at_once} at once"
    return Case(program=program, size=size, command=command, prepare=prepare, find=find, at_once=at_once, watched=at_once > 1)


def _write_makefile(group: Group, place: Place) -> None:
    names = " ".join(f"s{number}" for number in range(group.times))
    (place.folder / "Makefile").write_text(f".PHONY: all {names}\nall: {names}\n{names}:\n\t@{group.command}\n")


def _write_tasks(group: Group, place: Place) -> None:
    tasks = f'def task_s():\n    for place in range({group.times}):\n        yield {{"name": str(place), "actions": [{group.command!r}]}}\n'
    (place.folder / "dodo.py").write_text(tasks)
