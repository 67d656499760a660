"""Every command that the page on the command line shows for reading back does something sensible."""

import re
import shlex
from pathlib import Path

from tests.cli.running import PROJECT, command, configure_stages, run, snapshot

PAGE = (PROJECT / "docs" / "command-line.md").read_text()
SECTION = PAGE.partition("\n## Reading back\n")[2].partition("\n## ")[0]


def test_every_command_shown_can_be_called_and_changes_nothing(tmp_path: Path) -> None:
    shown = re.findall(r"^\$ orchestrator-py (.+)$", SECTION, re.MULTILINE)
    assert len(shown) >= 10
    configure_stages(tmp_path, command("build", "echo built"))
    assert run(tmp_path, "run").code == 0
    before = snapshot(tmp_path)
    for line in shown:
        done = run(tmp_path, *shlex.split(line))
        assert (done.code, done.stderr) == (0, ""), line
    assert snapshot(tmp_path) == before
