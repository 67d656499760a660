"""A few kills of the real command line at its system calls, and two planted bugs that such kills must find. `strace_kills` does thousands.

ORCHESTRATOR_PY_STRACE_KILLS=N in the environment kills N times, in two processes.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from orchestrator_py.app import run_service
from orchestrator_py.store.history import History
from tests.cli.running import PROJECT, environment
from tests.durability.strace_aims import Aim, Situation, strace_problem
from tests.durability.strace_kills import ROW, Campaign
from tests.harness import Account, Row

KILLS = max(8, int(os.environ.get("ORCHESTRATOR_PY_STRACE_KILLS", "0")))
_PROBLEM = strace_problem()

pytestmark = pytest.mark.skipif(_PROBLEM is not None, reason=_PROBLEM or "")


@pytest.mark.timeout(120 + 3 * KILLS)
def test_kills_at_system_calls_lose_and_double_nothing(tmp_path: Path, account: Account) -> None:
    words = [
        "--kills",
        str(KILLS),
        "--processes",
        "1" if KILLS == 8 else "2",
        "--folder",
        str(tmp_path),
        "--totals",
        str(tmp_path / "totals"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.durability.strace_kills", *words],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    totals = json.loads((tmp_path / "totals").read_text()) if (tmp_path / "totals").exists() else {}
    account(Row(ROW, totals.get("tried", 0), totals.get("fired", 0), totals.get("violations", 1)))
    assert done.returncode == 0, done.stderr
    assert totals["tried"] == KILLS
    assert totals["fired"] > KILLS // 4, "numbers of a task's first run are not reached again"
    assert totals["violations"] == 0


# Planted bugs ------------------------------------------------------------------------------------------------------


def no_answer(*arguments: object) -> tuple[str, ...]:
    """No lost run is completed, no batch is folded."""
    return ()


PLANTED: dict[str, tuple[object, str, Aim]] = {
    "a lost run is not completed": (run_service, "complete_lost_runs", Aim(situation=Situation.OWNER, call="fdatasync", number=1)),
    "a folded segment is not recognised": (History, "holds", Aim(situation=Situation.OWNER, call="unlink", number=1, watched=True)),
}


def kill_with_bug(root: Path, bug: str) -> Campaign:
    """In a process of its own: the bug is planted where the clean runs are forked, not in the killed ones."""
    place, name, aim = PLANTED[bug]
    getattr(place, name)  # it must be there
    setattr(place, name, no_answer)
    return Campaign(root, seed=1, kills=1, aims=[aim]).run()


@pytest.mark.parametrize("bug", PLANTED)
def test_the_kills_find_a_planted_bug(bug: str, tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        campaign = pool.submit(kill_with_bug, tmp_path, bug).result()
    assert campaign.fired > 0
    assert campaign.violations
