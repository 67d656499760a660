"""Interrupts at moments that nobody has chosen: what is run, when it is told to stop, and what must be true afterwards."""

import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from attrs import define, field, frozen

from tests.cli.running import (
    Data,
    as_list,
    command,
    configure,
    finish,
    pipeline,
    read_object,
    run,
    start_words,
    subpipeline,
    words,
)

AT_ONCE = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORK = "sleep 0.07 & wait"  # a grandchild, that a signal to the shell alone would leave behind
STUBBORN = "trap '' TERM; sleep 0.07 & wait; sleep 0.07"
FAILS_ONCE = f'd="$CODEX_ORCHESTRATOR_RUN_DIR/{{}}"; {WORK}; test -d "$d" || {{{{ mkdir "$d"; exit 1; }}}}'


@frozen
class Kind:
    """One manner of running."""

    name: str
    pipelines: tuple[Data, ...]
    flags: tuple[str, ...] = ()
    piped: bool = False


def _plain() -> Data:
    return pipeline("p", *(command(name, WORK) for name in "abcd"))


def _wide() -> Data:
    stages = (command(f"s{number}", STUBBORN if number % 3 == 0 else WORK) for number in range(12))
    return pipeline("p", *stages, parallel=True)


def _retried() -> Data:
    """Not the last stage: what a signal between its attempts means for the exit code is a test of its own."""
    again = {"maxAttempts": 2, "backoffSeconds": 0.05}
    return pipeline("p", *(command(name, FAILS_ONCE.format(name), retry=again) for name in "abcd"), command("e", WORK))


def _nested() -> tuple[Data, ...]:
    inner = pipeline("c", *(command(name, WORK) for name in "xyz"), parallel=True)
    return pipeline("p", command("a", WORK), subpipeline("child", "c"), subpipeline("again", "c"), command("d", WORK)), inner


KINDS = (
    Kind("plain", (_plain(),)),
    Kind("in a pipe", (_plain(),), piped=True),
    Kind("-j 8", (_wide(),), flags=("-j", "8", "--grace", "0.05")),
    Kind("retries", (_retried(),)),
    Kind("sub-pipeline", _nested(), flags=("-j", "2")),
)


OURS = re.compile(r'File ".*/orchestrator_py/.*')
OURS_UNTIL_MAIN = re.compile(r'File ".*/orchestrator_py/(__init__|__main__)\.py", line \d+, in <(module|dictcomp)>')


def _before_the_program(told: str) -> bool:
    """Whether the interrupt met Python while it looked for the program: until `main` has begun, Ctrl-C is Python's own to tell of.

    It dies by the signal then, or ends with 1 if it could not even import its `site`.
    """
    frames = OURS.findall(told)
    return told.rstrip().endswith("KeyboardInterrupt") and all(OURS_UNTIL_MAIN.fullmatch(frame) for frame in frames)


@frozen(kw_only=True)
class Shot:
    """One interrupt: the signals come so many seconds after the start, the second one, if any, so many after the first."""

    task: str
    number: signal.Signals
    after: float
    again_after: float | None


@define
class Interrupts:
    """A kind of run in a folder of its own, shot at; `wrong` says what broke a promise. `program` is what is run, for planted bugs."""

    folder: Path
    kind: Kind
    program: str | None = None
    fired: int = 0
    wrong: list[str] = field(factory=list)

    def shoot(self, count: int, seed: int) -> "Interrupts":
        """At so many moments, spread over a bit more than the run takes undisturbed."""
        configure(self.folder, *self.kind.pipelines)
        seconds = self._undisturbed()
        chance = random.Random(f"{self.kind.name} {seed}")
        shots = [self._aim(f"shot-{number}", seconds, chance) for number in range(count)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.fired += sum(pool.map(self._shoot, shots))
        verified = run(self.folder, "metrics", "verify")
        if verified.code != 0:
            self.wrong.append(f"metrics verify: {verified.stdout}{verified.stderr}")
        return self

    def _aim(self, task: str, seconds: float, chance: random.Random) -> Shot:
        number = signal.SIGINT if self.kind.piped else chance.choice(SIGNALS)
        again = chance.uniform(0, 0.2) if chance.random() < 0.25 else None
        return Shot(task=task, number=number, after=chance.uniform(0, 1.1) * seconds, again_after=again)

    def _undisturbed(self) -> float:
        """How long it takes: the shorter of two times, or a machine that stalls once would let most shots come when all is over."""
        return min(self._measure(f"undisturbed-{number}") for number in range(2))

    def _measure(self, task: str) -> float:
        started_at = time.monotonic()
        self._expect(self._start(task), task, succeeded=True)
        return time.monotonic() - started_at

    def _start(self, task: str) -> "subprocess.Popen[str]":
        arguments = ("run", "--task", task, *self.kind.flags)
        line = words(*arguments) if self.program is None else [sys.executable, "-c", self.program, *arguments]
        if self.kind.piped:
            line = ["bash", "-c", f"{shlex.join(line)} 2>&1 | cat; exit ${{PIPESTATUS[0]}}"]
        return start_words(self.folder, line)

    def _shoot(self, shot: Shot) -> bool:
        """Whether it met a living program."""
        process = self._start(shot.task)
        fired = self._fire(process, shot.number, shot.after)
        if fired and shot.again_after is not None:
            self._fire(process, shot.number, shot.again_after)
        self._expect(process, shot.task)
        return fired

    def _fire(self, process: "subprocess.Popen[str]", number: signal.Signals, after: float) -> bool:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)  # as a terminal does it; the stages have sessions of their own
                return True
        return False

    # What must be true ---------------------------------------------------------------------------------------------

    def _expect(self, process: "subprocess.Popen[str]", task: str, *, succeeded: bool = False) -> None:
        finished = finish(process)
        told = finished.stderr + finished.stdout
        wrong = [*self._wrong_of_record(task, finished.code, told), *self._left_over(task)]
        if "Traceback" in told and not _before_the_program(told):
            wrong.append(told)
        if succeeded and finished.code != 0:
            wrong.append(f"code {finished.code}: {finished.stderr}")
        self.wrong += [f"{self.kind.name}, {task}: {one}" for one in wrong]

    def _wrong_of_record(self, task: str, code: int, told: str) -> Iterator[str]:
        manifests = [read_object(path) for path in sorted((self.folder / ".runs" / task / "cli").glob("*/manifest.json"))]
        asked = [manifest for manifest in manifests if manifest["pipeline_id"] == "p"]
        if not asked:
            unheard = self.kind.piped and not told  # who would have told it has died of the same interrupt
            too_early = code < 0 or (code > 0 and (_before_the_program(told) or unheard))
            if not too_early or any((self.folder / ".runs" / task / "cli").glob("*/commands/*")):
                yield f"code {code} without a record"
            return
        for manifest in manifests:
            yield from self._wrong_of_manifest(manifest)
        finished = all(stage["status"] == "succeeded" for stage in as_list(asked[0]["commands"]))
        if (code == 0) is not (finished and asked[0]["status"] == "succeeded"):
            yield f"code {code}, yet {asked[0]['status']}, {[stage['status'] for stage in as_list(asked[0]['commands'])]}"
        if code not in (0, *(-number for number in SIGNALS), 128 + signal.SIGINT):
            yield f"code {code}"

    def _wrong_of_manifest(self, manifest: Data) -> Iterator[str]:
        planned = next(one for one in self.kind.pipelines if one["id"] == manifest["pipeline_id"])
        names = [stage["id"] for stage in as_list(planned["stages"])]
        if [stage["id"] for stage in as_list(manifest["commands"])] != names:
            yield f"not every stage is accounted for: {manifest['commands']}"
        if manifest["status"] not in ("succeeded", "failed", "cancelled") or manifest["metrics_recorded"] is not True:
            yield f"{manifest['status']}, recorded: {manifest['metrics_recorded']}"
        if any(stage["status"] == "running" for stage in as_list(manifest["commands"])):
            yield f"a stage still runs: {manifest['commands']}"

    def _left_over(self, task: str) -> Iterator[str]:
        """Processes of the task's stages, told by the environment that they were given. They are ended: they are ours."""
        mark = f"CODEX_ORCHESTRATOR_RUNS_DIR={self.folder / '.runs'}\0".encode(), f"CODEX_ORCHESTRATOR_TASK_ID={task}\0".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                environment = (process / "environ").read_bytes()
                if all(part in environment for part in mark):
                    yield f"left over: {(process / 'cmdline').read_bytes()!r}"
                    os.kill(int(process.name), signal.SIGKILL)
