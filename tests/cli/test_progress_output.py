"""The last line of each command in a slot; or every line, whole, however the pieces were cut."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.cli.paint import Line, painted
from orchestrator_py.cli.progress_output import KEPT_CHARACTERS, MOST_EARLY_CHARACTERS, MOST_WAITING, LastLines, SpokenLines
from orchestrator_py.ids import SubtaskId
from tests.cli.news import RUN

NAME = SubtaskId("p:a")


def test_the_last_line_that_says_something() -> None:
    lines = LastLines()
    assert lines.last((RUN, NAME)) == ""
    for piece, shown in [("one\ntw", "tw"), ("o\n", "two"), ("\n\n", "two"), ("10%\r20%\r", "20%")]:
        lines.hear(RUN, NAME, piece)
        assert lines.last((RUN, NAME)) == shown
    lines.forget((RUN, NAME))
    assert lines.last((RUN, NAME)) == ""


def test_a_slot_is_small_however_much_is_said() -> None:
    lines = LastLines()
    lines.hear(RUN, NAME, "x" * 1_000_000)
    assert lines.last((RUN, NAME)) == "x" * KEPT_CHARACTERS


@given(st.lists(st.text(st.sampled_from("ab\n"))))
def test_lines_are_whole_and_none_is_lost(pieces: list[str]) -> None:
    told: list[Line] = []
    lines = SpokenLines(told.append, lambda: 0)
    for piece in pieces:
        lines.hear(RUN, NAME, piece)
    lines.forget((RUN, NAME))
    text = "".join(pieces)
    wanted = [f"p:a | {line}" for line in text.removesuffix("\n").split("\n")] if text else []
    assert painted(told, colour=False).splitlines() == wanted


def test_what_is_said_before_the_start_is_told_follows_it() -> None:
    told: list[Line] = []
    lines = SpokenLines(told.append, lambda: 0)
    lines.hear(RUN, NAME, "one\ntw")
    assert told == []
    told.append("p:a started")
    lines.start((RUN, NAME))
    lines.hear(RUN, NAME, "o\n")
    assert painted(told, colour=False).splitlines() == ["p:a started", "p:a | one", "p:a | two"]


def test_nothing_that_is_said_waits_for_long() -> None:
    told: list[Line] = []
    SpokenLines(told.append, lambda: 0).hear(RUN, NAME, "one\n" * MOST_EARLY_CHARACTERS)
    assert len(told) == MOST_EARLY_CHARACTERS


def test_a_terminal_that_stands_still_does_not_fill_the_memory() -> None:
    told: list[Line] = []
    waiting = [MOST_WAITING]
    lines = SpokenLines(told.append, lambda: waiting[0])
    lines.start((RUN, NAME))
    lines.hear(RUN, NAME, "one\ntwo\n")
    waiting[0] = 0
    lines.hear(RUN, NAME, "three\n")
    assert painted(told, colour=False).splitlines() == ["2 lines of output are not shown; they are in the logs", "p:a | three"]
