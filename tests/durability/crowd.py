"""A crowd of processes on one task, some killed, some stopped for a while, and foreign readers beside them."""

import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field, frozen

from orchestrator_py.store.audit import audit
from tests.durability.crowd_worker import PATIENCE_SECONDS, log_file, stop_file, told
from tests.store.entries import assert_settled, open_store, pending, recorded, run_ids, task_below

PROJECT = Path(__file__).parents[2]
_READERS = 2


@frozen(kw_only=True)
class Wanted:
    """A crowd ends when it has all of this, or after so many seconds."""

    kills: int = 0
    stops: int = 0
    reads: int = 0
    seconds: float = math.inf


@define
class Crowd:
    """One task below an empty root."""

    root: Path
    seed: int
    size: int = 8
    bug: str | None = None
    kills: int = 0
    """That hit a living process."""
    shots: int = 0
    stops: int = 0
    entries: int = 0
    wrong: list[str] = field(factory=list)
    _seats: dict[str, int] = field(factory=dict)
    _readers: list[int] = field(factory=list)
    _chance: random.Random = field(init=False)
    _server: "subprocess.Popen[str]" = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def wrong_of(self, *beginnings: str) -> int:
        return len([complaint for complaint in self.wrong if complaint.startswith(beginnings)])

    @property
    def reads(self) -> int:
        return sum(int(path.read_text() or "0") for path in (self.root / "reads").iterdir())

    def run(self, wanted: Wanted) -> "Crowd":
        """Until it has what is wanted, or something is wrong."""
        for name in ("log", "reads", "wrong"):
            (self.root / name).mkdir(parents=True)
        with self._serving():
            for number in range(self.size):
                self._seats[f"s{number}"] = self._ask("worker", f"s{number}")
            self._readers = [self._ask("reader", f"reader{number}") for number in range(_READERS)]
            began = time.monotonic()
            while not (self._hear_complaints() or self._has(wanted, time.monotonic() - began)):
                time.sleep(self._chance.uniform(0.0, 0.2))  # only spreads the moments
                self._disturb()
            if not self.wrong:
                self._end_all()
        self._hear_complaints()
        self._audit()
        return self

    def _has(self, wanted: Wanted, seconds: float) -> bool:
        enough = self.kills >= wanted.kills and self.stops >= wanted.stops and self.reads >= wanted.reads
        return enough or seconds >= wanted.seconds

    # What happens to it --------------------------------------------------------------------------------------------

    def _disturb(self) -> None:
        """A kill, or a stop that lasts until others have gone on."""
        seat = self._chance.choice(sorted(self._seats))
        if self._chance.random() < 0.8:
            self._kill(seat)
        else:
            self._stop(seat)

    def _kill(self, seat: str) -> None:
        os.kill(self._seats[seat], signal.SIGKILL)
        self.shots += 1
        code = int(self._ask("reap", str(self._seats[seat])))
        if code == -signal.SIGKILL:
            self.kills += 1
        self._seats[seat] = self._ask("worker", seat)

    def _stop(self, seat: str) -> None:
        """Nobody waits for who is stopped, whatever it holds: others are acknowledged."""
        os.kill(self._seats[seat], signal.SIGSTOP)
        self.stops += 1
        others = {other: size for other in self._seats if other != seat and (size := self._logged(other))}
        patience = time.monotonic() + PATIENCE_SECONDS
        while len([other for other, size in others.items() if self._logged(other) > size]) < min(2, len(others)):
            if time.monotonic() > patience:
                self.wrong.append(f"nobody was acknowledged while {seat} was stopped")
                break
            time.sleep(0.002)
        os.kill(self._seats[seat], signal.SIGCONT)

    def _logged(self, seat: str) -> int:
        """Acknowledgements that the seat has told."""
        path = log_file(self.root, seat)
        return path.read_bytes().count(b"\n!") if path.exists() else 0

    def _end_all(self) -> None:
        stop_file(self.root).touch()
        for name, pid in (*self._seats.items(), *((f"reader of pid {pid}", pid) for pid in self._readers)):
            code = self._ask("reap", str(pid))
            if code != 0:
                self.wrong.append(f"{name} ended with code {code}")

    # The server ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _serving(self) -> Iterator[None]:
        words = [sys.executable, "-m", "tests.durability.crowd_worker", str(self.root), str(self.seed), *([self.bug] if self.bug else [])]
        with subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as self._server:
            yield

    def _ask(self, word: str, name: str) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{word} {name}\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    # What must hold ------------------------------------------------------------------------------------------------

    def _hear_complaints(self) -> list[str]:
        told_so_far = [f"{path.name}: {path.read_text()}" for path in sorted((self.root / "wrong").iterdir())]
        self.wrong += [complaint for complaint in told_so_far if complaint not in self.wrong]
        return self.wrong

    def _audit(self) -> None:
        """Opened once more, folded and closed: everything acknowledged is there, nothing twice, nothing waits, and every run is counted."""
        try:
            self._assert_settled()
        except Exception as error:  # with a planted bug anything may be wrong
            self.wrong.append(f"{type(error).__name__}: {error}")

    def _assert_settled(self) -> None:
        task = task_below(self.root)
        acknowledged = self._acknowledged()
        self.entries = len(acknowledged)
        store = open_store(self.root)
        store.flush()
        store.close()
        found = Counter(recorded(task))
        assert [run_id for run_id in acknowledged if run_id not in found] == [], "acknowledged, and lost"
        assert [run_id for run_id, times in found.items() if times > 1] == [], "recorded twice"
        assert found.keys() == set(run_ids(task.metrics.read_bytes().split(b"\n")[:-1])), "all of it is folded"
        assert pending(task) == [], "nothing waits"
        assert audit(task).findings == (), "metrics verify says equal"
        assert_settled(task)

    def _acknowledged(self) -> set[str]:
        lines = [told(line) for seat in self._seats for line in log_file(self.root, seat).read_text().split("\n")]
        return {run_id for mark, names in lines if mark == "!" for run_id in names}
