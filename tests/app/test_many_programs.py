"""Whole programs on one task at the same time, command lines and embedded managers: every run counts once, nobody waits for an owner."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.cli.running import (
    PATIENCE_SECONDS,
    PROJECT,
    as_object,
    command,
    configure_stages,
    entries,
    environment,
    read_object,
    run,
    run_all,
)

TASK = "task-1"
RUNS = 10
EMBEDDED = """
import asyncio, sys
from tests.app.agents import TASK, Crew, items

async def main():
    async with Crew(items("a", "b")).manager(root=sys.argv[1]) as manager:
        print((await manager.execute(TASK)).run_id, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for summary in await asyncio.gather(*(manager.execute(TASK) for _ in range(int(sys.argv[2])))):
            print(summary.run_id, flush=True)

asyncio.run(main())
"""
FORKING = """
import asyncio, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from tests.app.agents import TASK, Crew, items

def own_run(root):
    return asyncio.run(run(root))

async def run(root):
    async with Crew(items("a", "b")).manager(root=root) as manager:
        return (await manager.execute(TASK)).run_id

async def main():
    root = sys.argv[1]
    async with Crew(items("a", "b")).manager(root=root) as manager:
        print((await manager.execute(TASK)).run_id)
        pool = ProcessPoolExecutor(2, multiprocessing.get_context("fork"))
        for run_id in await asyncio.gather(*(asyncio.wrap_future(pool.submit(own_run, root)) for _ in range(4))):
            print(run_id)
    print(await run(root), flush=True)
    sys.stdin.read()
    pool.shutdown()

asyncio.run(main())
"""


def start_embedded(root: Path, runs: int) -> "subprocess.Popen[str]":
    """Tells each run id once it is on record; after the first it waits for a line, or the end of its stdin."""
    words = [sys.executable, "-c", EMBEDDED, str(root), str(runs)]
    return subprocess.Popen(words, cwd=PROJECT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def first_run(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def other_runs(process: "subprocess.Popen[str]") -> list[str]:
    """Lets it go on, to its end."""
    stdout, _ = process.communicate("go on\n", timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    return stdout.split()


def assert_counted_once(root: Path, run_ids: list[str]) -> None:
    """After the last process has ended."""
    assert sorted(str(entry["run_id"]) for entry in entries(root, TASK)) == sorted(run_ids)
    assert os.listdir(root / ".runs" / TASK / "metrics.pending") == []
    assert read_object(root / ".runs" / TASK / "metrics" / "post-rollout.json")["total_runs"] == len(run_ids)
    verified = run(root, "metrics", "verify")
    assert (verified.code, verified.stdout) == (0, f"{TASK}: equal\n")


def test_eight_command_lines_at_once(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    all_finished = run_all(tmp_path, 8, "run", "--task", TASK, "--format", "json")
    assert [finished.code for finished in all_finished] == [0] * 8
    assert_counted_once(tmp_path, [str(finished.document()["run_id"]) for finished in all_finished])


def test_two_embedded_managers_in_different_processes_at_once(tmp_path: Path) -> None:
    """Both have the task open before either goes on: one owns it, the other one queues."""
    both = [start_embedded(tmp_path, RUNS) for _ in range(2)]
    run_ids = [first_run(process) for process in both]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
    run_ids += [run_id for process in both for run_id in other_runs(process)]
    assert len(run_ids) == 2 * (1 + RUNS)
    assert_counted_once(tmp_path, run_ids)


def test_command_lines_do_not_wait_for_a_manager_that_holds_the_task(tmp_path: Path) -> None:
    """The manager's process is stopped as long as they run: it cannot do anything for them."""
    configure_stages(tmp_path, command("a", "true"))
    manager = start_embedded(tmp_path, RUNS)
    run_ids = [first_run(manager)]
    manager.send_signal(signal.SIGSTOP)
    try:
        all_finished = run_all(tmp_path, 3, "run", "--task", TASK, "--format", "json")
    finally:
        queued = list((tmp_path / ".runs" / TASK / "metrics.pending").glob("*.jsonl"))
        manager.send_signal(signal.SIGCONT)
    assert [finished.code for finished in all_finished] == [0] * 3
    assert len(queued) == 3, "the manager holds the task all the time"
    for finished in all_finished:
        document = as_object(finished.document())
        assert read_object(tmp_path / str(document["manifest"]))["metrics_recorded"] is True
        run_ids.append(str(document["run_id"]))
    run_ids += other_runs(manager)
    assert_counted_once(tmp_path, run_ids)


def test_a_manager_that_has_nothing_to_do_takes_in_what_command_lines_have_recorded(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    manager = start_embedded(tmp_path, 0)
    first_run(manager)
    assert [finished.code for finished in run_all(tmp_path, 2, "run", "--task", TASK)] == [0] * 2
    rollup = tmp_path / ".runs" / TASK / "metrics" / "post-rollout.json"
    until = time.monotonic() + PATIENCE_SECONDS
    while read_object(rollup)["total_runs"] != 3:
        assert time.monotonic() < until, "the manager only waits for mail"
        time.sleep(0.1)
    assert os.listdir(tmp_path / ".runs" / TASK / "metrics.pending") == []
    assert len(entries(tmp_path, TASK)) == 3
    assert other_runs(manager) == []


def test_a_pool_of_workers_that_outlives_a_manager_keeps_its_task_from_nobody(tmp_path: Path) -> None:
    """Each worker is forked while a manager holds the task, opens one of its own, and lives on when that of the program has closed."""
    words = [sys.executable, "-c", FORKING, str(tmp_path)]
    with subprocess.Popen(words, cwd=PROJECT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        run_ids = [program.stdout.readline().strip() for _ in range(6)]
        assert_counted_once(tmp_path, run_ids)  # the workers still wait for work
        program.communicate(timeout=PATIENCE_SECONDS)
    assert program.returncode == 0
    assert run(tmp_path, "metrics", "verify").code == 0
