"""No power loss, whatever came before it, loses or doubles an entry; and the explorer that says so finds what is wrong when it is.

ORCHESTRATOR_PY_EXPLORE=N in the environment explores N distinct states (at least 25,000) instead of 25,000.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from orchestrator_py.store import folders, history, journal, queue, recovery, rollup_files
from orchestrator_py.store.files import replacing
from orchestrator_py.store.owner import Owner
from tests.durability.explorer import Mode, Report, explore
from tests.harness import Account, Row
from tests.store.faults import COUNTS_SYNCS

pytestmark = COUNTS_SYNCS

WANTED = max(25_000, int(os.environ.get("ORCHESTRATOR_PY_EXPLORE", "0")))
SHARES = {Mode.ERROR: 0.34, Mode.KILL: 0.33, Mode.RECOVERY: 0.27, Mode.POWER: 0.17}
"""Together more than 1: modes meet some states of one another."""


def explore_all() -> list[Report]:
    """Every mode in a process of its own, as many at a time as there are cores."""
    with ProcessPoolExecutor(min(len(Mode), os.cpu_count() or 1), multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(explore, mode, distinct=int(WANTED * share)) for mode, share in SHARES.items()]
        return [one.result() for one in running]


def table(reports: list[Report]) -> str:
    """A line for each mode; `new` states are those that no mode above it has met."""
    lines = [f"\n{'mode':32}{'tried':>9}{'distinct':>10}{'new':>9}{'armed':>7}{'fired':>7}{'violations':>12}"]
    met: set[bytes] = set()
    for one in reports:
        new = len(one.seen - met)
        met |= one.seen
        numbers = f"{one.tried:9}{len(one.seen):10}{new:9}{one.armed:7}{one.fired:7}{len(one.violations):12}"
        lines.append(f"{one.mode.value:32}{numbers}")
    return "\n".join([*lines, f"{len(met)} distinct states"])


def give_account(account: Account, reports: list[Report]) -> None:
    """Every distinct state is a power loss that happened; the kills and errors before it are counted apart."""
    for one in reports:
        account(Row(f"crash states: {one.mode.value}", len(one.seen), len(one.seen), len(one.violations)))
        if one.armed:
            account(Row(f"crash states: faults of {one.mode.value}", one.armed, one.fired, 0))


@pytest.mark.timeout(120 + WANTED // 50)
def test_no_state_that_a_disk_may_keep_breaks_a_promise(capsys: pytest.CaptureFixture[str], account: Account) -> None:
    reports = explore_all()
    with capsys.disabled():
        print(table(reports))
    give_account(account, reports)
    assert [wrong for one in reports for wrong in one.violations] == []
    assert [one.mode for one in reports if one.armed != one.fired] == []
    assert [one.mode for one in reports if one.mode in (Mode.KILL, Mode.ERROR) and one.armed < one.calls] == [], "one at every call"
    assert len(set().union(*(one.seen for one in reports))) >= WANTED


@pytest.mark.parametrize("mode", [Mode.KILL, Mode.ERROR])
def test_every_injected_fault_fires(mode: Mode) -> None:
    report = explore(mode, distinct=1000)
    assert report.fired == report.armed > 20


# Planted bugs ------------------------------------------------------------------------------------------------------


def left_out(*arguments: object) -> None:
    """In the place of a sync."""


def not_removed(path: Path) -> bool:
    return False


def replacing_without_sync(path: Path, *, synced: bool) -> AbstractContextManager[int]:
    return replacing(path, synced=False)


def unlink_and_then_fold(owner: Owner) -> None:
    batches = list(owner.journal.acknowledged(owner.history.size))
    owner.journal.drop_segments()
    if batches:
        owner.history.extend(batch.lines for batch in batches)


def forget_the_rollup(rollups: rollup_files.RollupFiles) -> None:
    rollups._rollup = None


@pytest.mark.parametrize(
    ("place", "name", "planted", "mode"),
    [
        pytest.param(journal, "sync_data", left_out, Mode.POWER, id="a commit is not synced"),
        pytest.param(journal, "fsync_folder", left_out, Mode.POWER, id="the folder of a new segment is not synced"),
        pytest.param(history, "replacing", replacing_without_sync, Mode.POWER, id="metrics.json is not synced before its rename"),
        pytest.param(history, "fsync_folder", left_out, Mode.POWER, id="the folder of metrics.json is not synced"),
        pytest.param(Owner, "fold", unlink_and_then_fold, Mode.POWER, id="the segment goes before the history is durable"),
        pytest.param(queue, "replacing", replacing_without_sync, Mode.POWER, id="a queue file is not synced"),
        pytest.param(queue, "fsync_folder", left_out, Mode.POWER, id="the folder of a queue file is not synced"),
        pytest.param(folders, "fsync_folder", left_out, Mode.POWER, id="the folders above the first entry are not synced"),
        pytest.param(rollup_files, "replacing", replacing_without_sync, Mode.POWER, id="rollups are not synced before their rename"),
        pytest.param(rollup_files, "fsync_folder", left_out, Mode.POWER, id="a superseded rollup state comes back"),
        pytest.param(rollup_files.RollupFiles, "invalidate", forget_the_rollup, Mode.POWER, id="a superseded rollup state stays"),
        pytest.param(recovery, "remove_file", not_removed, Mode.POWER, id="an absorbed queue file stays"),
        pytest.param(recovery, "fsync_folder", left_out, Mode.RECOVERY, id="recovery acts on names that are not durable"),
    ],
)
def test_the_explorer_finds_a_planted_bug(
    place: object, name: str, planted: Callable[..., object], mode: Mode, monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    monkeypatch.setattr(place, name, planted)
    found = bool(explore(mode, distinct=3000).violations)
    account(Row("mutants of syncs and order", 1, int(found), int(not found)))
    assert found
