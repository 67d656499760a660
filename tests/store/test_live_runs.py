"""A run is alive exactly as long as its process holds its marker."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator_py.errors import RunHeldError, StoreError
from orchestrator_py.ids import RunId, parse_run_id, parse_task_id
from orchestrator_py.store import markers
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.live_runs import LiveRun, begin_live_run, is_live, lost_runs
from tests.store.faults import refuse_links

RUN = parse_run_id("run-1")
HOLDER = """
import os, signal, sys
from pathlib import Path
from orchestrator_py.store.layout import Layout
from orchestrator_py.store.live_runs import begin_live_run
from tests.store.faults import refuse_links
os.getpid = lambda: 1
match sys.argv[2]:
    case "no hard links":
        os.link = refuse_links
    case "dies while it makes its marker":
        os.link = lambda *_: signal.raise_signal(signal.SIGKILL)
run = begin_live_run(Layout.below(Path(sys.argv[1])).task("t"), "run-1")
print("alive", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["hard links", "no hard links"], autouse=True)
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT and exFAT have none, and keep what else is needed."""
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", refuse_links)


def task(root: Path) -> TaskLayout:
    return Layout.below(root).task(parse_task_id("t"))


def lost(root: Path) -> list[RunId]:
    found = list(lost_runs(task(root)))
    for run in found:
        run.release()
    return [run.run_id for run in found]


def start_holder(root: Path, way: str) -> "subprocess.Popen[str]":
    """Every process believes to be the first of its container."""
    arguments = [sys.executable, "-c", HOLDER, str(root), way]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def hold_in_another_process(root: Path) -> "subprocess.Popen[str]":
    holder = start_holder(root, "no hard links" if os.link is refuse_links else "")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "alive\n"
    return holder


def kill(holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    holder.communicate()


def test_a_run_is_alive_until_it_ends(tmp_path: Path) -> None:
    run = begin_live_run(task(tmp_path), RUN)
    assert is_live(task(tmp_path), RUN)
    assert lost(tmp_path) == []
    run.end()
    assert not is_live(task(tmp_path), RUN)
    assert list(task(tmp_path).live_runs.iterdir()) == []


def test_a_run_of_a_killed_process_is_lost_and_one_of_a_living_process_is_not(tmp_path: Path) -> None:
    holder = hold_in_another_process(tmp_path)
    try:
        assert is_live(task(tmp_path), RUN)
        assert lost(tmp_path) == []
    finally:
        kill(holder)
    assert lost(tmp_path) == [RUN]
    assert not is_live(task(tmp_path), RUN)


def test_a_live_run_cannot_be_begun_again(tmp_path: Path) -> None:
    holder = hold_in_another_process(tmp_path)
    try:
        with pytest.raises(RunHeldError, match="run-1 is held by another live process"):
            begin_live_run(task(tmp_path), RUN)
    finally:
        kill(holder)


def test_a_lost_run_can_be_taken_up_again(tmp_path: Path) -> None:
    kill(hold_in_another_process(tmp_path))
    run = begin_live_run(task(tmp_path), RUN)
    assert is_live(task(tmp_path), RUN)
    run.end()


def test_a_lost_run_that_is_released_is_found_again_and_one_that_is_ended_is_not(tmp_path: Path) -> None:
    begin_live_run(task(tmp_path), RUN).release()
    assert lost(tmp_path) == [RUN]
    for found in lost_runs(task(tmp_path)):
        found.end()
    assert lost(tmp_path) == []


def test_of_many_that_begin_the_same_run_one_gets_it(tmp_path: Path) -> None:
    def try_to_begin(_: int) -> LiveRun | None:
        try:
            return begin_live_run(task(tmp_path), RUN)
        except RunHeldError:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [run for run in pool.map(try_to_begin, range(64)) if run is not None]
    assert len(winners) == 1
    winners[0].end()


def test_what_a_killed_process_left_half_made_is_swept(tmp_path: Path) -> None:
    half_made = task(tmp_path).live_runs / ".run-1.77.0"
    half_made.parent.mkdir(parents=True)
    half_made.touch()
    assert lost(tmp_path) == []
    assert not half_made.exists()


def test_a_process_that_was_killed_while_it_made_its_marker_keeps_no_other_of_its_number_from_the_run(tmp_path: Path) -> None:
    killed = start_holder(tmp_path, "dies while it makes its marker")
    assert killed.communicate()[0] == ""
    assert killed.returncode == -signal.SIGKILL
    assert len(list(task(tmp_path).live_runs.iterdir())) == 1
    kill(hold_in_another_process(tmp_path))
    assert lost(tmp_path) == [RUN]
    assert [path.name for path in task(tmp_path).live_runs.iterdir()] == [RUN]


def test_a_run_may_have_the_longest_of_names(tmp_path: Path) -> None:
    begin_live_run(task(tmp_path), parse_run_id("x" * 255)).end()
    assert list(task(tmp_path).live_runs.iterdir()) == []


def test_a_folder_in_place_of_a_marker_is_refused_by_name(tmp_path: Path) -> None:
    (task(tmp_path).live_runs / "run-1").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"run-1: is a folder where a file belongs"):
        begin_live_run(task(tmp_path), RUN)


def test_whoever_only_looks_whether_a_run_lives_keeps_nobody_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_live_run(task(tmp_path), RUN).release()
    looking = os.open(task(tmp_path).live_runs / RUN, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(markers, "sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
    begin_live_run(task(tmp_path), RUN).end()
    os.close(looking)


def test_two_that_only_look_take_a_dead_owner_for_dead(tmp_path: Path) -> None:
    begin_live_run(task(tmp_path), RUN).release()
    looking = os.open(task(tmp_path).live_runs / RUN, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not is_live(task(tmp_path), RUN)
    os.close(looking)


def test_whoever_looks_for_ever_is_not_waited_for_any_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_live_run(task(tmp_path), RUN).release()
    looking = os.open(task(tmp_path).live_runs / RUN, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    pauses: list[float] = []
    monkeypatch.setattr(markers, "sleep", pauses.append)
    with pytest.raises(RunHeldError):
        begin_live_run(task(tmp_path), RUN)
    assert sum(pauses) == pytest.approx(1.0)
    os.close(looking)


# A disk that refuses -----------------------------------------------------------------------------------------------


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def refuse(module: ModuleType, call: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, call, fail)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_marker_that_cannot_be_made_leaves_no_file_and_no_descriptor(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(os, "rename" if os.link is refuse_links else "link", number, monkeypatch)
    before = descriptors()
    with pytest.raises(StoreError, match=f"cannot make the run's marker: {os.strerror(number)}"):
        begin_live_run(task(tmp_path), RUN)
    assert list(task(tmp_path).live_runs.iterdir()) == []
    assert descriptors() == before


@pytest.mark.parametrize("there_already", [True, False])
def test_where_nothing_can_be_locked_no_descriptor_is_kept(tmp_path: Path, there_already: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if there_already:
        begin_live_run(task(tmp_path), RUN).release()
    left = [RUN] if there_already else []
    before = descriptors()
    refuse(fcntl, "flock", errno.ENOLCK, monkeypatch)
    for look in (begin_live_run, is_live) if there_already else (begin_live_run,):
        with pytest.raises(StoreError, match=os.strerror(errno.ENOLCK)):
            look(task(tmp_path), RUN)
    assert [path.name for path in task(tmp_path).live_runs.iterdir()] == left
    assert descriptors() == before
