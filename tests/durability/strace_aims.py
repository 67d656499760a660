"""Where the command line can be killed: at which of its calls that change the disk, counted by strace in a clean run."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from orchestrator_py.store.files import list_folder
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.rollup_files import document_files
from tests.cli.running import environment

CHANGING = (
    *("write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "mkdir", "mkdirat", "ftruncate", "flock"),
)
"""Names that this machine does not have are passed over."""
WATCHED = ("openat", "unlink")
"""Counted for standing files of the task alone: the start of Python opens hundreds of others, and another thread is first to unlink."""
_LINE = re.compile(r"(?P<thread>[0-9]+) +(?P<call>[a-z0-9_]+)\((?P<arguments>.*)")
_PATH = re.compile(r'[<"](/[^">]+)')


class Situation(StrEnum):
    """What the killed process does."""

    OWNER = "run"
    GUEST = "run, while another process owns the task"
    HEIR = "run, with entries in the queue"
    RESUMER = "resume"


@frozen(kw_only=True)
class Aim:
    """The first thread that comes to its `number`-th such call is killed there, and the whole process with it."""

    situation: Situation
    call: str
    number: int
    watched: bool = False
    """Only calls on the task's standing files count."""


@frozen(kw_only=True)
class Traced:
    """How a process under strace ended; a negative code is a signal."""

    code: int
    stdout: str
    stderr: str
    calls: Sequence[tuple[str, str, str]]
    """Thread, call, and the file that it is about."""

    watched: bool
    killed: bool
    """The signal was injected, and the traced program itself died of it."""


def strace_problem() -> str | None:
    """Why nothing can be traced here, None if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return f"strace cannot trace here: {tried.stderr.strip()}" if tried.returncode else None


def trace(task: TaskLayout, arguments: Sequence[str], aim: Aim | None = None, *, watched: bool = False) -> Traced:
    """The real command line under strace, which waits for everything that it started. Without --seccomp-bpf, which injects nothing."""
    root = task.layout.root
    told = root / "strace.txt"
    watched = watched if aim is None else aim.watched
    wanted = ",".join(f"?{name}" for name in (WATCHED if watched else CHANGING)) if aim is None else aim.call
    options = ["strace", "-f", "-q", "-y", "-o", str(told), "-e", f"trace={wanted}", "-e", "signal=KILL"]
    options += [word for path in _standing_files(task) for word in ("-P", str(path))] if watched else []
    options += ["-e", f"inject={aim.call}:signal=KILL:when={aim.number}"] if aim is not None else []
    words = [*options, sys.executable, "-m", "orchestrator_py", *arguments, "--task", task.task_id, "--format", "json"]
    done = subprocess.run(words, cwd=root, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    text = told.read_text(errors="replace")
    return Traced(
        code=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        watched=watched,
        calls=[(found["thread"], found["call"], _place(task, found["arguments"])) for found in _LINE.finditer(text)],
        killed=done.returncode == -9 and "+++ killed by SIGKILL +++" in text,
    )


def _standing_files(task: TaskLayout) -> Iterator[Path]:
    """Files and folders of the task whose names are known before: those that stand there always or now, and the next segment."""
    yield from (task.lock, task.folder, task.pending, task.metrics, task.rollups, task.rollup_state, task.live_runs, task.out)
    yield from document_files(task).values()
    yield from (task.pending / name for name in list_folder(task.pending))
    yield task.pending / f"b-{task.metrics.stat().st_size if task.metrics.exists() else 0}"


def _place(task: TaskLayout, arguments: str) -> str:
    """The file that a call is about, without what is different each time."""
    paths = [path for path in _PATH.findall(arguments) if path.startswith(str(task.layout.root))]
    if not paths:
        return "elsewhere"
    name = Path(paths[-1]).name
    name = re.sub(r"\.tmp-.*", ".tmp", re.sub(r"^[0-9]{20}-[0-9a-f]{32}", "queued", name))
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9A-Za-z-]+(\.[0-9]+\.[0-9]+)?", "RUN", re.sub("^b-[0-9]+", "b-N", name)).replace(
        task.task_id, "TASK"
    )


def numbered_aims(situation: Situation, *traces: Traced) -> list[Aim]:
    """Each number of each call, as far as any thread of the clean run came."""
    counts = Counter((thread, call, one.watched) for one in traces for thread, call, _ in one.calls)
    most: dict[tuple[str, bool], int] = {}
    for (_, call, watched), count in counts.items():
        most[call, watched] = max(count, most.get((call, watched), 0))
    return [
        Aim(situation=situation, call=call, number=number + 1, watched=watched)
        for (call, watched), count in most.items()
        for number in range(count)
    ]


def in_turn(aims: Sequence[Aim], kills: int, chance: random.Random) -> Iterator[Aim]:
    """Each once, and then by chance; of too many, a sample."""
    yield from aims if kills >= len(aims) else chance.sample(aims, kills)
    for _ in range(kills - len(aims)):
        yield chance.choice(aims)
