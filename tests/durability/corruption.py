"""Damage to the files of one task, and what every reader and writer must make of it: a success, or an error of ours that names a file.

One case: a copy of a task, one damaged file, then everything that reads it; an ordinary opening on one copy, a rebuild on another.
"""

import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from random import Random
from unittest.mock import patch

from attrs import define, field, frozen

from orchestrator_py.cli.main import run_command_line
from orchestrator_py.core.history_lines import run_id_in
from orchestrator_py.errors import OrchestratorError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.history import EntryLine
from orchestrator_py.store.audit import audit
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.lost_runs import complete_lost_runs
from orchestrator_py.store.overview import read_overview
from orchestrator_py.store.queue import enqueue
from orchestrator_py.store.rebuild import rebuild
from orchestrator_py.store.segment_scan import _scan
from orchestrator_py.store.task_store import open_task_store
from tests.cli.running import command, configure_stages, environment, words
from tests.store.entries import now
from tests.store.scratch import scratch_folder

TASK = TaskId("0101")
PATIENCE_SECONDS = 20
GARBAGE = (
    b"\x00" * 9,
    b"\xff\xfe\x80",
    b"\xef\xbb\xbf",
    "\u2028".encode(),
    b"\x85\r",
    b"\n",
    b"\n\n{}\n",
    b"1e999",
    b"9" * 5_000,
    b"[" * 5_000,
    b'{"a":' * 3_000,
    b"NaN",
    b"-Infinity",
    b'"run_id":"twice","run_id":"thrice",',
    b'"version":99,',
    b"null",
    b"\\ud800",
    b"#00000000 {}\n",
    b"../../../",
)
KINDS = (
    ".runs/0101/metrics.json",
    ".runs/0101/metrics.pending/b-*",
    ".runs/0101/metrics.pending/*.jsonl",
    ".runs/0101/metrics/*.json",
    ".runs/0101/metrics/.rollup-state.json",
    ".runs/0101/cli/*/manifest.json",
    ".runs/0101/cli/*/run-summary.json",
    ".runs/0101/cli/*/*.ndjson",
    ".runs/0101/cli/*/commands/*",
    ".runs/0101/cli/*/errors/*",
    ".runs/0101/cli/*/.resume-token",
    ".runs/0101/cli/*/.heartbeat",
    ".runs/0101/mcp/*/manifest.json",
    ".runs/0101/live-runs/*",
    ".runs/0101/*-*/manifest.json",
    "out/0101/metrics/*.json",
    "out/0101/state.json",
)


class Hang(BaseException):
    """The watchdog of a case; no `except Exception` may keep it."""


@define
class Report:
    """`changed` counts the cases whose damage really changed bytes."""

    tried: int = 0
    changed: int = 0
    kinds: set[str] = field(factory=set)
    refusals: int = 0
    """Named errors, each of which is as good as a success."""
    violations: list[str] = field(factory=list)


# The task that is damaged ------------------------------------------------------------------------------------------


def task_below(root: Path) -> TaskLayout:
    return Layout.below(root).task(TASK)


def make_task(root: Path) -> None:
    """Three runs in the history, two lost ones, three entries in the journal, two queued: every kind of file."""
    root.mkdir()
    configure_stages(root, command("a", "echo hello"), command("b", "test ! -e broken"))
    for broken in (False, True, False):
        (root / "broken").unlink(missing_ok=True)
        if broken:
            (root / "broken").touch()
        done = subprocess.run(words("run"), cwd=root, env=environment(), capture_output=True, check=False)
        assert done.returncode == int(broken), done.stderr
    task = task_below(root)
    line = task.metrics.read_bytes().split(b"\n")[0]
    store = open_task_store(task.layout, TASK, now=now)
    assert store._owner is not None
    store.commit([_entry(line, "in-journal-1"), _entry(line, "in-journal-2")])
    store.commit([_entry(line, "in-journal-3")])
    store.publish()
    store._owner.abandon()
    enqueue(task.pending, [_entry(line, "queued-1")])
    enqueue(task.pending, [_entry(line, "queued-2")])
    for name, status in (("lost-1", "in_progress"), ("lost-2", "succeeded")):
        _lose(task, name, status)


def _entry(line: bytes, run_id: str) -> EntryLine:
    data = {**json.loads(line), "run_id": run_id}
    return EntryLine(run_id=RunId(run_id), line=json.dumps(data, separators=(",", ":")).encode())


def _lose(task: TaskLayout, name: str, status: str) -> None:
    """A run whose process died, before its end or before its entry."""
    model = sorted((task.folder / "cli").iterdir())[0]
    folder = shutil.copytree(model, task.folder / "cli" / name)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest |= {"run_id": name, "status": status, "metrics_recorded": False}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    task.live_runs.mkdir(exist_ok=True)
    (task.live_runs / name).touch()


# The damage --------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Damage:
    """To one file, below the root."""

    file: str
    way: str
    before: bytes
    after: bytes


def damage(root: Path, random: Random, kinds: Sequence[str]) -> tuple[str, Damage]:
    """The kind of file, and what was done to it."""
    kind = random.choice(kinds)
    path = random.choice(sorted(path for path in root.glob(kind) if path.is_file()))
    before = path.read_bytes()
    after, way = before, ""
    while after == before:
        way = random.choice(
            ("flip a bit", "change a byte", "truncate", "repeat", "cut", "insert", "insert", "replace", "empty", "giant line")
        )
        after = _damaged(before, way, random)
    path.write_bytes(after)
    return kind, Damage(file=str(path.relative_to(root)), way=way, before=before, after=after)


def _damaged(content: bytes, way: str, random: Random) -> bytes:
    start = random.randrange(len(content) + 1)
    end = min(len(content), start + random.choice((1, 2, 9, 40, 500, 5000)))
    match way:
        case "flip a bit" if start < len(content):
            return content[:start] + bytes([content[start] ^ 1 << random.randrange(8)]) + content[start + 1 :]
        case "change a byte" if start < len(content):
            return content[:start] + random.randbytes(1) + content[start + 1 :]
        case "truncate":
            return content[:start]
        case "repeat":
            return content[:end] + content[start:]
        case "cut":
            return content[:start] + content[end:]
        case "replace":
            return content[:start] + random.randbytes(end - start) + content[end:]
        case "empty":
            return b""
        case "giant line" if random.random() < 0.1:
            return content[:start] + b"x" * (1024 * 1024 + 9) + content[start:]
        case _:
            return content[:start] + random.choice(GARBAGE) + content[start:]


# A case ------------------------------------------------------------------------------------------------------------


@define(kw_only=True)
class Explorer:
    """Cases in a scratch folder, from copies of one task."""

    scratch: Path
    kinds: Sequence[str]
    report: Report = field(factory=Report)
    _seed: int = 0
    _damage: Damage | None = None

    def check(self, seed: int) -> None:
        """One case, from its seed."""
        self._seed = seed
        random = Random(f"damage {seed}")
        root = self._fresh("root")
        kind, self._damage = damage(root, random, self.kinds)
        self.report.tried += 1
        self.report.kinds.add(kind)
        self.report.changed += (root / self._damage.file).read_bytes() != self._damage.before
        wanted = self._untouched()
        rebuilt_root = self.scratch / "rebuilt"
        _copy(root, rebuilt_root)
        self._read(root)
        opened = self._open(root)
        if random.random() < 0.08:
            self._resume(root, random)
        self._rebuild(rebuilt_root, wanted)
        self._rebuild_after(root, wanted, opened=opened)

    def _fresh(self, name: str) -> Path:
        for old in ("root", "rebuilt"):
            shutil.rmtree(self.scratch / old, ignore_errors=True)
        return _copy(self.scratch / "original", self.scratch / name)

    def _untouched(self) -> set[bytes]:
        """The entries on lines that the damage left alone."""
        original = task_below(self.scratch / "original")
        files = [original.metrics, *original.pending.iterdir()]
        wanted: set[bytes] = set()
        for path in files:
            content = path.read_bytes()
            lines = set(content.split(b"\n"))
            if self._damage is not None and str(path.relative_to(self.scratch / "original")) == self._damage.file:
                lines &= set(self._damage.after.split(b"\n"))
            wanted |= {line for line in lines if line.startswith(b"{")}
        return wanted

    def _torn(self) -> set[bytes]:
        """At the end of the journal, with no whole batch behind it: nobody can tell it from what was never acknowledged."""
        assert self._damage is not None
        if "/b-" not in self._damage.file:
            return set()
        scan = _scan(Path(self._damage.file), self._damage.after)
        return set() if scan.behind else set(scan.damaged_lines())

    # Everything that reads and writes ---------------------------------------------------------------------------

    def _read(self, root: Path) -> None:
        task = task_below(root)
        self._try("history", lambda: list(read_history(task)))
        self._try("audit", partial(audit, task))
        self._try("overview", partial(read_overview, task))
        self._command(root, "metrics", "show")
        self._command(root, "metrics", "verify")

    def _open(self, root: Path) -> bool:
        task = task_below(root)

        def work() -> None:
            store = open_task_store(task.layout, TASK, now=now)
            try:
                complete_lost_runs(task, store, now)
                store.commit([_entry(b'{"task_id":"0101","status":"succeeded"}', "new")])
            finally:
                store.close()

        return self._try("open", work) is None

    def _resume(self, root: Path, random: Random) -> None:
        runs = sorted(path.name for path in (root / ".runs/0101/cli").iterdir())
        self._command(root, "resume", "--run", random.choice(runs))

    def _rebuild(self, root: Path, wanted: set[bytes]) -> None:
        """A damaged task is rebuilt as it is found: nothing is lost, and the bytes of what is set aside are kept."""
        task = task_below(root)
        aside: list[Path] = []
        refused = self._try("rebuild", lambda: aside.extend(rebuild(task, now).set_aside))
        if refused is None:
            self._expect(wanted, task, "after a rebuild")
            self._expect_kept(aside)
            self._try("audit after a rebuild", partial(audit, task))

    def _rebuild_after(self, root: Path, wanted: set[bytes], *, opened: bool) -> None:
        """What an opening has left or refused to touch: a rebuild still finds everything that does not look like a torn last batch."""
        task = task_below(root)
        wanted -= self._torn() if opened else set()
        missing = self._missing(wanted, task) if opened else wanted
        if missing and self._try("rebuild after an opening", lambda: rebuild(task, now)) is None:
            self._expect(wanted, task, f"after {'an opening' if opened else 'a refusal'} and a rebuild")

    def _missing(self, wanted: set[bytes], task: TaskLayout) -> set[bytes]:
        """By their runs: an entry may have been superseded by one that was made from the run's manifest."""
        runs = {run_id_in(line) for line in read_history(task)}
        return {line for line in wanted if run_id_in(line) not in runs}

    def _expect(self, wanted: set[bytes], task: TaskLayout, when: str) -> None:
        try:
            missing = self._missing(wanted, task)
        except Exception as error:  # whatever it is, what was mended has to be readable
            return self._wrong(when, f"the history cannot be read: {type(error).__name__}: {error}")
        if missing:
            self._wrong(when, f"lost: {sorted(str(run_id_in(line)) for line in missing)}")
        return None

    def _expect_kept(self, aside: list[Path]) -> None:
        assert self._damage is not None
        name = Path(self._damage.file).name
        kept = [path for path in aside if path.name.startswith(name)]
        if kept and not any(path.read_bytes().startswith(self._damage.after) for path in kept):  # what was recorded since may follow
            self._wrong("after a rebuild", f"{kept[0].name} does not hold the bytes that were there")

    # Judging ----------------------------------------------------------------------------------------------------

    def _try(self, what: str, work: Callable[[], object]) -> OrchestratorError | None:
        """The named error that it was refused with."""
        try:
            with _watched():
                work()
        except OrchestratorError as error:
            self.report.refusals += 1
            if ".runs" not in str(error) and "out/" not in str(error):
                self._wrong(what, f"names no file: {error}")
            return error
        except Exception as error:  # whatever else comes out is what we look for
            self._wrong(what, f"{type(error).__name__}: {error}")
        except Hang:
            self._wrong(what, "hangs")
        return None

    def _command(self, root: Path, *arguments: str) -> None:
        """In this process, as the program's own main function does it."""
        said = io.StringIO()

        def work() -> int:
            with redirect_stdout(said), redirect_stderr(said), patch("time.sleep"):  # verify looks twice before it speaks
                return run_command_line([*arguments, "--root", str(root)])

        try:
            with _watched():
                code = work()
        except BaseException as error:  # a program that ends like this shows a traceback
            self._wrong(" ".join(arguments), f"{type(error).__name__}: {error}")
            return
        if code not in (0, 1, 2, 74, 75) or "Traceback" in said.getvalue():
            self._wrong(" ".join(arguments), f"exit code {code}: {said.getvalue()[-300:]}")

    def _wrong(self, what: str, problem: str) -> None:
        damage = self._damage
        where = f"{damage.way} in {damage.file}" if damage is not None else ""
        self.report.violations.append(f"seed {self._seed} ({where}), {what}: {problem}")


def _copy(root: Path, to: Path) -> Path:
    """Names and bytes: nothing here rests on times and modes, and they would cost as much again."""
    return Path(shutil.copytree(root, to, symlinks=True, copy_function=shutil.copyfile))


@contextmanager
def _watched() -> Iterator[None]:
    def hang(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def explore(seeds: range, plant: Callable[[], object] | None = None, kinds: Sequence[str] = KINDS, enough: int = 20) -> Report:
    """For a process of its own: its alarm clock and its streams are used."""
    logging.disable()
    with scratch_folder() as scratch, open(os.devnull, "w") as nowhere:
        make_task(scratch / "original")
        if plant is not None:
            plant()
        explorer = Explorer(scratch=scratch, kinds=kinds)
        sys.stdout = sys.stderr = nowhere
        for seed in seeds:
            explorer.check(seed)
            if len(explorer.report.violations) >= enough:
                break
    return explorer.report
