"""One kill, or one error, at every call of the reference workload: what was acknowledged is there once, and recovery mends the rest."""

import errno
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orchestrator_py.errors import StoreError
from orchestrator_py.store.history import read_history
from tests.store.entries import all_files, assert_settled, open_store, task_below
from tests.store.faults import Calls, counting, write_half
from tests.store.workload import run_workload

PROJECT = Path(__file__).parents[2]


def audit(root: Path, acknowledged: list[str]) -> None:
    """Opens the task as the next process would."""
    with counting(Calls(sync=False)):
        open_store(root).close()
        settled = all_files(root)
        open_store(root).close()
        assert all_files(root) == settled, "recovery twice changes nothing"
    task = task_below(root)
    assert_settled(task)
    entries = [json.loads(line) for line in read_history(task)]
    on_record = [f"{entry['run_id']} {entry['status']}" for entry in entries]
    assert [one for one in acknowledged if on_record.count(one) != 1] == []
    assert len(on_record) == len(set(on_record))


def changing_calls(root: Path) -> list[str]:
    """The names of the workload's calls, in order."""
    root.mkdir()
    names: list[str] = []
    with counting(Calls(at_call=lambda _, name, __: names.append(name))):
        run_workload(root, lambda _: None)
    return names


def kill_and_audit(root: Path, number: int, kind: str) -> None:
    root.mkdir()
    child = subprocess.run(
        [sys.executable, "-m", "tests.store.workload", root, str(number), kind], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert child.returncode == -9, child.stderr
    (root / "acknowledged").write_text(child.stdout)


def test_a_kill_at_every_call_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Syncs are left out: to a kill they make no difference. A write is also torn in the middle."""
    names = changing_calls(tmp_path / "whole")
    wanted = [(number, "before") for number, name in enumerate(names, 1) if name not in ("fsync", "fdatasync")]
    wanted += [(number, "torn") for number, name in enumerate(names, 1) if name == "write"]
    roots = [tmp_path / f"{number}-{kind}" for number, kind in wanted]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda root, kill: kill_and_audit(root, *kill), roots, wanted))
    for root in roots:
        acknowledged = (root / "acknowledged").read_text().split("\n")[:-1]
        (root / "acknowledged").unlink()
        audit(root, acknowledged)


@pytest.mark.parametrize(("code", "lasting"), [(errno.EIO, False), (errno.ENOSPC, True)], ids=["EIO once", "ENOSPC for good"])
@pytest.mark.parametrize("half", [False, True], ids=["nothing written", "half written"])
def test_an_error_at_every_call_is_a_store_error_or_no_news(tmp_path: Path, code: int, lasting: bool, half: bool) -> None:
    outcomes: set[str] = set()
    for wanted in range(1, len(changing_calls(tmp_path / "whole")) + 1):
        root = tmp_path / str(wanted)
        root.mkdir()

        def fail(number: int, name: str, arguments: tuple[Any, ...], wanted: int = wanted) -> None:
            if number == wanted or (lasting and number > wanted):
                if half and name == "write":
                    write_half(*arguments)
                raise OSError(code, "injected")

        acknowledged: list[str] = []
        with counting(Calls(at_call=fail, sync=False)) as calls:
            try:
                run_workload(root, acknowledged.append)
                outcomes.add("no news")
            except StoreError as error:
                outcomes.add("store error" if "injected" in str(error) else str(error))
        assert calls.raised > 0
        audit(root, acknowledged)
    assert outcomes == ({"store error"} if lasting else {"store error", "no news"})
