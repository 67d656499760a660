"""Wherever a process dies that shows runs in flight, or recovers them: each run is on record once at most, with the word that holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_py.store import lost_flights
from orchestrator_py.store.files import list_folder
from orchestrator_py.store.history import read_history
from orchestrator_py.store.lost_flights import complete_lost_flights
from tests.harness import Account, Row
from tests.store.entries import assert_settled, now, open_store, task_below

PROJECT = Path(__file__).parents[2]


def kill_everywhere(top: Path, kind: str) -> list[Path]:
    """The folders that the killed processes left, in the order of their calls; the last process lived."""
    subprocess.run([sys.executable, "-m", "tests.durability.flight_kills", str(top), kind], cwd=PROJECT, check=True)
    return sorted((path for path in top.iterdir() if path.is_dir()), key=lambda path: int(path.name))


def recovered(root: Path) -> list[str]:
    """What is on record when two more processes have opened the task: run and status."""
    for _ in range(2):
        store = open_store(root)
        complete_lost_flights(task_below(root), store, now)
        store.close()
    assert list_folder(task_below(root).in_flight) == []
    assert_settled(task_below(root))
    return [f"{entry['run_id']} {entry['status']}" for entry in map(json.loads, read_history(task_below(root)))]


def acknowledged(root: Path) -> set[str]:
    return set(Path(f"{root}.acknowledged").read_text().split("\n")[:-1])


def violations(roots: list[Path]) -> list[str]:
    """A run that is there twice, and one that is not there as it was acknowledged."""
    found = []
    for root in roots:
        on_record = recovered(root)
        if len({line.partition(" ")[0] for line in on_record}) < len(on_record) or not acknowledged(root) <= set(on_record):
            found.append(f"{root.name}: {on_record}, acknowledged {sorted(acknowledged(root))}")
    return found


def test_a_kill_at_every_call_of_a_process_that_shows_runs(tmp_path: Path, account: Account) -> None:
    roots = kill_everywhere(tmp_path, "flight")
    assert len(roots) > 30
    wrong = violations(roots)
    account(Row("kills: a process that shows runs in flight", len(roots), len(roots), len(wrong)))
    assert wrong == []
    ends = {tuple(recovered(root)) for root in roots}
    assert ends == {
        (),  # nothing was shown yet
        ("a failed",),
        ("a failed", "b failed"),
        ("a succeeded", "b failed"),
        ("a succeeded",),  # it has lived, or was about to leave
    }


def test_a_kill_at_every_call_of_a_process_that_recovers_them(tmp_path: Path, account: Account) -> None:
    roots = kill_everywhere(tmp_path, "recovery")
    assert len(roots) > 20
    wrong = violations(roots)
    account(Row("kills: a process that recovers runs in flight", len(roots), len(roots), len(wrong)))
    assert wrong == []
    assert {tuple(recovered(root)) for root in roots} == {("a failed", "b failed")}


def test_a_recovery_that_does_not_look_at_the_record_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_flights, "_on_record", lambda *_: set())
    assert violations(kill_everywhere(tmp_path, "flight")) != []
