"""The crash-state explorer: what a power loss at any call may leave, after what other faults, is recovered and audited.

One round runs the workload (and, after a kill or an error, the recovery) on a recorded file system and takes states before every
call and after the last. States that were met before are counted and not audited again.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from hashlib import blake2b
from itertools import count, cycle
from pathlib import Path
from random import Random

from attrs import define, field, frozen

from orchestrator_py.errors import StoreError
from tests.durability.filesystem import CrashState, Faults, RecordedFileSystem
from tests.durability.workload import Auditor, key_of, recover, work, write_state

_CHANCES = ((0.0, 0.5, 0.5, 0.5), (1.0, 0.5, 0.5, 0.5))
"""Of what is not durable to survive: nothing and all in turns, and three mixtures each time."""
_ENOUGH_VIOLATIONS = 5


class Mode(Enum):
    """What happens before the power is lost."""

    POWER = "power loss at every call"
    KILL = "kill, then power loss"
    ERROR = "error, kill, then power loss"
    RECOVERY = "power loss inside recovery"


@define(kw_only=True)
class Report:
    """`armed` and `fired` count kills and errors; a power loss needs no arming, for every call is one."""

    mode: Mode
    calls: int = 0
    """Of the whole workload: a kill, or an error, at each of them needs so many rounds."""
    tried: int = 0
    seen: set[bytes] = field(factory=set)
    armed: int = 0
    fired: int = 0
    violations: list[str] = field(factory=list)


@frozen(kw_only=True)
class Sample:
    """A state and what had been acknowledged, run and status, before the power was lost."""

    state: CrashState
    acknowledged: list[str]


def explore(mode: Mode, *, distinct: int, seed: int = 1, most: int = 40) -> Report:
    """Rounds until so many distinct states were audited, until `most` times as many were tried, or until enough is wrong."""
    report = Report(mode=mode)
    random = Random(f"{seed} {mode.name}")
    with _scratch_folder() as scratch:
        explorer = Explorer(scratch=scratch, random=random, report=report)
        for number in count(1):
            for sample in explorer.round(number):
                explorer.check(sample, f"round {number} of seed {seed}")
                if len(report.seen) >= distinct or report.tried >= distinct * most or len(report.violations) >= _ENOUGH_VIOLATIONS:
                    return report
    raise AssertionError


@define(kw_only=True)
class Explorer:
    """The rounds of one exploration, with a folder for the live files and one for the state under audit."""

    scratch: Path
    random: Random
    report: Report
    auditor: Auditor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.auditor = Auditor(self.scratch / "audited")
        disk = self._disk(Faults())
        with disk.recording():
            work(Path(disk.root), lambda _: None)
        self.report.calls = disk.calls

    def round(self, number: int) -> Iterator[Sample]:
        match self.report.mode:
            case Mode.POWER:
                yield from self._work()
            case Mode.KILL:
                yield from self._work_and_recover(Faults(kill_at=1 + number % self.report.calls, torn=self._now_and_then(0.5)))
            case Mode.ERROR:
                error_at = 1 + number % self.report.calls
                kill_at = error_at + self.random.randrange(1, 12)
                lasting, torn = self._now_and_then(0.3), self._now_and_then(0.5)
                yield from self._work_and_recover(Faults(error_at=error_at, kill_at=kill_at, lasting=lasting, torn=torn))
            case Mode.RECOVERY:
                for sample in self._work():
                    if self._now_and_then(0.01):
                        yield from self._recover(sample)

    def _now_and_then(self, chance: float) -> bool:
        return self.random.random() < chance

    def check(self, sample: Sample, place: str) -> None:
        report = self.report
        report.tried += 1
        digest = blake2b(repr((key_of(sample.state), sample.acknowledged)).encode(), digest_size=12).digest()
        if digest in report.seen:
            return
        report.seen.add(digest)
        _emptied(self.auditor.root)
        wrong = self.auditor.audit(sample.state, sample.acknowledged)
        if wrong is not None:
            report.violations.append(f"{report.mode.value}, {place}: {wrong}")

    # Rounds ----------------------------------------------------------------------------------------------------

    def _work(self) -> list[Sample]:
        disk = self._disk(Faults())
        acknowledged: list[str] = []
        return self._sampled(disk, acknowledged, lambda: work(Path(disk.root), acknowledged.append))

    def _work_and_recover(self, faults: Faults) -> list[Sample]:
        """A kill that comes after the end of a failed workload is that end: all that it leaves is on the disk either way."""
        disk = self._disk(faults)
        acknowledged: list[str] = []
        with disk.recording():
            work(Path(disk.root), acknowledged.append)
        self.report.armed += 1
        self.report.fired += disk.errors > 0 if faults.error_at is not None else disk.dead
        return self._sampled(disk, acknowledged, lambda: recover(Path(disk.root)), chance=0.25)

    def _recover(self, sample: Sample) -> list[Sample]:
        root = _emptied(self.scratch / "live")
        write_state(sample.state, root)
        return self._sampled(RecordedFileSystem(root=str(root)), sample.acknowledged, lambda: recover(root))

    def _sampled(self, disk: RecordedFileSystem, acknowledged: list[str], run: Callable[[], None], chance: float = 1) -> list[Sample]:
        """States from before each call, with that chance, and from after the last."""
        samples: list[Sample] = []
        chances = cycle(_CHANCES)

        def take() -> None:
            if self._now_and_then(chance):
                samples.extend(Sample(state=disk.crash(self.random, survival), acknowledged=[*acknowledged]) for survival in next(chances))

        disk.restart(before_call=take)
        try:
            with disk.recording():
                run()
        except (AssertionError, StoreError, ValueError) as error:
            self.report.violations.append(f"{self.report.mode.value}, on the files of a dead process: {error}")
        take()
        return samples

    def _disk(self, faults: Faults) -> RecordedFileSystem:
        return RecordedFileSystem(root=str(_emptied(self.scratch / "live")), faults=faults)


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """In memory where that is possible: what a disk keeps is the model's affair."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="crash-states-", dir=memory) as folder:
        yield Path(folder)
