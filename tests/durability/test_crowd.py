"""Many processes on one task, killed and stopped at any moment: nothing is lost, doubled or torn, and nobody waits for anybody.

In the environment: ORCHESTRATOR_PY_CROWD=SECONDS goes on with one task after the other for so long, ORCHESTRATOR_PY_CROWD_PROCESSES=N has
N processes instead of 8, ORCHESTRATOR_PY_SEED=N chooses other moments.
"""

import json
import os
import time
from pathlib import Path

import pytest

from tests.durability.crowd import Crowd, Wanted
from tests.durability.crowd_bugs import BUGS
from tests.harness import Account, Row
from tests.store.entries import task_below

SECONDS = float(os.environ.get("ORCHESTRATOR_PY_CROWD", "0"))
PROCESSES = int(os.environ.get("ORCHESTRATOR_PY_CROWD_PROCESSES", "8"))
SEED = int(os.environ.get("ORCHESTRATOR_PY_SEED", "1"))
WANTED = Wanted(kills=100, stops=20, reads=50_000)
LONG = Wanted(kills=1_000_000, seconds=60.0)


@pytest.mark.timeout(300 + 2 * SECONDS)
def test_a_crowd_with_kills_and_stops_loses_doubles_and_tears_nothing(tmp_path: Path, account: Account) -> None:
    ends = time.monotonic() + SECONDS
    crowds: list[Crowd] = []
    while not crowds or time.monotonic() < ends:
        number = len(crowds)
        crowds.append(Crowd(tmp_path / str(number), SEED + number, PROCESSES).run(LONG if SECONDS else WANTED))
    for crowd in crowds:
        read, stopped = crowd.wrong_of("reader"), crowd.wrong_of("nobody")
        account(Row(f"{PROCESSES} processes: kills", crowd.shots, crowd.kills, crowd.shots - crowd.kills))
        account(Row(f"{PROCESSES} processes: stops", crowd.stops, crowd.stops, stopped))
        account(Row(f"{PROCESSES} processes: foreign reads", crowd.reads, crowd.reads, read))
        account(Row(f"{PROCESSES} processes: entries acknowledged", crowd.entries, crowd.entries, len(crowd.wrong) - read - stopped))
    assert [complaint for crowd in crowds for complaint in crowd.wrong] == []
    assert all(crowd.kills == crowd.shots for crowd in crowds)
    for crowd in crowds:
        assert json.loads(task_below(crowd.root).post_rollout.read_bytes())["total_runs"] >= crowd.entries > 100


@pytest.mark.parametrize("bug", BUGS)
def test_the_crowd_finds_a_planted_bug(bug: str, tmp_path: Path) -> None:
    assert Crowd(tmp_path, SEED, size=4, bug=bug).run(Wanted(kills=200)).wrong
