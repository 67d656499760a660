"""A run that cannot be put on record keeps its verdict: both are told, and the entry can be recorded later."""

import json
from pathlib import Path

import pytest

from tests.cli.running import as_object, command, configure_stages, entries, read_object, run

TAKE_THE_LOCK_AWAY = "mv $CODEX_ORCHESTRATOR_RUNS_DIR/0101/.writer.lock $CODEX_ORCHESTRATOR_RUNS_DIR/moved"


@pytest.mark.parametrize(("shell", "verdict"), [("true", "succeeded"), ("exit 3", "failed")])
def test_the_verdict_and_the_entry_are_told_and_the_entry_can_be_recorded_later(tmp_path: Path, shell: str, verdict: str) -> None:
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    history = (tmp_path / ".runs" / "0101" / "metrics.json").read_bytes()
    configure_stages(tmp_path, command("a", f"{TAKE_THE_LOCK_AWAY}; {shell}"))

    finished = run(tmp_path, "run", "--format", "json")
    document = finished.document()
    assert (finished.code, document["exit_code"], document["outcome"]) == (74, 74, verdict)
    assert "cannot find the lock again" in str(document["error"])
    assert "metrics record FILE" in finished.stderr
    assert (tmp_path / ".runs" / "0101" / "metrics.json").read_bytes() == history
    manifest = read_object(tmp_path / str(document["manifest"]))
    assert (manifest["status"], manifest["metrics_recorded"]) == (verdict, False)

    file = tmp_path / "entry.json"
    file.write_text(json.dumps(as_object(document["entry"])))
    assert run(tmp_path, "metrics", "record", str(file)).code == 0
    assert [entry["status"] for entry in entries(tmp_path)] == ["succeeded", verdict]
    assert run(tmp_path, "metrics", "verify").code == 0


def test_in_text_the_last_line_is_the_entry(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", TAKE_THE_LOCK_AWAY))
    finished = run(tmp_path, "run")
    assert finished.code == 74
    *report, line = finished.stdout.splitlines()
    assert report[0].startswith("p succeeded: succeeded 1 of 1")
    file = tmp_path / "entry.json"
    file.write_text(f"{line}\n")
    assert run(tmp_path, "metrics", "record", str(file)).code == 0
    assert [entry["run_id"] for entry in entries(tmp_path)] == [json.loads(line)["run_id"]]


def test_the_next_run_puts_it_on_record_by_itself(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", f"{TAKE_THE_LOCK_AWAY}; false"))
    assert run(tmp_path, "run").code == 74
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    assert [entry["status"] for entry in entries(tmp_path)] == ["failed", "succeeded"]
    assert run(tmp_path, "metrics", "verify").code == 0


def test_an_error_file_that_cannot_be_written_takes_no_verdict(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "mkdir -p $CODEX_ORCHESTRATOR_RUN_DIR/errors/01-a.json; exit 3"))
    finished = run(tmp_path, "run", "--format", "json")
    assert (finished.code, finished.document()["outcome"]) == (1, "failed")
    assert "warning: not written: " in finished.stderr
    assert "01-a.json: is a folder where a file belongs" in finished.stderr
    assert [entry["status"] for entry in entries(tmp_path)] == ["failed"]
