"""A disk that is really full, a real limit on the size of files: what is on record and what is not is told, and nothing earlier is hurt."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.full_disk import STARTED, assert_told, history, record_what_was_told
from tests.cli.running import PROJECT, Finished, command, configure_stages, entries, environment, run, words
from tests.harness import Account, Row

LIMITS = {0: False, 512: False, 800: False, 1_500: False, 3_000: True}
"""Bytes, too few for a rollup, the rollups' state, the first manifest, the last one; and whether the stage could run."""


def run_limited(folder: Path, most: int) -> Finished:
    """No file may grow beyond that. A write that would gets EFBIG, since the signal is ignored."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    line = words("run", "--format", "json")
    done = subprocess.run(
        line, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, preexec_fn=limit
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def give_account(account: Account, harness: str, finished: Finished, reason: str) -> None:
    account(Row(harness, 1, int(reason in finished.stderr), int(finished.code != 74)))
    assert reason in finished.stderr


@pytest.mark.parametrize(("most", "ran"), LIMITS.items())
def test_a_limit_on_the_size_of_files_is_a_refusal_or_leaves_an_entry_to_record(
    tmp_path: Path, most: int, ran: bool, account: Account
) -> None:
    configure_stages(tmp_path, command("a", STARTED))
    assert run(tmp_path, "run").code == 0
    earlier = history(tmp_path)
    finished = run_limited(tmp_path, most)
    give_account(account, "EFBIG of the command line", finished, "File too large")
    assert_told(finished, tmp_path, earlier, ran=ran)
    assert (tmp_path / "started").read_text().count("started") == 1 + ran
    if ran:
        assert record_what_was_told(tmp_path, finished)["run_id"] == entries(tmp_path)[-1]["run_id"]
    assert run(tmp_path, "run").code == 0
    assert history(tmp_path).startswith(earlier)
    assert len(entries(tmp_path)) == 2 + ran


def test_a_history_that_may_not_grow_leaves_the_run_in_the_journal(tmp_path: Path, account: Account) -> None:
    """The run is on record; only the history could not be brought up to date, and the next run does that."""
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    path = tmp_path / ".runs" / "0101" / "metrics.json"
    path.write_bytes(history(tmp_path).replace(b"{", b'{"padding":"%b",' % (b"x" * 100_000), 1))
    earlier = history(tmp_path)
    finished = run_limited(tmp_path, len(earlier))
    give_account(account, "EFBIG of the command line", finished, "File too large")
    assert (finished.code, history(tmp_path)) == (74, earlier)
    assert finished.document()["outcome"] == "succeeded"
    assert "The run itself is on record" in finished.stderr
    assert run(tmp_path, "run").code == 0
    assert [entry["status"] for entry in entries(tmp_path)] == ["succeeded"] * 3
    assert run(tmp_path, "metrics", "verify").code == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a file system of our own is mounted")
@pytest.mark.parametrize("when", ["before", "while"])
def test_a_full_disk_is_a_refusal_or_leaves_an_entry_to_record(tmp_path: Path, when: str, account: Account) -> None:
    line = ["unshare", "--mount", sys.executable, "-m", "tests.cli.full_disk", str(tmp_path), when]
    try:
        done = subprocess.run(line, cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False, timeout=100)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if "mounted" not in done.stdout:
        pytest.skip(f"this user may not mount: {done.stderr.strip().splitlines()[-1]}")
    account(Row("ENOSPC of the command line", 1, 1, int(done.returncode != 0)))
    assert done.returncode == 0, done.stderr
