"""`metrics verify` and `metrics rebuild`: what differs is named, mended, and then nothing differs."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

from orchestrator_py.store.layout import TaskLayout
from tests.cli.running import as_list, command, configure_stages, run, snapshot
from tests.store.broken import WAYS, broken, endings, settled
from tests.store.entries import entry, open_store, task_below


def test_a_task_in_order_is_equal(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    done = run(tmp_path, "metrics", "verify")
    assert (done.code, done.stdout, done.stderr) == (0, "task-1: equal\n", "")
    done = run(tmp_path, "metrics", "verify", "--format", "json")
    assert (done.code, done.document()) == (0, {"ok": True, "findings": [], "notices": [], "errors": []})


def test_real_runs_are_equal_whatever_became_of_them(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"), command("b", "test -e good"))
    assert run(tmp_path, "run").code == 1
    (tmp_path / "good").touch()
    assert run(tmp_path, "run").code == 0
    before = snapshot(tmp_path)
    done = run(tmp_path, "metrics", "verify")
    assert (done.code, done.stdout) == (0, "0101: equal\n")
    assert run(tmp_path, "metrics", "rebuild").stdout == "0101: 2 entries\n"
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("way", WAYS)
def test_what_verify_finds_rebuild_mends(tmp_path: Path, way: str) -> None:
    expected = broken(tmp_path, way)
    before = snapshot(tmp_path)
    found = run(tmp_path, "metrics", "verify", "--format", "json")
    assert snapshot(tmp_path) == before
    assert (found.code, found.document()["ok"]) == (1, False)
    for finding in as_list(found.document()["findings"]):
        assert list(finding) == ["task", "path", "line", "problem", "remedy"]
        assert str(finding["path"]).startswith((".runs/task-1", "out/task-1"))
    mended = run(tmp_path, "metrics", "rebuild", "--task", "task-1")
    assert (mended.code, mended.stderr) == (0, "")
    assert mended.stdout.startswith(f"task-1: {len(expected)} entr")
    assert endings(task_below(tmp_path)) == expected
    assert run(tmp_path, "metrics", "verify", "--task", "task-1").stdout == "task-1: equal\n"


def test_a_run_that_was_resumed_stays_as_it_ended_whatever_an_old_copy_of_its_folder_says(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "test -e good"))
    assert run(tmp_path, "run").code == 1
    (folder,) = (tmp_path / ".runs" / "0101" / "cli").iterdir()
    copy = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}.bak")))
    (tmp_path / "good").touch()
    assert run(tmp_path, "resume", "--run", folder.name).code == 0
    for _ in range(2):
        mended = run(tmp_path, "metrics", "rebuild")
        assert f"  left as it is: .runs/0101/cli/{copy.name}/manifest.json: it is not that of this run" in mended.stdout
        assert "0101: 1 run, 1 succeeded" in run(tmp_path, "metrics", "show").stdout
        assert run(tmp_path, "metrics", "verify").code == 1
    shutil.move(copy, tmp_path)
    assert run(tmp_path, "metrics", "verify").stdout == "0101: equal\n"


def test_one_finding_is_one_line(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    task.metrics.write_bytes(task.metrics.read_bytes() + b"no json\n\xff\n")
    done = run(tmp_path, "metrics", "verify")
    lines = done.stdout.splitlines()
    assert done.code == 1
    assert lines[0].startswith(".runs/task-1/metrics.json:2: this line cannot be read and does not count: it is not JSON")
    assert lines[1].startswith(".runs/task-1/metrics.json:3: this line cannot be read and does not count: it is not UTF-8")
    assert lines[-1] == f"task-1: {len(lines) - 1} findings"


def test_a_task_that_is_held_is_not_rebuilt(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    holder = open_store(tmp_path)
    done = run(tmp_path, "metrics", "rebuild", "--format", "json")
    assert done.code == 75
    assert "another live process is working on this task" in done.stderr
    assert "error" in as_list(done.document()["tasks"])[0]
    holder.close()
    assert run(tmp_path, "metrics", "rebuild").code == 0


def test_a_task_that_cannot_be_read_does_not_keep_the_others_from_being_checked(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    other = tmp_path / ".runs" / "other"
    other.mkdir()
    (other / "metrics.json").mkdir()
    done = run(tmp_path, "metrics", "verify", "--format", "json")
    assert done.code == 74
    assert [error["task"] for error in as_list(done.document()["errors"])] == ["other"]
    assert done.document()["findings"] == []
    assert run(tmp_path, "metrics", "verify").stdout == "task-1: equal\n"


# Bad histories -----------------------------------------------------------------------------------------------------

GOOD = entry("b").line
HISTORIES = {
    "no json": b"x\n",
    "giant": b'{"run_id":"g","x":"' + b"y" * 2**21 + b'"}\n',
    "giant and broken": b'{"run_id":"g","x":"' + b"y" * 2**21 + b"\n",
    "NUL": b"\x00" * 4096 + b"\n",
    "byte order mark": b"\xef\xbb\xbf" + GOOD + b"\n",
    "UTF-16": GOOD.decode().encode("utf-16") + b"\n",
    "invalid UTF-8": b'{"run_id":"\xff\xfe"}\n',
    "lone surrogate": b'{"run_id":"\\ud800","status":"\\udfff"}\n',
    "line separators": '{"run_id":"u","x":"\u2028\u0085"}\n'.encode(),
    "blank": b"\n \n\t\n\r\n",
    "duplicate ids": GOOD + b"\n" + entry("b", status="failed").line + b"\n" + GOOD + b"\n",
    "duplicate keys": b'{"run_id":"x","run_id":"y","status":"succeeded"}\n',
    "NaN": b'{"run_id":"n","cost_usd":NaN}\n',
    "infinite": b'{"run_id":"n","cost_usd":1e999}\n',
    "huge integer": b'{"run_id":"n","token_total":' + b"9" * 10_000 + b"}\n",
    "large integer": b'{"run_id":"n","token_total":' + b"9" * 300 + b"}\n",
    "deep": b'{"a":' * 100_000 + b"\n",
    "deep and closed": b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"\n",
    "no last newline": GOOD,
    "torn": GOOD[:-9],
    "commit line": b"#00000000 {}\n",
    "wrong types": b'{"run_id":1,"status":[],"duration_seconds":"x","tool_stats":{},"tfgrpo_epoch":true,"instance_stats":7}\n',
    "many": b"x\n" * 20_000,
}


@pytest.mark.parametrize("kind", HISTORIES)
def test_no_history_ends_in_a_traceback_and_no_byte_of_it_is_lost(tmp_path: Path, kind: str) -> None:
    task = settled(tmp_path, "a")
    content = task.metrics.read_bytes() + HISTORIES[kind]
    task.metrics.write_bytes(content)
    for words in (("show",), ("verify",), ("rebuild",), ("verify",), ("show", "--format", "json")):
        done = run(tmp_path, "metrics", *words)
        assert "Traceback" not in done.stderr
        assert "defect" not in done.stderr
        assert done.code == (1 if words == ("verify",) and "finding" in done.stdout else 0), done
    assert run(tmp_path, "metrics", "verify").stdout == "task-1: equal\n"
    kept = [task.metrics, *task.folder.glob("metrics.json.corrupt-*")]
    assert any(path.read_bytes().startswith(content) for path in kept)
    assert endings(task)["a"] == "succeeded"


@pytest.mark.parametrize("action", [("show",), ("verify",), ("rebuild",)])
@pytest.mark.parametrize("kind", ["link", "FIFO", "folder"])
@pytest.mark.parametrize("name", ["metrics.json", "metrics.pending/b-0", "metrics.pending/x.jsonl", "metrics/baseline.json"])
def test_what_is_no_file_is_named_and_neither_followed_nor_waited_for(
    tmp_path: Path, action: tuple[str, ...], kind: str, name: str
) -> None:
    task = settled(tmp_path, "a")
    path = task.folder / name
    path.unlink(missing_ok=True)
    makers: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to("/dev/zero"),
        "FIFO": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    makers[kind]()
    done = run(tmp_path, "metrics", *action)
    assert done.code in ((1,) if action == ("verify",) and name in ("metrics.pending/x.jsonl", "metrics/baseline.json") else (74,))
    told = done.stdout + done.stderr
    assert f"{name}: is a " in told
    assert "move it away" in told
    assert "Traceback" not in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_refused(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    task.metrics.unlink()
    try:
        os.mknod(task.metrics, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero, which never ends
    except PermissionError:
        pytest.skip("this machine lets nobody make a device")
    done = run(tmp_path, "metrics", "verify")
    assert done.code == 74
    assert "is a device where a file belongs" in done.stderr


@pytest.mark.parametrize("name", ["metrics.pending", "metrics", "cli", ""])
@pytest.mark.parametrize("action", [("show",), ("verify",), ("rebuild",), ("prune", "--keep", "0")])
def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path, action: tuple[str, ...], name: str) -> None:
    task = settled(tmp_path, "a")
    path = task.folder / name if name else task.folder
    if path.exists():
        shutil.rmtree(path)
    path.write_text("")
    done = run(tmp_path, "metrics", *action, "--task", "task-1")
    assert done.code == 74
    assert f"{path}: is a file where a folder belongs; move it away." in done.stderr


def test_a_runs_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".runs").write_text("")
    done = run(tmp_path, "metrics", "show")
    assert done.code == 74
    assert "move away the file that stands where a folder belongs" in done.stderr


def test_a_state_of_a_newer_format_is_told_and_made_anew(tmp_path: Path) -> None:
    task = settled(tmp_path, "a")
    state = json.loads(task.rollup_state.read_bytes())["state"]
    state["rollup"]["version"] = 99
    seal(task, state)
    done = run(tmp_path, "metrics", "verify")
    assert done.code == 1
    assert "version 99 is not version 2" in done.stdout
    assert run(tmp_path, "metrics", "rebuild").code == 0
    assert run(tmp_path, "metrics", "verify").code == 0


def seal(task: TaskLayout, state: object) -> None:
    text = json.dumps(state, separators=(",", ":")).encode()
    task.rollup_state.write_bytes(b'{"crc32":"%08x","state":%b}\n' % (crc32(text), text))
