"""What runs at the same time and what does not, proved by stages that wait for one another, and several command lines at once."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.running import (
    Data,
    as_list,
    as_object,
    assert_agreement,
    command,
    configure,
    configure_stages,
    entries,
    finish,
    only_record,
    pipeline,
    records,
    run,
    run_all,
    start,
    subpipeline,
)


def meets(mine: str, other: str) -> Data:
    """A stage that ends only when the other one runs too: both open both FIFOs, one for writing and one for reading."""
    halves = [f"echo {mine} > {mine}", f"read word < {other}"]
    return command(mine, "; ".join(halves if mine < other else reversed(halves)), timeoutSeconds=30)


def make_fifos(folder: Path, *names: str) -> None:
    for name in names:
        os.mkfifo(folder / name)


@pytest.mark.parametrize("how", ["parallel", "needs"])
def test_stages_run_at_the_same_time(tmp_path: Path, how: str) -> None:
    make_fifos(tmp_path, "x", "y")
    stages = [command("first", "true"), meets("x", "y"), meets("y", "x")]
    if how == "needs":
        stages = [stages[0], *({**stage, "needs": ["first"]} for stage in stages[1:])]
    configure_stages(tmp_path, *stages, **({"parallel": True} if how == "parallel" else {}))
    finished = run(tmp_path, "run", "-j", "2")
    assert finished.code == 0, finished.stderr
    assert_agreement(tmp_path, only_record(tmp_path), "succeeded")


@pytest.mark.parametrize(("parallel", "jobs"), [(False, "8"), (True, "1")], ids=["the order of the file", "one job"])
def test_one_after_the_other_in_the_order_of_the_file(tmp_path: Path, parallel: bool, jobs: str) -> None:
    """Each stage refuses to run beside another one, whatever the target is."""
    names = ["a", "b", "c", "d", "e"]
    alone = "mkdir busy && echo {} >> order && rmdir busy"
    configure_stages(tmp_path, *(command(name, alone.format(name)) for name in names), parallel=parallel)
    finished = run(tmp_path, "run", "-j", jobs, "--target", "d")
    assert finished.code == 0, finished.stderr
    assert (tmp_path / "order").read_text().split() == names
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "succeeded")
    group = as_object(record.summary["group"])
    assert [entry["subtaskId"] for entry in as_list(group["entries"])] == ["p:d", "p:a", "p:b", "p:c", "p:e"]
    stages = list(record.commands.values())
    assert all(str(before["completed_at"]) <= str(after["started_at"]) for before, after in pairwise(stages))


def test_two_child_runs_at_the_same_time(tmp_path: Path) -> None:
    make_fifos(tmp_path, "x", "y")
    configure(
        tmp_path,
        pipeline("p", subpipeline("one", "c"), subpipeline("two", "d"), parallel=True),
        pipeline("c", meets("x", "y")),
        pipeline("d", meets("y", "x")),
    )
    finished = run(tmp_path, "run", "-j", "2")
    assert finished.code == 0, finished.stderr
    *children, parent = records(tmp_path)
    assert {child["run_id"] for child in as_list(parent.manifest["child_runs"])} == {child.manifest["run_id"] for child in children}
    for record in (*children, parent):
        assert_agreement(tmp_path, record, "succeeded")


@pytest.mark.parametrize(("policy", "statuses"), [("stop", "succeeded"), ("cancel", "failed")])
def test_what_a_failure_does_to_a_stage_that_runs(tmp_path: Path, policy: str, statuses: str) -> None:
    """The other one waits for the failure: told by a FIFO, it would end well."""
    make_fifos(tmp_path, "up")
    waits = "echo up > up; sleep 300" if policy == "cancel" else "echo up > up; true"
    configure_stages(
        tmp_path,
        command("bad", "read word < up; exit 1"),
        command("runs", waits),
        command("later", "true"),
        parallel=True,
    )
    finished = run(tmp_path, "run", "--format", "json", "-j", "2", "--on-failure", policy)
    assert finished.code == 1, finished.stderr
    record = only_record(tmp_path)
    assert_agreement(tmp_path, record, "failed")
    assert record.manifest["status_detail"] == "stage:bad:failed"
    assert record.statuses["bad"] == "failed"
    assert record.statuses["runs"] == statuses or policy == "stop"
    if policy == "cancel":
        assert record.commands["runs"]["summary"] == "Cancelled (failure_policy: p:bad failed)."


def test_two_command_lines_on_one_task_that_meet(tmp_path: Path) -> None:
    make_fifos(tmp_path, "x", "y")
    configure(tmp_path, pipeline("c", meets("x", "y")), pipeline("d", meets("y", "x")))
    both = [finish(process) for process in [start(tmp_path, "run", "c"), start(tmp_path, "run", "d")]]
    assert [finished.code for finished in both] == [0, 0]
    for record in records(tmp_path):
        assert_agreement(tmp_path, record, "succeeded")


def test_twelve_command_lines_on_one_task(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"), command("b", "exit 1", allowFailure=True))
    assert [finished.code for finished in run_all(tmp_path, 12, "run")] == [0] * 12
    assert len(entries(tmp_path)) == 12
    for record in records(tmp_path):
        assert_agreement(tmp_path, record, "succeeded")
    completeness = json.loads((tmp_path / ".runs" / "0101" / "metrics" / "completeness.json").read_text())
    assert completeness["missing_counts"]["instance_stats"] == 0
