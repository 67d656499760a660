"""One kill, or one error, at every call of the reference workload: what was acknowledged is there once, and recovery mends the rest."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from orchestrator_py.errors import StoreError
from orchestrator_py.store import journal
from orchestrator_py.store.history import read_history
from orchestrator_py.store.journal import Batch
from orchestrator_py.store.owner import Owner
from tests.harness import Account, Row
from tests.store.entries import all_files, assert_settled, open_store, task_below
from tests.store.faults import Calls, counting, write_half
from tests.store.kill_server import PLANTED, Kill, kill_all
from tests.store.scratch import scratch_folder
from tests.store.workload import run_workload


@pytest.fixture
def scratch() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


def assert_recovers(root: Path, acknowledged: list[str]) -> None:
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
    assert [one for one in acknowledged if on_record.count(one) != 1] == [], "acknowledged, and not there exactly once"
    assert len(on_record) == len(set(on_record)), "no entry twice"


def violation(root: Path, acknowledged: list[str]) -> str | None:
    """What does not hold after recovery; the root goes."""
    try:
        assert_recovers(root, acknowledged)
    except (AssertionError, StoreError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(root)
    return None


def calls_of_the_workload(root: Path, *, looking: bool = False) -> list[str]:
    """Their names, in order."""
    root.mkdir()
    names: list[str] = []
    with counting(Calls(at_call=lambda _, name, __: names.append(name), looking=looking, sync=False)):
        run_workload(root, lambda _: None)
    return names


# Kills -------------------------------------------------------------------------------------------------------------


def kills_everywhere(scratch: Path) -> list[Kill]:
    """At calls that only look, a kill leaves what one at the next change leaves. A write is also torn in the middle."""
    names = calls_of_the_workload(scratch / "whole")
    kills = [Kill(scratch / f"{number}", number, "before") for number in range(1, len(names) + 1)]
    return kills + [Kill(scratch / f"{number}-torn", number, "torn") for number, name in enumerate(names, 1) if name == "write"]


def test_a_kill_at_every_call_loses_and_doubles_nothing(scratch: Path, account: Account) -> None:
    kills = kills_everywhere(scratch)
    codes = kill_all(kills)
    violations = [f"{kill.root.name} {wrong}" for kill in kills if (wrong := violation(kill.root, kill.acknowledged))]
    account(Row("kill at every call", len(kills), codes.count(-9), len(violations)))
    assert violations == []
    assert codes == [-9] * len(kills)
    assert len(kills) > 250


def finds(kills: list[Kill], planted: str) -> bool:
    kill_all(kills, planted=planted)
    return any(violation(kill.root, kill.acknowledged) for kill in kills)


@pytest.mark.parametrize("planted", PLANTED)
def test_the_kills_find_a_planted_bug(scratch: Path, account: Account, planted: str) -> None:
    kills = kills_everywhere(scratch)
    found = any(finds(kills[first : first + 50], planted) for first in range(0, len(kills), 50))
    account(Row("mutants of syncs and order", 1, int(found), int(not found)))
    assert found


# Errors ------------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Fault:
    """At the n-th call, or from there on for good. Without a code it is a write that takes a part of its bytes, and says so."""

    code: int | None
    lasting: bool
    half: bool = False
    """A write that fails has written half nevertheless; a short one takes half, otherwise nothing."""

    def calls(self, wanted: int, *, looking: bool) -> Calls:
        def hits(number: int) -> bool:
            return number == wanted or (self.lasting and number > wanted)

        def fail(number: int, name: str, arguments: tuple[Any, ...]) -> None:
            if self.code is not None and hits(number):
                if name == "read" and self.code == errno.EINTR:
                    return  # the interpreter itself would read again, for ever
                if self.half and name == "write":
                    write_half(*arguments)
                raise OSError(self.code, "injected")

        def shortened(number: int, data: bytes) -> bytes:
            if self.code is not None or not hits(number) or (self.half and len(data) < 2):
                return data
            calls.raised += 1
            return data[: len(data) // 2 if self.half else 0]

        calls = Calls(at_call=fail, shortened=shortened, sync=False, looking=looking)
        return calls

    def __str__(self) -> str:
        name = errno.errorcode[self.code] if self.code is not None else ("half" if self.half else "nothing")
        often = "for good" if self.lasting else "once"
        return f"{name} {often}{', half written' if self.half and self.code is not None else ''}"


ERRORS = [
    Fault(code=code, lasting=lasting, half=half)
    for code in (errno.EIO, errno.ENOSPC, errno.EINTR)
    for lasting in (False, True)
    for half in (False, True)
]
ERRORS_WHILE_LOOKING = [
    Fault(code=code, lasting=lasting) for code, lasting in ((errno.EIO, False), (errno.EIO, True), (errno.EINTR, False))
]
SHORT_WRITES = [Fault(code=None, lasting=lasting, half=half) for lasting in (False, True) for half in (False, True)]


@frozen(kw_only=True)
class Attempt:
    """How the workload ended with a fault at one of its calls."""

    outcome: str
    fired: bool
    violation: str | None


def attempt(root: Path, fault: Fault, wanted: int, *, looking: bool = False) -> Attempt:
    root.mkdir()
    acknowledged: list[str] = []
    outcome = "no news"
    with counting(fault.calls(wanted, looking=looking)) as calls:
        try:
            run_workload(root, acknowledged.append)
        except StoreError as error:
            outcome = "store error" if "injected" in str(error) or (looking and str(root) in str(error)) else str(error)
    return Attempt(outcome=outcome, fired=calls.raised > 0, violation=violation(root, acknowledged))


def attempt_everywhere(scratch: Path, fault: Fault, names: Callable[[str], bool], *, looking: bool = False) -> list[Attempt]:
    calls = calls_of_the_workload(scratch / "whole", looking=looking)
    return [attempt(scratch / f"{number}", fault, number, looking=looking) for number, name in enumerate(calls, 1) if names(name)]


def is_write(name: str) -> bool:
    return name == "write"


def give_account(account: Account, attempts: list[Attempt], harness: str = "EIO, ENOSPC, EINTR, short write at every call") -> None:
    violations = [one.violation for one in attempts if one.violation is not None]
    account(Row(harness, len(attempts), sum(one.fired for one in attempts), len(violations)))
    assert violations == []
    assert all(one.fired for one in attempts)


@pytest.mark.parametrize("fault", ERRORS, ids=str)
def test_an_error_at_every_call_is_a_store_error_or_no_news(scratch: Path, fault: Fault, account: Account) -> None:
    """EINTR too: Python itself repeats a call that a signal interrupts, so one that comes through is an error like any other."""
    attempts = attempt_everywhere(scratch, fault, is_write if fault.half else lambda name: True)
    give_account(account, attempts)
    assert {one.outcome for one in attempts} <= ({"store error"} if fault.lasting else {"store error", "no news"})
    assert len(attempts) > (40 if fault.half else 200)


@pytest.mark.parametrize("fault", SHORT_WRITES, ids=str)
def test_a_short_write_goes_on_until_all_is_written_and_one_of_nothing_is_an_error(scratch: Path, fault: Fault, account: Account) -> None:
    attempts = attempt_everywhere(scratch, fault, is_write)
    give_account(account, attempts)
    refused = any("takes no more bytes" in one.outcome for one in attempts)
    assert refused is not fault.half
    assert fault.half or {one.outcome for one in attempts if "takes no more bytes" not in one.outcome} <= {"no news"}
    assert not fault.half or {one.outcome for one in attempts} == {"no news"}
    assert len(attempts) > 40


@pytest.mark.parametrize("fault", ERRORS_WHILE_LOOKING, ids=str)
def test_an_error_at_every_call_that_only_looks_is_a_store_error_or_no_news(scratch: Path, fault: Fault, account: Account) -> None:
    others = ("write", "fsync", "fdatasync", "replace", "unlink", "mkdir", *(("read",) if fault.code == errno.EINTR else ()))
    attempts = attempt_everywhere(scratch, fault, lambda name: name not in others, looking=True)
    give_account(account, attempts, "EIO, EINTR at every call that only looks")
    assert {one.outcome for one in attempts} <= {"store error", "no news"}
    assert len(attempts) > 200


# Planted bugs ------------------------------------------------------------------------------------------------------


def acknowledged_whatever_happens(owner: Owner, batch: Batch) -> None:
    with suppress(StoreError):
        owner.journal.append(batch)


def written_as_far_as_it_went(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)


@pytest.mark.parametrize(
    ("place", "name", "planted", "fault"),
    [
        pytest.param(
            Owner, "_append", acknowledged_whatever_happens, Fault(code=errno.EIO, lasting=False), id="a failed commit is acknowledged"
        ),
        pytest.param(
            journal,
            "write_all",
            written_as_far_as_it_went,
            Fault(code=None, lasting=False, half=True),
            id="a short write is not gone on with",
        ),
    ],
)
def test_the_errors_find_a_planted_bug(
    scratch: Path, account: Account, monkeypatch: pytest.MonkeyPatch, place: object, name: str, planted: Callable[..., object], fault: Fault
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(place, name, planted)
        attempts = attempt_everywhere(scratch, fault, is_write)
    found = any(one.violation for one in attempts)
    account(Row("mutants of syncs and order", 1, int(found), int(not found)))
    assert found
