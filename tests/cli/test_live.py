"""The printer of the live view, on a terminal that has no other end but us."""

import io
import os
import pty
import re
import sys
from pathlib import Path

import pytest

from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.live import LivePrinter
from orchestrator_py.cli.live_view import LiveView
from orchestrator_py.cli.progress import create_progress
from orchestrator_py.cli.progress_board import Board
from orchestrator_py.cli.progress_output import LastLines


def all_that_was_written(monkeypatch: pytest.MonkeyPatch, *lines: str) -> str:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with LivePrinter(board=Board(), last_lines=LastLines()) as printer:
        for line in lines:
            printer.print(line)
    return stream.getvalue()


def test_many_lines_come_out_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [str(number) for number in range(10_000)]
    written = all_that_was_written(monkeypatch, *lines)
    assert re.findall(r"(?:^|\n|\x1b\[K)(\d+)(?=\n)", written) == lines  # the first one after a picture stands behind what erases it


def test_a_picture_that_cannot_be_drawn_costs_nobody_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(LiveView, "rows", fail)
    assert all_that_was_written(monkeypatch, "one", "two").split("\n")[:2] == ["one", "two"]


def test_without_rich_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        arguments = create_parser().parse_args(["run"])
        assert isinstance(create_progress(arguments, {"TERM": "xterm"}).printer, LivePrinter)
        monkeypatch.setitem(sys.modules, "rich", None)
        progress = create_progress(arguments, {"TERM": "xterm"})
        assert not isinstance(progress.printer, LivePrinter)
        assert not progress.manner.live
        assert progress.manner.colour
    os.close(ours)
