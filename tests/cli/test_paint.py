"""Nothing that others wrote reaches a terminal as a command."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.cli.paint import Ink, Said, Span, colours_only, cut, last_stroke, painted, without_escapes

HOSTILE = st.text(st.sampled_from([*"ab[]?;0123mHJK(\\", "\x1b", "\x07", "\r", "\b", "\x00", "\x9b", "\x9d", "‮", "ü"]))
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


@given(HOSTILE)
def test_without_colour_no_control_character_is_left(text: str) -> None:
    assert painted([(Said(text), Span(text, Ink.BAD), text)], colour=False)[:-1].isprintable()
    assert painted([text], colour=False)[:-1].isprintable()


@given(HOSTILE)
def test_with_colour_nothing_but_colours_is_left(text: str) -> None:
    line = painted([(Said(text), Span(text, Ink.BAD), text)], colour=True)[:-1]
    assert COLOUR.sub("", line).isprintable()
    assert COLOUR.sub("", colours_only(text)).isprintable()


def test_a_child_keeps_its_colours_and_gives_none_to_what_follows() -> None:
    assert painted([(Said("\x1b[31mred"), " after")], colour=True) == "\x1b[31mred\x1b[0m after\n"
    assert painted([(Said("\x1b[31mred"), " after")], colour=False) == "red after\n"


def test_a_span_has_its_colour_if_there_are_any() -> None:
    assert painted([(Span("failed", Ink.BAD), ": a")], colour=True) == "\x1b[31mfailed\x1b[0m: a\n"
    assert painted([(Span("failed", Ink.BAD), ": a")], colour=False) == "failed: a\n"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Htext", "text"),
        ("\x1b(Btext", "text"),
        ("text\x1b", "text"),
        ("\x1b[38;5;1mtext\x1b[0m", "text"),
    ],
)
def test_escape_sequences_go_as_a_whole(said: str, left: str) -> None:
    assert without_escapes(said) == left


@pytest.mark.parametrize(("line", "shown"), [("10%\r20%\r", "20%"), ("10%\r20%", "20%"), ("text\r", "text"), ("text", "text"), ("\r", "")])
def test_of_a_line_written_over_the_last_stroke_is_shown(line: str, shown: str) -> None:
    assert last_stroke(line) == shown


def test_a_long_line_is_cut_and_loses_its_colours_so_that_none_is_cut() -> None:
    assert cut("x" * 400) == "x" * 400
    assert cut("\x1b[1m" + "x" * 401) == "x" * 400 + "…"
