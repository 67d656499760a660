"""The heir of a worker ends what a worker leaves running, and nothing else; real processes, killed without a word."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import frozen

from orchestrator_py.executors.heir_program import left_running
from tests.executors.cluster import PROJECT, processes_with, wait_until
from tests.stages.running import is_running

_MARK = f"7{os.getpid()}.5"
_OWNER = """
import subprocess, sys
from contextlib import ExitStack
from orchestrator_py.executors.heir import heir

def start():
    group = subprocess.Popen(["sh", "-c", "sleep MARK & echo $!; exec sleep MARK"], stdout=subprocess.PIPE, start_new_session=True)
    return group.pid, int(group.stdout.readline())

def tell(*pids):
    print(*pids, heir._process.pid, flush=True)

with ExitStack() as stack:
    ended, running = start(), start()
    with heir.knowing(ended[0]):
        stack.enter_context(heir.knowing(running[0]))
    tell(*ended, *running)
    for _ in sys.stdin:
        again = start()
        stack.enter_context(heir.knowing(again[0]))
        tell(*again)
""".replace("MARK", _MARK)


@frozen
class Owner:
    """A program that has an heir; each answer ends with the heir's number."""

    process: "subprocess.Popen[str]"

    def read(self) -> list[int]:
        assert self.process.stdout is not None
        return [int(word) for word in self.process.stdout.readline().split()]

    def ask(self) -> list[int]:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()


@pytest.fixture
def owner() -> Iterator[Owner]:
    process = subprocess.Popen(
        [sys.executable, "-c", _OWNER], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        yield Owner(process)
        process.kill()
    for pid in processes_with(_MARK):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_what_runs_when_its_owner_is_killed_is_killed_with_its_children_and_what_has_ended_is_left_alone(owner: Owner) -> None:
    *ended, shell, child, heir = owner.read()
    os.killpg(owner.process.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, (shell, child, heir))))
    assert all(map(is_running, ended))


def test_an_heir_that_was_killed_has_a_successor_that_knows_everything(owner: Owner) -> None:
    *_, shell, child, heir = owner.read()
    os.kill(heir, signal.SIGKILL)
    wait_until(lambda: not is_running(heir))
    *others, successor = owner.ask()
    assert successor != heir
    owner.process.kill()
    wait_until(lambda: not any(map(is_running, (shell, child, *others, successor))))


def test_an_heir_heeds_no_signal_that_is_meant_for_the_worker_and_goes_with_it(owner: Owner) -> None:
    heir = owner.read()[-1]
    wait_until(lambda: _ignores(heir, signal.SIGTERM))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(heir, number)
    assert owner.ask()[-1] == heir
    owner.process.terminate()
    wait_until(lambda: not is_running(heir))


def test_a_torn_line_tells_nothing() -> None:
    assert left_running([b"+12\n", b"+34\n", b"-12\n", b"-3"]) == {34}
    assert left_running([b"+12\n", b"+3"]) == {12}


def _ignores(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.partition("SigIgn:")[2].split()[0], 16) >> (number - 1) & 1)
