"""Kills the real command line at every call that changes the disk, with strace, in a task that is carried on from kill to kill.

python -m tests.durability.strace_kills [--kills N] [--seed S] [--processes P] [--folder FOLDER] [--totals FILE]

Without --folder everything happens in a temporary one. Exit code: 0 if no promise was broken, 1 if one was, 2 where strace cannot work.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, field

from orchestrator_py.__main__ import main as command_line
from orchestrator_py.core.history_lines import run_id_in
from orchestrator_py.ids import TaskId
from orchestrator_py.store.folders import make_durable_task_folders
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.queue import enqueue, read_queue
from orchestrator_py.store.rollup_files import document_files
from orchestrator_py.store.task_store import open_task_store
from tests.cli.running import environment
from tests.durability.strace_aims import Aim, Situation, Traced, in_turn, numbered_aims, strace_problem, trace
from tests.harness import Row, table
from tests.store.entries import entry, now

ROW = "kills of the real command line"
KILLS_OF_A_TASK = 100
_STAGE = {"kind": "command", "id": "a", "command": "true"}
_FAILS = {"kind": "command", "id": "b", "command": "false"}
CONFIGURATION = {"defaultPipeline": "good", "pipelines": [{"id": "good", "stages": [_STAGE]}, {"id": "bad", "stages": [_STAGE, _FAILS]}]}


@define
class Campaign:
    """One folder with one task after the other, and what became of it."""

    root: Path
    seed: int
    kills: int
    aims: list[Aim] = field(factory=list)
    """Empty: all that clean runs have."""
    tried: int = 0
    fired: int = 0
    checks: int = 0
    violations: list[str] = field(factory=list)
    places: Counter[str] = field(factory=Counter)
    """Call and file of each kill."""
    _task: TaskLayout = field(init=False)
    _acknowledged: set[str] = field(factory=set)
    _queued: int = 0

    def __attrs_post_init__(self) -> None:
        self._begin_task("clean")

    def run(self, share: slice = slice(None)) -> "Campaign":
        """Kills at the share of all numbers that is ours, and tells every hundredth on stderr."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "codex.orchestrator.json").write_text(json.dumps(CONFIGURATION))
        chance, began = random.Random(self.seed), time.monotonic()
        for aim in in_turn(self.aims or self._all_aims()[share], self.kills, chance):
            if self.tried % KILLS_OF_A_TASK == 0:
                self._begin_task(f"kills-{self.tried}")
            self._kill(aim)
            if chance.random() < 0.5 or self.tried % KILLS_OF_A_TASK == 0:
                self._check(f"after {aim}")
            if self.tried % 100 == 0:
                seconds, wrong = time.monotonic() - began, len(self.violations)
                say(f"{self.root.name}: tried {self.tried}, fired {self.fired}, violations {wrong}, {seconds:.0f} s")
        self._check("at the end")
        return self

    def _all_aims(self) -> list[Aim]:
        """Counted in clean runs."""
        aims: list[Aim] = []
        for situation in Situation:
            with self._neighbour(situation):
                traces = [trace(self._task, self._words(situation), watched=watched) for watched in (False, True)]
            aims += numbered_aims(situation, *traces)
        return aims

    def _begin_task(self, name: str) -> None:
        self._task = Layout.below(self.root).task(TaskId(name))
        self._acknowledged = set()

    # One kill ------------------------------------------------------------------------------------------------------

    def _kill(self, aim: Aim) -> None:
        with self._neighbour(aim.situation):
            done = trace(self._task, self._words(aim.situation), aim)
        self.tried += 1
        self.fired += done.killed
        if done.killed:
            self.places[f"{done.calls[-1][1]} {done.calls[-1][2]}"] += 1
        elif done.code != (1 if aim.situation is Situation.RESUMER else 0):
            self._complain(aim, f"exit code {done.code}: {done.stderr}")
        if "Traceback" in done.stderr or "defect" in done.stderr:
            self._complain(aim, done.stderr)
        self._note_acknowledged(done)
        self._look(f"after {aim}")

    def _words(self, situation: Situation) -> list[str]:
        """Makes what the situation needs."""
        if situation is Situation.HEIR:
            self._queue()
        if situation is not Situation.RESUMER:
            return ["run"]
        code, report, told = self._in_process("run", "bad", "--task", self._task.task_id, "--format", "json")
        if code != 1:
            self._complain("a run before a resume", f"exit code {code}: {told}")
        return ["resume", "--run", str(json.loads(report)["run_id"])]

    def _queue(self) -> None:
        """Two entries of other programs, in two files."""
        make_durable_task_folders(self._task)
        for _ in range(2):
            run_id = f"queued-{self._queued}"
            self._queued += 1
            enqueue(self._task.pending, [entry(run_id)])
            self._acknowledged.add(run_id)

    @contextmanager
    def _neighbour(self, situation: Situation) -> Iterator[None]:
        """Another process owns the task inside, if the situation is of that kind."""
        if situation is not Situation.GUEST:
            yield
            return
        (is_open, opened), (ended, end) = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            self._own(opened, ended, unused=end)
        os.close(opened)
        os.close(ended)
        try:
            os.read(is_open, 1)
            yield
        finally:
            os.close(end)
            os.close(is_open)
            if os.waitpid(child, 0)[1] != 0:
                self._complain("a neighbour", "it could not open or close the task")

    def _own(self, opened: int, ended: int, *, unused: int) -> None:
        """In the child: holds the task until the other end of the pipe is closed."""
        code = 1
        with suppress(BaseException):
            os.close(unused)
            store = open_task_store(self._task.layout, self._task.task_id, now=now)
            os.write(opened, b".")
            os.read(ended, 1)
            store.close()
            code = 0
        os._exit(code)

    # What must hold ------------------------------------------------------------------------------------------------

    def _note_acknowledged(self, done: Traced) -> None:
        """By its manifest, or by the report on stdout."""
        for path in self._task.folder.glob("cli/*/manifest.json"):
            manifest = json.loads(path.read_bytes())
            if manifest["metrics_recorded"] is True:
                self._acknowledged.add(manifest["run_id"])
        with suppress(ValueError):
            self._acknowledged.add(json.loads(done.stdout)["run_id"])

    def _look(self, when: str) -> None:
        """As foreign readers do: every file whole, every acknowledged run there."""
        for path in (self._task.metrics, *document_files(self._task).values()):
            content = path.read_bytes() if path.exists() else b""
            lines = content.split(b"\n")[:-1] if path == self._task.metrics else [content] if content else []
            try:
                for line in lines:
                    json.loads(line)
            except ValueError as error:
                self._complain(when, f"{path}: {error}")
        lines = list(read_history(self._task))
        queued = [entry.line for files in read_queue(self._task.pending) for file in files for entry in file.entries]
        self._compare(when, lines, lines + queued)

    def _check(self, when: str) -> None:
        """A clean run, then everything must be equal."""
        code, report, told = self._in_process("run", "--task", self._task.task_id, "--format", "json")
        if code != 0 or "Traceback" in told or "defect" in told:
            self._complain(when, f"the clean run: exit code {code}: {told}")
        else:
            self._acknowledged.add(json.loads(report)["run_id"])
        code, report, told = self._in_process("metrics", "verify", "--task", self._task.task_id)
        if code != 0 or told:
            self._complain(when, f"metrics verify: exit code {code}: {report}{told}")
        lines = list(read_history(self._task))
        self._compare(when, lines, lines)
        left = [name for name in os.listdir(self._task.pending) if ".tmp-" not in name] + os.listdir(self._task.live_runs)
        if left:
            self._complain(when, f"left behind: {left}")
        self.checks += 1

    def _compare(self, when: str, history: list[bytes], everything: list[bytes]) -> None:
        """A resumed run has an entry for each of its attempts; no line stands twice."""
        doubled = [line for line, times in Counter(history).items() if times > 1]
        missing = self._acknowledged - {run_id_in(line) for line in everything}
        if doubled or missing:
            self._complain(when, f"doubled {doubled}, missing {sorted(missing)}")

    def _complain(self, when: object, what: str) -> None:
        self.violations.append(f"{self._task.folder} {when}: {what}")
        say(self.violations[-1])

    def _in_process(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of the command line in a forked process: Python need not start again."""
        paths = [self.root / name for name in ("stdout.txt", "stderr.txt")]
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            self._become_command_line(paths, arguments)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stdout, stderr = (path.read_text() for path in paths)
        return code, stdout, stderr

    def _become_command_line(self, paths: list[Path], arguments: tuple[str, ...]) -> None:
        code = 70
        try:
            for descriptor, path in enumerate(paths, 1):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
            os.chdir(self.root)
            kept = environment()
            os.environ.clear()
            os.environ.update(kept)
            code = command_line(list(arguments))
        except BaseException:  # what the child raises must not go on in a copy of its parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_campaigns(folder: Path, *, kills: int, seed: int, processes: int) -> list[Campaign]:
    """Each in a process and a folder of its own."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        shares = [
            (folder / f"kills-{seed}-{place}", seed + place, (kills + processes - 1 - place) // processes) for place in range(processes)
        ]
        running = [pool.submit(Campaign(*share).run, slice(place, None, processes)) for place, share in enumerate(shares)]
        return [one.result() for one in running]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--totals", type=Path, help="a file for tried, fired, violations as JSON")
    options = parser.parse_args()
    problem = strace_problem()
    if problem is not None:
        say(f"{problem}: no kill can be injected.")
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        campaigns = run_campaigns(folder, kills=options.kills, seed=options.seed, processes=options.processes)
    places = sum((one.places for one in campaigns), Counter[str]())
    for place, times in sorted(places.items()):
        print(f"{times:7} {place}")
    row = Row(ROW, *(sum(numbers) for numbers in zip(*((one.tried, one.fired, len(one.violations)) for one in campaigns), strict=True)))
    print(f"{len(places)} places, {sum(one.checks for one in campaigns)} checks", *table([row]), sep="\n")
    if options.totals is not None:
        options.totals.write_text(json.dumps({"tried": row.tried, "fired": row.fired, "violations": row.violations}))
    return 1 if row.violations else 0


if __name__ == "__main__":
    sys.exit(main())
