"""The picture fits whatever the terminal's size is, and holds what runs longest."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestrator_py.cli.live_view import LiveView, create_console
from orchestrator_py.cli.progress import name_width
from orchestrator_py.cli.progress_board import Board
from orchestrator_py.cli.progress_output import LastLines
from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.ids import SubtaskId
from orchestrator_py.model.outcome import Outcome
from tests.cli.news import RUN, finished, run_started, started

COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


def view_of(running: int, *, said: str = "", planned: int = 100, colour: bool = True) -> LiveView:
    board, lines = Board(), LastLines()
    board.name_width = 10
    board(run_started(planned))
    for number in range(running):
        board(started(f"p:{number}"))
        lines.hear(RUN, SubtaskId(f"p:{number}"), said)
    return LiveView(board, lines, create_console(colour=colour))


@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 70), st.text(max_size=300))
def test_every_row_fits_and_holds_no_command_for_the_terminal(columns: int, lines: int, running: int, said: str) -> None:
    rows = view_of(running, said=said).rows(columns, lines)
    assert 1 <= len(rows) <= max(lines - 1, 1)
    for row, width in rows:
        text = COLOUR.sub("", row)
        assert text.isprintable()
        assert cell_len(text) == width <= max(columns - 1, 1)


def test_the_oldest_are_shown_and_the_others_counted() -> None:
    texts = [row for row, _ in view_of(50, colour=False).rows(80, 24)]
    assert len(texts) == 20
    assert [text.split()[0] for text in texts[1:18]] == [f"p:{number}" for number in range(17)]
    assert texts[-2:] == ["and 33 more", "running 50  waiting 50"]


def test_without_colour_there_is_none() -> None:
    view = view_of(3, said="\x1b[31mred", colour=False)
    assert "\x1b" not in "".join(row for row, _ in view.rows(80, 24))


def test_times_stand_at_the_right_edge_and_output_in_between() -> None:
    _, row, _ = (text for text, _ in view_of(1, said="said\n", colour=False).rows(60, 24))
    assert row == f"{'p:0':10}  {'said':36}  {'0 s':>9}"


def test_a_narrow_terminal_shows_who_runs_and_for_how_long() -> None:
    _, row, _ = (text for text, _ in view_of(1, said="said\n", colour=False).rows(20, 24))
    assert row == f"{'p:0':15} 0 s"


def test_the_bar_says_how_far_it_is() -> None:
    view = view_of(0, planned=4, colour=False)
    view.board(finished("p:a"))
    bar, _ = view.rows(40, 24)[0]
    assert re.fullmatch(r"(━+)(─+)  1 of 4 +0 s", bar) or re.fullmatch(r"(#+)(-+)  1 of 4 +0 s", bar)
    assert len(bar) == 39


def test_the_bar_is_red_as_soon_as_something_failed() -> None:
    view = view_of(0, planned=4)
    view.board(finished("p:a"))
    assert view.rows(40, 24)[0][0].startswith("\x1b[32m")
    view.board(finished("p:b", Outcome.FAILED))
    assert view.rows(40, 24)[0][0].startswith("\x1b[31m")


def test_a_picture_costs_the_same_however_many_have_ended() -> None:
    """Counted in calls, since time is nobody's friend."""
    few, many = view_of(8), view_of(8)
    for number in range(20_000):
        many.board(finished(f"q:{number}"))
    assert calls_of(few) >= calls_of(many) - 50


def calls_of(view: LiveView) -> int:
    import sys

    view.rows(80, 24)
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        view.rows(80, 24)
    finally:
        sys.setprofile(before)
    return count


def test_a_pipeline_without_stages_has_no_name_that_needs_room() -> None:
    stages = [
        {"kind": "subpipeline", "id": "sub", "pipeline": "empty", "optional": True},
        {"kind": "command", "id": "a", "command": "true"},
    ]
    data = {"pipelines": [{"id": "p", "stages": stages}, {"id": "empty", "stages": []}]}
    configuration = parse_configuration(data, source="test")
    assert [name_width(configuration, pipeline) for pipeline in configuration.pipelines] == [len("p:sub"), 0]
