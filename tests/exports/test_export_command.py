"""`metrics export`, as a real process."""

import os
import subprocess
import sys
from pathlib import Path

from orchestrator_py.exports.prometheus import OPENMETRICS, TEXT, Exposition
from tests.cli.running import environment, run, snapshot
from tests.exports.families import read
from tests.store.broken import broken, settled


def test_stdout_is_the_format_that_was_asked_for_and_nothing_is_changed(tmp_path: Path) -> None:
    settled(tmp_path, "a", "b")
    before = snapshot(tmp_path)
    for words, kind in ((["--format", "prometheus"], TEXT), (["--format", "openmetrics"], OPENMETRICS), ([], TEXT)):
        done = run(tmp_path, "metrics", "export", *words)
        assert (done.code, done.stderr) == (0, "")
        assert read(Exposition(kind, done.stdout.encode())).value("runs_total", outcome="succeeded") == 2
    assert snapshot(tmp_path) == before


def test_a_file_is_replaced_whole_and_others_may_read_it(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    file = tmp_path / "textfiles" / "runs.prom"
    file.parent.mkdir()
    file.write_text("old")
    with file.open() as reader:
        done = run(tmp_path, "metrics", "export", "--task", "task-1", "-o", str(file))
        assert reader.read() == "old"
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert read(Exposition(TEXT, file.read_bytes())).value("recorded_runs") == 1
    assert [path.name for path in file.parent.iterdir()] == ["runs.prom"]
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_cannot_be_read_is_named_and_the_rest_is_told(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    (tmp_path / ".runs" / "bad" / "metrics.json").mkdir(parents=True)
    done = run(tmp_path, "metrics", "export", "-o", "x.prom")
    assert done.code == 74
    assert "bad/metrics.json" in done.stderr
    assert read(Exposition(TEXT, (tmp_path / "x.prom").read_bytes())).value("unreadable_places", task="bad") == 1


def test_a_damaged_journal_is_named_and_is_no_success(tmp_path: Path) -> None:
    broken(tmp_path, "damaged_journal")
    done = run(tmp_path, "metrics", "export")
    assert done.code == 74
    assert "is damaged at byte 0" in done.stderr
    assert not read(Exposition(TEXT, done.stdout.encode())).has("runs_total", outcome="succeeded")


def test_a_file_that_cannot_be_written_and_a_task_that_is_not_there_are_errors(tmp_path: Path) -> None:
    settled(tmp_path, "a")
    (tmp_path / "folder").mkdir()
    assert run(tmp_path, "metrics", "export", "-o", "folder").code == 74
    done = run(tmp_path, "metrics", "export", "--task", "nobody")
    assert (done.code, "no such task" in done.stderr) == (2, True)


def test_without_the_library_the_remedy_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['prometheus_client'] = None\nfrom orchestrator_py.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", code, "metrics", "export"]
    done = subprocess.run(line, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'orchestrator-py[prometheus]'" in done.stderr
