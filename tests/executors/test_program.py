"""The command line on a real cluster: the same record as here, and the truth when workers, scheduler or user break it off."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator_py.cli.exit_codes import code_of_word
from tests.cli.running import (
    Data,
    Finished,
    as_list,
    as_object,
    assert_agreement,
    command,
    configure,
    configure_stages,
    finish,
    only_record,
    pipeline,
    read_object,
    run,
    start,
)
from tests.executors.cluster import Cluster, processes_with, running_cluster, wait_for, wait_until

_DIFFERENT = ("timestamp", "runId", "lastCompletedAt", "instanceId", "path")


def dask(cluster: Cluster, *more: str) -> tuple[str, ...]:
    return ("run", "--executor", "dask", "--scheduler-file", str(cluster.file), *more)


def without_what_differs(value: object) -> object:
    match value:
        case dict():
            return {key: without_what_differs(member) for key, member in value.items() if key not in _DIFFERENT}
        case list():
            return [without_what_differs(member) for member in value]
        case _:
            return value


def assert_quiet(done: Finished) -> None:
    """Nothing of the engine's own news, and no trace."""
    for word in ("distributed", "tornado", "Traceback", "CommClosedError", "Connecting", "econnect"):
        assert word not in done.stderr, done.stderr


def assert_equal_history(folder: Path) -> None:
    assert len((folder / ".runs/0101/metrics.json").read_text().splitlines()) == 1
    assert run(folder, "metrics", "verify").code == 0


def scheduler_of(record: Data) -> list[Data]:
    return as_list(as_object(record["scheduler"])["assignments"])


# The same as here --------------------------------------------------------------------------------------------------


def test_twenty_commands_with_mixed_codes_leave_the_record_that_a_local_run_leaves(cluster: Cluster, tmp_path: Path) -> None:
    stages = [command(f"s{number}", f"echo {number}; exit {number % 3 % 2}", allowFailure=number % 2 == 0) for number in range(19)]
    stages.append(command("judged", "true", test="true", review="echo no; false"))
    records = {}
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        configure(folder, pipeline("p", *stages, parallel=True))
        words = ("run",) if name == "here" else dask(cluster)
        done = run(folder, *words, "-j", "4", "--on-failure", "continue")
        assert done.code == 1
        assert_quiet(done)
        records[name] = only_record(folder)
        assert_agreement(folder, records[name], "failed")
        assert_equal_history(folder)
    for record in records.values():  # which instance takes which stage is a matter of luck
        assert len(as_list(as_object(record.summary.pop("scheduler"))["assignments"])) == 4
    assert without_what_differs(records["there"].summary) == without_what_differs(records["here"].summary)
    assert records["there"].statuses == records["here"].statuses


@pytest.mark.parametrize(("stages", "jobs", "instances"), [(9, (), 4), (9, ("-j", "3"), 3), (9, ("-j", "8"), 4), (2, (), 2)])
def test_there_is_an_assignment_for_each_worker_slot_that_is_used(
    cluster: Cluster, tmp_path: Path, stages: int, jobs: tuple[str, ...], instances: int
) -> None:
    configure(tmp_path, pipeline("p", *(command(f"s{number}", "true") for number in range(stages)), parallel=True))
    assert run(tmp_path, *dask(cluster, *jobs)).code == 0
    assert len(scheduler_of(only_record(tmp_path).manifest)) == instances


def test_manifest_and_status_tell_which_instance_runs_a_stage_on_which_worker_while_it_does_and_afterwards(
    cluster: Cluster, tmp_path: Path
) -> None:
    held = (command(f"s{number}", f"touch begun-{number}; while [ ! -e go ]; do sleep 0.05; done") for number in range(3))
    configure(tmp_path, pipeline("p", *held, parallel=True))
    process = start(tmp_path, *dask(cluster))
    running = wait_for(lambda: placed_stages(tmp_path))
    manifest = read_object(next(tmp_path.glob(".runs/0101/cli/*/manifest.json")))
    (tmp_path / "go").touch()
    assert finish(process).code == 0
    assert len({stage["instance_id"] for stage in running}) == 3
    assert [stage["summary"] for stage in running] == [told["summary"] for told in as_list(manifest["commands"])]
    assert {one["instance_id"] for one in scheduler_of(manifest)} == {stage["instance_id"] for stage in running}
    ended = stages_of_status(tmp_path)
    assert [place_of(stage) for stage in ended] == [place_of(stage) for stage in running]
    text = run(tmp_path, "status").stdout
    assert all(f" on worker {stage['worker']} as {stage['instance_id']}: " in text for stage in ended)
    for stage in ended:
        events = [as_object(json.loads(line)) for line in (tmp_path / str(stage["log_path"])).read_text().splitlines()]
        assert [event["worker"] for event in events if event["type"] == "exec:begin"] == [stage["worker"]]


def stages_of_status(folder: Path) -> list[Data]:
    return as_list(as_object(json.loads(run(folder, "status", "--format", "json").stdout)).get("stages", []))  # none before it has begun


def placed_stages(folder: Path, attempt: int = 1) -> list[Data]:
    """All stages once manifest and events, each of which is written soon, say the same of every one."""
    stages = stages_of_status(folder)
    placed = (one["summary"] == f"Running on worker {one['worker']} as {one['instance_id']}." for one in stages)
    return stages if all(placed) and {one["attempt"] for one in stages} == {attempt} else []


def place_of(stage: Data) -> tuple[object, ...]:
    return stage["instance_id"], stage["attempt"], stage["worker"]


def test_the_environment_is_passed_by_name(cluster: Cluster, tmp_path: Path) -> None:
    configure_stages(tmp_path, command("env", 'echo "$ONE,$TWO,$CODEX_ORCHESTRATOR_TASK_ID"'))
    done = run(tmp_path, *dask(cluster, "--remote-env", "ONE", "--task", "t"), variables={"ONE": "1", "TWO": "2"})
    assert done.code == 0
    assert only_record(tmp_path, "t").commands["env"]["summary"] == "1,,t"


def test_the_file_says_where_commands_run_and_a_flag_wins(cluster: Cluster, tmp_path: Path) -> None:
    settings = {"kind": "dask", "schedulerFile": str(cluster.file), "workerResources": {"gpu": 1}}
    stage = command("s", 'echo "$DASK_PARENT"', resources=["gpu"])
    configure(tmp_path, pipeline("p", stage, resources={"gpu": 1}), executor=settings)
    assert run(tmp_path, "run", "--executor", "local", "--task", "here").code == 0
    assert run(tmp_path, "run", "--task", "there").code == 0
    logs = {task: next((tmp_path / ".runs" / task).glob("cli/*/commands/01-s.ndjson")).read_text() for task in ("here", "there")}
    assert ('"worker":"w1 ' in logs["here"], '"worker":"w1 ' in logs["there"]) == (False, True)


def test_a_tag_of_the_pipeline_asks_for_a_resource_of_workers(cluster: Cluster, tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", *(command(f"s{number}", "true") for number in range(4)), parallel=True, tags=["gpu"]))
    assert run(tmp_path, *dask(cluster, "--worker-resource", "gpu")).code == 0
    assert {str(stage["worker"])[:3] for stage in stages_of_status(tmp_path)} == {"w1 "}


def test_what_a_stage_prints_stands_in_its_log_as_of_a_local_run(cluster: Cluster, tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "seq 30000; seq 5 >&2; printf 'a\\303'; sleep 0.1; printf '\\244b'"))
    for task, words in (("here", ("run",)), ("there", dask(cluster))):
        assert run(tmp_path, *words, "--task", task).code == 0
    for stream, end in (("stdout", "30000\naäb"), ("stderr", "4\n5\n")):
        here, there = (run(tmp_path, "logs", "s", "--stream", stream, "--task", task).stdout for task in ("here", "there"))
        assert here == there
        assert here.endswith(end)


def test_a_cluster_of_this_machine_is_started_for_the_call_and_gone_afterwards(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", command("a", "echo $PPID"), command("b", "exit 3"), parallel=True))
    done = run(tmp_path, "run", "--executor", "dask-local", "-j", "2", variables={"TMPDIR": str(tmp_path)})
    assert done.code == 1
    assert_quiet(done)
    assert processes_with(str(tmp_path)) == set()
    assert list(tmp_path.glob("orchestrator-py-dask-*")) == []


# What breaks -------------------------------------------------------------------------------------------------------


def test_a_stage_whose_worker_is_killed_is_tried_again_elsewhere_and_its_instance_recovers(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    held = "echo $PPID >> begun; while [ ! -e go ]; do sleep 0.05; done"
    configure(folder, pipeline("p", command("s", held, retry={"maxAttempts": 2, "on": ["crashed"]}), parallel=True))
    with running_cluster(tmp_path / "dask", threads=1) as cluster:
        process = start(folder, *dask(cluster))
        wait_until(lambda: (folder / "begun").exists() and (folder / "begun").read_text().strip())
        (before,) = wait_for(lambda: placed_stages(folder))
        os.kill(int((folder / "begun").read_text()), signal.SIGKILL)
        (after,) = wait_for(lambda: placed_stages(folder, attempt=2))
        (folder / "go").touch()
        done = finish(process)
    assert (after["attempt"], after["instance_id"]) == (2, before["instance_id"])
    assert after["worker"] != before["worker"]
    assert done.code == 0
    assert_quiet(done)
    record = only_record(folder)
    assert_agreement(folder, record, "succeeded")
    (assignment,) = scheduler_of(record.manifest)
    first, second = as_list(assignment["attempts"])
    assert (assignment["status"], first["status"], second["status"]) == ("recovered", "requeued", "completed")
    (checkpoint,) = as_list(first["recovery_checkpoints"])
    assert (checkpoint["reason"], checkpoint["action"]) == ("missed-heartbeat", "requeue")
    assert f"worker-lost: worker {before['worker']} " in str(checkpoint["detail"])
    assert record.manifest["status_detail"] == "flaky:s"
    (stat,) = as_list(record.entry["instance_stats"])
    assert (stat["status"], stat["attempts"], stat["recovery_events"]) == ("recovered", 2, 1)
    assert_equal_history(folder)


def test_a_killed_worker_crashes_its_four_commands_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    held = "echo $PPID >> {0}; while [ ! -e go ]; do sleep 0.05; done; exit 0"
    configure(folder, pipeline("p", *(command(f"s{n}", held.format(f"begun-{n}")) for n in range(8)), parallel=True))
    with running_cluster(tmp_path / "dask", threads=4) as cluster:
        process = start(folder, *dask(cluster, "--on-failure", "continue"))
        wait_until(lambda: len([file for file in folder.glob("begun-*") if file.read_text()]) == 8)
        cluster.workers[0].send_signal(signal.SIGKILL)
        for _ in range(4):
            assert process.stderr is not None
            while "crashed" not in process.stderr.readline():
                pass
        (folder / "go").touch()
        done = finish(process)
    assert done.code == code_of_word("crashed") == 6
    record = only_record(folder)
    lost = [stage for stage in record.commands.values() if stage["status"] == "failed"]
    assert len(lost) == 4
    assert all("worker-lost" in str(stage["summary"]) and "may or may not have run" in str(stage["summary"]) for stage in lost)
    assert {stage["exit_code"] for stage in lost} == {None}
    assert all(len(file.read_text().splitlines()) == 1 for file in folder.glob("begun-*"))
    attempts = [last for one in scheduler_of(record.manifest) for last in as_list(one["attempts"])]
    checkpoints = [point for last in attempts for point in as_list(last["recovery_checkpoints"])]
    assert [(point["reason"], point["action"]) for point in checkpoints] == [("missed-heartbeat", "escalate")] * 4
    assert_agreement(folder, record, "failed")
    assert_equal_history(folder)


def test_a_killed_scheduler_ends_the_run_as_crashed_with_a_complete_report(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    configure(folder, pipeline("p", *(command(f"s{n}", f"touch begun-{n}; sleep 1000") for n in range(4)), parallel=True))
    with running_cluster(tmp_path / "dask") as cluster:
        process = start(folder, *dask(cluster))
        wait_until(lambda: len(list(folder.glob("begun-*"))) == 4)
        cluster.scheduler.send_signal(signal.SIGKILL)
        done = finish(process)
    assert done.code == 6
    assert_quiet(done)
    record = only_record(folder)
    assert all("engine-lost" in str(stage["summary"]) for stage in record.commands.values())
    assert_agreement(folder, record, "failed")
    assert_equal_history(folder)


@pytest.mark.parametrize("executor", ["dask", "dask-local"])
def test_an_interrupt_leaves_nothing_on_any_worker(cluster: Cluster, tmp_path: Path, executor: str) -> None:
    mark = f"4{os.getpid()}.5"
    stages = (command(f"s{n}", f"touch begun-{n}; sleep {mark} & sleep {mark}") for n in range(2))
    configure(tmp_path, pipeline("p", *stages, parallel=True))
    words = dask(cluster) if executor == "dask" else ("run", "--executor", "dask-local", "-j", "2")
    process = start(tmp_path, *words)
    wait_until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == -signal.SIGINT
    assert_quiet(done)
    assert processes_with(mark) == set()
    assert_agreement(tmp_path, only_record(tmp_path), "cancelled")


def test_a_stage_that_takes_too_long_is_ended_on_its_worker(cluster: Cluster, tmp_path: Path) -> None:
    mark = f"5{os.getpid()}.5"
    configure_stages(tmp_path, command("slow", f"sleep {mark}", timeoutSeconds=0.5))
    assert run(tmp_path, *dask(cluster)).code == 4
    assert processes_with(mark) == set()


# Refusals ----------------------------------------------------------------------------------------------------------


def refused(folder: Path, *words: str, variables: Mapping[str, str] | None = None) -> str:
    done = run(folder, *words, variables=variables or {})
    assert done.code == 2
    assert_quiet(Finished(done.code, done.stdout, done.stderr.replace("'distributed'", "").replace("`distributed`", "")))
    assert not (folder / ".runs").exists() or list((folder / ".runs").glob("*/cli/*")) == []
    return done.stderr


def test_a_scheduler_that_repeats_lost_work_is_refused_with_the_remedy(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "true"))
    with running_cluster(tmp_path / "dask", workers=1, allowed_failures=3) as cluster:
        said = refused(tmp_path, *dask(cluster))
    assert "allowed-failures is 3" in said
    assert "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0" in said


def test_a_worker_with_another_version_is_refused(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "true"))
    other = tmp_path / "other/orchestrator_py"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('not here')")
    with running_cluster(tmp_path / "dask", workers=1, variables={"PYTHONPATH": str(other.parent)}) as cluster:
        assert "cannot import orchestrator_py (ImportError: not here)" in refused(tmp_path, *dask(cluster))
    (other / "__init__.py").write_text(f"__version__ = '9.9'; __path__ = [{str(Path(__file__).parents[2] / 'orchestrator_py')!r}]")
    with running_cluster(tmp_path / "dask2", workers=1, variables={"PYTHONPATH": str(other.parent)}) as cluster:
        assert "has orchestrator-py 9.9, and we have" in refused(tmp_path, *dask(cluster))


@pytest.mark.parametrize("words", [("--scheduler", "tcp://192.0.2.1:8786"), ("--scheduler", "192.0.2.1:8786")])
def test_a_plain_address_beyond_this_machine_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    configure_stages(tmp_path, command("s", "true"))
    assert "say --insecure" in refused(tmp_path, "run", "--executor", "dask", *words)


def test_an_address_where_nobody_listens_is_refused(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "true"))
    assert "No scheduler answers at tcp://127.0.0.1:9" in refused(tmp_path, "run", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9")


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "true"))
    (tmp_path / "hidden/distributed").mkdir(parents=True)
    (tmp_path / "hidden/distributed/__init__.py").write_text("raise ModuleNotFoundError('distributed')")
    hidden = f"{tmp_path / 'hidden'}{os.pathsep}{Path(__file__).parents[2]}"
    said = refused(tmp_path, "run", "--executor", "dask-local", variables={"PYTHONPATH": hidden})
    assert "pip install 'orchestrator-py[dask]'" in said


def test_a_worker_with_another_commit_or_changes_of_its_own_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    configure_stages(ours, command("s", "cat said"))
    (ours / "said").write_text("ours")
    (ours / ".gitignore").write_text(".runs\nout\n")
    git(ours, "init", "-q")
    commit(ours)
    git(tmp_path, "clone", "-q", str(ours), str(theirs))
    words = dask(cluster, "--remote-root", str(theirs))
    assert run(ours, *words).code == 0
    (theirs / "said").write_text("changed")
    for folder in (ours / ".runs").glob("*/cli/*"):
        folder.rename(tmp_path / folder.name)
    assert "has changes in" in refused(ours, *words)
    assert run(ours, *words, "--allow-dirty-remote", "--task", "dirty").code == 0
    assert only_record(ours, "dirty").commands["s"]["summary"] == "changed"
    (ours / ".runs/dirty").rename(tmp_path / "dirty")
    (ours / "said").write_text("newer")
    commit(ours)
    assert "check out the same commit" in refused(ours, *words, "--allow-dirty-remote")
    assert "has no folder" in refused(ours, *dask(cluster, "--remote-root", str(tmp_path / "nowhere")))


def test_a_resource_that_no_worker_has_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "true"))
    assert "No worker has 2 of the resource 'gpu'" in refused(tmp_path, *dask(cluster, "--worker-resource", "gpu=2"))


def git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *names, *words], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "state")


# TLS ---------------------------------------------------------------------------------------------------------------


def test_a_cluster_that_speaks_tls_is_used_with_the_files_and_refused_without(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    identity = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    identity.private_key_pem.write_to_path(tmp_path / "key.pem")
    identity.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    files = [word for name in ("ca-file", "cert", "key") for word in (f"--tls-{name}", str(tmp_path / f"{name.removesuffix('-file')}.pem"))]
    configure_stages(tmp_path, command("s", "echo secret"))
    with running_cluster(tmp_path / "dask", workers=1, words=["--protocol", "tls", *files]) as cluster:
        assert cluster.address.startswith("tls://")
        assert "No scheduler answers" in refused(tmp_path, *dask(cluster))
        done = run(tmp_path, *dask(cluster, *files))
    assert done.code == 0
    assert only_record(tmp_path).commands["s"]["summary"] == "secret"
    assert read_object(cluster.file)["address"] == cluster.address
