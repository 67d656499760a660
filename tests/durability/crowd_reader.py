"""A foreign reader: looks at the files of a task at any moment, as other programs do, and knows what was acknowledged before."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field

from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.queue import read_queue
from orchestrator_py.store.rollup_files import document_files
from tests.store.entries import run_ids, task_below

_THOROUGH = 64
"""One look in so many reads everything anew; the others trust that bytes that were looked at once are the same bytes."""


@define
class ForeignReader:
    """`run` looks again and again until it is told to stop; what is wrong stands in a file of its own, the number of reads in another."""

    root: Path
    name: str
    reads: int = 0
    _task: TaskLayout = field(init=False)
    _metrics: bytes = b""
    _folded: set[str] = field(factory=set)
    _acknowledged: set[str] = field(factory=set)
    """Without those that were found in metrics.json."""
    _offsets: dict[str, int] = field(factory=dict)
    _total: int = 0

    def __attrs_post_init__(self) -> None:
        self._task = task_below(self.root)

    def run(self) -> None:
        looks = 0
        counter = os.open(self.root / "reads" / self.name, os.O_WRONLY | os.O_CREAT)
        while not (self.root / "stop").exists():
            looks += 1
            wrong = list(self.look(thorough=looks % _THOROUGH == 0))
            os.pwrite(counter, b"%12d" % self.reads, 0)
            if wrong:
                (self.root / "wrong" / f"{self.name}-{looks}").write_text("\n".join(wrong))

    def look(self, *, thorough: bool) -> Iterator[str]:
        """At every file once; yields what is wrong."""
        self._hear()
        if thorough:
            self._metrics, self._folded = b"", set()
        yield from self._read_documents()
        yield from self._read_metrics()
        yield from self._find_acknowledged(thorough=thorough)

    def _hear(self) -> None:
        """What has been acknowledged up to now, by the logs."""
        from tests.durability.crowd_worker import told  # it imports this module

        for file in os.scandir(self.root / "log"):
            with open(file.path, "rb") as log:
                log.seek(self._offsets.get(file.name, 0))
                whole, _, _ = log.read().rpartition(b"\n")
            self._offsets[file.name] = self._offsets.get(file.name, 0) + len(whole) + bool(whole)
            for line in whole.decode().split("\n"):
                mark, names = told(line)
                self._acknowledged.update(names if mark == "!" else ())

    def _read_documents(self) -> Iterator[str]:
        for path in (*document_files(self._task).values(), self._task.rollup_state):
            content = self._read(path)
            if not content:
                continue
            try:
                document = json.loads(content)
            except ValueError as error:
                yield f"{path}: {error}: {content!r}"
                continue
            if path == self._task.post_rollout:
                yield from self._compare_totals(document["total_runs"])

    def _compare_totals(self, total: int) -> Iterator[str]:
        if total < self._total:
            yield f"{total} runs after {self._total}"
        self._total = total

    def _read_metrics(self) -> Iterator[str]:
        content = self._read(self._task.metrics)
        if not content.startswith(self._metrics):
            yield f"metrics.json has other bytes than before: {len(content)} after {len(self._metrics)}"
        new = content[len(self._metrics) :]
        if new and not new.endswith(b"\n"):
            yield f"metrics.json ends with a torn line: {new[-200:]!r}"
        try:
            yield from self._note_folded(run_ids(new.split(b"\n")[:-1]))
        except ValueError as error:
            yield f"metrics.json: {error}: {new!r}"
        self._metrics = content

    def _note_folded(self, found: list[str]) -> Iterator[str]:
        twice = [run_id for run_id, times in Counter(found).items() if run_id in self._folded or times > 1]
        if twice:
            yield f"metrics.json has an entry twice: {twice}"
        self._folded.update(found)

    def _find_acknowledged(self, *, thorough: bool) -> Iterator[str]:
        """In history, journal and queue. The queue first: what leaves it while we look is in the journal by then."""
        queued = [entry.line for files in read_queue(self._task.pending) for file in files for entry in file.entries]
        recorded = list(read_history(self._task, 0 if thorough else len(self._metrics)))
        self.reads += 1
        found = set(_readable(queued)) | set(_readable(recorded)) | self._folded
        missing = self._acknowledged - found
        if missing:
            yield f"acknowledged, and not found: {sorted(missing)}"
        self._acknowledged -= set() if thorough else self._folded

    def _read(self, path: Path) -> bytes:
        """Empty if there is no such file yet; that is no read."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return b""
        self.reads += 1
        return content


def _readable(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            yield json.loads(line)["run_id"]
        except ValueError:
            continue
