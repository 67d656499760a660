"""Every command on the page about metrics does what it says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.running import PROJECT, command, configure_stages, environment, run

PAGE = (PROJECT / "docs" / "metrics.md").read_text()


def test_every_command_on_the_page_runs(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    (tmp_path / "entry.json").write_bytes(
        (tmp_path / ".runs" / "0101" / "metrics.json").read_bytes().replace(b'"run_id":"', b'"run_id":"x')
    )
    shown = re.findall(r"^\$ orchestrator-py (metrics .+)$", PAGE, re.MULTILINE)
    assert {words.split()[1] for words in shown} == {"show", "verify", "rebuild", "prune", "record", "export"}
    for words in shown:
        line = f"'{sys.executable}' -m orchestrator_py {words}"
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout, words
    assert run(tmp_path, "metrics", "verify").stdout == "0101: equal\n"


def test_help_names_every_action_and_exit_code(tmp_path: Path) -> None:
    told = run(tmp_path, "metrics", "--help")
    assert told.code == 0
    for word in ("show", "verify", "rebuild", "prune", "record", "export", "74", "75"):
        assert word in told.stdout
