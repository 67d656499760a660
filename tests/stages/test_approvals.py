"""What a stage's commands leave of approvals is a fact of their end; nothing else in that file is."""

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.model.approval import Approval
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.stages.approvals import read_approvals
from tests.stages.test_agents import Agents, command_stage

LINE = '{"actor": "diff-budget", "timestamp": "2025-12-21T14:02:47.637Z", "reason": "moved"}'
APPROVAL = Approval(actor="diff-budget", timestamp=Timestamp("2025-12-21T14:02:47.637Z"), reason="moved")
LEAVE = f"""mkdir -p "${{CODEX_ORCHESTRATOR_APPROVALS_PATH%/*}}" && echo '{LINE}' >> "$CODEX_ORCHESTRATOR_APPROVALS_PATH" """


async def test_what_a_command_has_left_comes_back_with_its_end(tmp_path: Path) -> None:
    agents = Agents(tmp_path, command_stage(f"{LEAVE}; exit 3", review=LEAVE), command_stage("true", id="b"))
    build, review, other = await agents.build(), await agents.review(), await agents.build(1)
    for result in (build, review):
        assert result.execution is not None
        assert result.execution.approvals == (APPROVAL,)  # each command has a file of its own
    assert other.execution is not None
    assert other.execution.approvals == ()


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_approvals(tmp_path / "none") == ()


@pytest.mark.parametrize(
    "nonsense",
    ["torn", "[]", "7", "[" * 100_000, LINE.replace("moved", ""), LINE.replace('"moved"', "7"), LINE.replace("}", ', "more": "x"}')],
    ids=lambda text: text[:30],
)
def test_what_is_no_approval_is_left_out_and_told(tmp_path: Path, nonsense: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a").write_text(f"{LINE}\n{nonsense}\n{LINE}\n")
    with caplog.at_level(logging.WARNING):
        assert read_approvals(tmp_path / "a") == (APPROVAL, APPROVAL)
    assert "is no approval, and is not on record" in caplog.text


def put_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize("put", [Path.mkdir, os.mkfifo, put_socket, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_neither_waited_for_nor_kept_open_and_told(
    tmp_path: Path, put: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a")
    before = os.listdir("/dev/fd")
    assert read_approvals(tmp_path / "a") == ()
    assert os.listdir("/dev/fd") == before
    assert "what it approves is not on record" in caplog.text
