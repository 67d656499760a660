"""What the command line does is on the live stream while it does it, in the words of the record."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from shutil import rmtree

from orchestrator_py.dashboard import touches
from orchestrator_py.dashboard.touches import REST_SECONDS, sort_paths
from tests.cli.running import PROJECT, Fifo, as_list, command, configure_stages, environment, finish, run, start
from tests.dashboard.serving import serving


def test_a_run_goes_over_the_stream_from_its_start_to_its_outcome_and_nothing_is_completed_before(tmp_path: Path) -> None:
    told, go = Fifo(tmp_path / "told"), Fifo(tmp_path / "go")
    configure_stages(tmp_path, command("one", "echo up > told; read x < go; echo done"), command("two", "true"))
    with serving(tmp_path) as served, served.stream() as stream:
        process = start(tmp_path, "run", "--task", "t")
        told.wait_for("up")
        (row,) = as_list(stream.wait_for("runs")["runs"])
        assert (row["task"], row["terminal"]) == ("t", False)
        run_id = str(row["run_id"])
        with served.stream(f"?task=t&run={run_id}&stage=1") as followed:
            detail = followed.wait_for("run")
            while [one["status"] for one in as_list(detail["subtasks"])] != ["running", "waiting"]:
                detail = followed.wait_for("run")
            assert detail["completed_at"] is None
            (instance,) = as_list(detail["assignments"])
            assert (instance["status"], instance["completed_at"]) == ("running", None)
            os.write(os.open(go.path, os.O_RDWR | os.O_NONBLOCK), b"x\n")
            pieces = as_list(followed.wait_for("log")["pieces"])
            while not pieces:
                pieces = as_list(followed.wait_for("log")["pieces"])
            assert pieces[0]["data"] == "done\n"
            assert set(stream.words_of(run_id, "succeeded")) <= {"running", "succeeded"}
        assert finish(process).code == 0
        detail = served.read(f"/api/runs/t/{run_id}")
        assert [one["status"] for one in as_list(detail["subtasks"])] == ["succeeded", "succeeded"]
        assert detail["completed_at"] is not None


def test_a_run_whose_process_is_killed_becomes_lost_although_no_file_changes(tmp_path: Path) -> None:
    told = Fifo(tmp_path / "told")
    configure_stages(tmp_path, command("one", "echo up > told; exec sleep 300"))
    with serving(tmp_path) as served, served.stream() as stream:
        process = start(tmp_path, "run", "--task", "t")
        told.wait_for("up")
        (row,) = as_list(stream.wait_for("runs")["runs"])
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        run_id = str(row["run_id"])
        assert stream.words_of(run_id, "lost")[-1] == "lost"
        detail = served.read(f"/api/runs/t/{run_id}")
        (instance,), (subtask,) = as_list(detail["assignments"]), as_list(detail["subtasks"])
        assert (detail["status"], detail["completed_at"], detail["elapsed_seconds"]) == ("lost", None, None)
        assert (instance["status"], subtask["status"]) == ("lost", "lost")
        assert [one["running"] for one in as_list(served.read("/api/tasks")["tasks"])] == [0]


def test_a_run_inside_another_program_is_there_as_soon_as_it_is_on_record(tmp_path: Path) -> None:
    program = (Path(__file__).parents[2] / "examples" / "embedded_minimal.py").read_text()
    with serving(tmp_path) as served, served.stream() as stream:
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment(), check=True, capture_output=True)
        (row,) = as_list(stream.wait_for("runs")["runs"])
        assert (row["task"], row["status"], row["source"], row["stages"]) == ("greetings", "succeeded", "history", {"succeeded": 3})
        detail = served.read(f"/api/runs/greetings/{row['run_id']}")
        assert {one["status"] for one in as_list(detail["assignments"])} == {"succeeded"}


def test_names_that_are_no_text_end_no_stream(tmp_path: Path) -> None:
    """Whatever a stage puts below the runs folder; the watch breaks off at each of them."""
    runs, name = os.fsencode(tmp_path / ".runs"), b"caf\xe9"
    strange = '"$CODEX_ORCHESTRATOR_RUN_DIR/$(printf "caf\\351")"'
    configure_stages(tmp_path, command("one", f"echo x > {strange}.txt; mkdir {strange}"))
    (tmp_path / ".runs").mkdir()
    with serving(tmp_path) as served, served.stream() as stream:
        os.makedirs(os.path.join(runs, name, b"cli", name))
        for number in range(3):
            assert run(tmp_path, "run", "--task", f"t{number}").code == 0
            (folder,) = os.listdir(os.path.join(runs, f"t{number}".encode(), b"cli"))
            assert name + b".txt" in os.listdir(os.path.join(runs, f"t{number}".encode(), b"cli", folder))
            assert stream.words_of(os.fsdecode(folder), "succeeded")[-1] == "succeeded"
        assert [task["task"] for task in as_list(served.read("/api/tasks")["tasks"])] == ["t0", "t1", "t2"]


def test_a_run_that_is_removed_is_told_by_the_history_and_without_one_it_is_gone(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("one", "true"))
    assert run(tmp_path, "run", "--task", "t").code == 0
    task = tmp_path / ".runs" / "t"
    (folder,) = (task / "cli").iterdir()
    with serving(tmp_path) as served, served.stream() as stream:
        rmtree(folder)
        (row,) = as_list(stream.wait_for("runs")["runs"])
        assert (row["run_id"], row["source"], row["status"]) == (folder.name, "history", "succeeded")
    (tmp_path / "kept").mkdir()
    (task / "metrics.json").rename(tmp_path / "kept" / "metrics.json")
    rmtree(task / "metrics.pending")
    with serving(tmp_path) as served:
        assert served.read("/api/runs")["runs"] == []
        assert served.ask(f"/api/runs/t/{folder.name}")[0] == 404


def test_a_run_that_goes_with_its_history_is_told_to_be_gone(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("one", "true"))
    assert run(tmp_path, "run", "--task", "t").code == 0
    task = tmp_path / ".runs" / "t"
    (folder,) = (task / "cli").iterdir()
    with serving(tmp_path) as served, served.stream() as stream:
        task.rename(tmp_path / "away")
        (tmp_path / "away" / "cli" / folder.name / "manifest.json").touch()
        task.mkdir()
        (task / "cli").mkdir()
        (task / "cli" / folder.name).mkdir()
        assert stream.wait_for("gone")["runs"] == [{"task": "t", "run_id": folder.name}]


def test_two_streams_are_told_the_same(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("one", "true"))
    with serving(tmp_path) as served, served.stream() as first, served.stream() as second:
        assert run(tmp_path, "run", "--task", "t").code == 0
        (found,) = as_list(served.read("/api/runs")["runs"])
        run_id = str(found["run_id"])
        assert first.words_of(run_id, "succeeded")[-1] == second.words_of(run_id, "succeeded")[-1]


def test_a_reader_that_stops_reading_is_cut_off_and_nobody_is_told(tmp_path: Path) -> None:
    patience = "from orchestrator_py.dashboard import live; live.SEND_SECONDS = 0.3"
    (tmp_path / "sitecustomize.py").write_text(patience)
    folder = tmp_path / ".runs" / "t" / "cli" / "r"
    folder.mkdir(parents=True)

    def tell(number: int) -> None:
        commands = [{"id": f"s{index}", "title": "x" * 500, "status": "succeeded"} for index in range(1500)]
        manifest = {"status": "succeeded", "status_detail": str(number), "commands": commands}
        (folder / "manifest.tmp").write_text(json.dumps(manifest))
        (folder / "manifest.tmp").rename(folder / "manifest.json")

    tell(0)
    with serving(tmp_path, variables={"PYTHONPATH": f"{tmp_path}:{PROJECT}"}) as served, served.stream() as other:
        before = served.sockets()
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", served.port))
            deaf.sendall(f"GET /api/events?task=t&run=r HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
            assert deaf.recv(8) == b"HTTP/1.1"
            assert served.sockets() > before
            for number in range(1, 200):
                tell(number)
                other.wait_for("runs")
                if served.sockets() == before:
                    break
            assert served.sockets() == before


def test_nothing_on_the_way_from_a_change_to_the_page_waits_for_as_long_as_a_second() -> None:
    """What is gathered before it is told, and before it is drawn; how long it takes is measured in `bench/`."""
    script = (files("orchestrator_py.dashboard") / "static" / "run_list.js").read_text()
    drawn = re.search(r"REST_MILLISECONDS = (\d+);", script)
    assert drawn is not None
    assert touches.GATHERED_MILLISECONDS + touches.STEP_MILLISECONDS + int(drawn[1]) < 1000
    assert REST_SECONDS <= 1


def test_changed_paths_speak_of_runs_details_and_tasks() -> None:
    found = sort_paths(
        "/r",
        [
            "/r/t/cli/a",
            "/r/t/cli/b/manifest.json",
            "/r/t/cli/c/commands/01-x.ndjson",
            "/r/u/live-runs/d",
            "/r/x/in-flight/0123.json",
            "/r/v/metrics.pending/b-1",
            "/r/w",
        ],
    )
    assert (found.runs, found.details, found.tasks) == ({("t", "a"), ("t", "b"), ("u", "d")}, {("t", "c")}, {"v", "w"})
    assert found.flights == {"x"}
    assert sort_paths("/r", ["/r"]).tasks == set()
