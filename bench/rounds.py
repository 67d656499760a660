"""Rounds: in each, every program runs once, and another one begins, so that a busy moment or a warm cache favours none of them."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import BenchError
from bench.measure import measure
from bench.model import Case, Measured, Sample, Workload
from bench.peers import PEERS

Tell = Callable[[str], None]


@contextmanager
def session(peers: Path) -> Iterator[Path]:
    """A folder for what is measured, on the disk of the peers: a temporary folder may be one in memory, where durability is free."""
    peers.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="session-", dir=peers, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def run_workload(workload: Workload, *, repetitions: int, shared: Path, peers: Path, chosen: Sequence[str], tell: Tell) -> Measured:
    """One round more than asked for; the first is not counted. A program that fails is told, and left out from there."""
    absent = {case.program: why for case in workload.cases if (why := _why_absent(case, peers, chosen))}
    turns = deque(case for case in workload.cases if case.program not in absent)
    rounds: list[dict[str, Sample]] = []
    for number in range(repetitions + 1):
        rounds.append({})
        for case in list(turns):
            try:
                tell(f"{workload.name} round {number} of {repetitions}: {case.name}")
                rounds[-1][case.name] = measure(case, shared=shared, peers=peers)
            except BenchError as error:
                tell(str(error))
                absent[case.name] = str(error)
                turns.remove(case)
        turns.rotate(-1)
    counted = [{name: sample for name, sample in samples.items() if name not in absent} for samples in rounds[1:]]
    return Measured(workload=workload, rounds=counted, absent=absent)


def _why_absent(case: Case, peers: Path, chosen: Sequence[str]) -> str:
    peer = PEERS.get(case.program)
    if peer is None:
        return ""
    if case.program not in chosen:
        return "not chosen"
    return "" if peer.is_installed(peers) else "not installed"
