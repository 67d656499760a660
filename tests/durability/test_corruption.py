"""Whatever the bytes of any file of a task have become: it is read, or refused with a named error, and nothing that can be read is lost.

ORCHESTRATOR_PY_CORRUPT=N in the environment tries N cases instead of 2,000; ORCHESTRATOR_PY_SEED=K tries the seed K alone.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from orchestrator_py.core.history_lines import MergedLines, merge_lines, run_id_in
from orchestrator_py.store import history, journal, rebuild
from orchestrator_py.store.journal import Batch
from orchestrator_py.store.layout import TaskLayout
from tests.durability.corruption import KINDS, Report, explore
from tests.harness import Account, Row

WANTED = int(os.environ.get("ORCHESTRATOR_PY_CORRUPT", "2000"))
ONE = os.environ.get("ORCHESTRATOR_PY_SEED")


def explore_all() -> list[Report]:
    """A share for each core, each in a process of its own."""
    shares = os.cpu_count() or 1
    seeds = [range(first, WANTED, shares) for first in range(shares)] if ONE is None else [range(int(ONE), int(ONE) + 1)]
    with ProcessPoolExecutor(shares, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(explore, seeds))


@pytest.mark.timeout(120 + WANTED // 5)
def test_damaged_files_are_read_or_refused_by_name_and_nothing_readable_is_lost(account: Account) -> None:
    reports = explore_all()
    tried = sum(report.tried for report in reports)
    changed = sum(report.changed for report in reports)
    violations = [one for report in reports for one in report.violations]
    account(Row("corrupted files", tried, changed, len(violations)))
    assert violations == []
    assert changed == tried == (WANTED if ONE is None else 1)
    if ONE is None:
        assert set().union(*(report.kinds for report in reports)) == set(KINDS)
        assert sum(report.refusals for report in reports) > 0


# Planted bugs ------------------------------------------------------------------------------------------------------


def stop_at_a_bad_line(lines: Iterable[bytes]) -> MergedLines:
    """Everything behind it is dropped."""

    def good() -> Iterator[bytes]:
        for line in lines:
            yield line
            if run_id_in(line) is None:
                return

    return merge_lines(good())


def believe_every_batch(lines: bytes, commit_line: bytes, *_: object) -> Batch | None:
    found = journal._COMMIT_LINE.fullmatch(commit_line)
    try:
        fields = json.loads(found[2]) if found is not None else {}
    except ValueError:  # the damage went through the line itself
        return None
    if not isinstance(fields, dict) or not {"start", "absorbed"} <= fields.keys():
        return None
    return Batch(start=fields["start"], lines=lines, absorbed=tuple(fields["absorbed"]), commit_line=commit_line)


def salvage_nothing(task: TaskLayout) -> tuple[Path, ...]:
    return ()


def read_by_lines_of_text(file: Iterable[bytes]) -> Iterator[bytes]:
    return (part.encode() for line in file for part in line.decode().splitlines())


PLANTED: dict[str, tuple[object, str, Callable[..., object]]] = {
    "a rebuild drops everything behind a bad line": (rebuild, "merge_lines", stop_at_a_bad_line),
    "the checksum of a batch is not looked at": (journal, "_parse_batch", believe_every_batch),
    "a rebuild leaves a damaged journal as it is": (rebuild, "salvage", salvage_nothing),
    "the history is read as text": (history, "_lines", read_by_lines_of_text),
}


def plant(name: str) -> None:
    place, attribute, planted = PLANTED[name]
    setattr(place, attribute, planted)


def explore_planted(name: str) -> Report:
    return explore(range(200), lambda: plant(name), KINDS[:2], enough=1)


@pytest.mark.parametrize("name", PLANTED)
def test_the_damage_finds_a_planted_bug(name: str, account: Account) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        found = bool(pool.submit(explore_planted, name).result().violations)
    account(Row("mutants of corrupted files", 1, int(found), int(not found)))
    assert found
