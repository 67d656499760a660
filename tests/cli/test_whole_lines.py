"""Lines are whole, however they come, and a long one is not copied with each of its pieces."""

import time

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.cli.whole_lines import WholeLines


@given(st.lists(st.text(alphabet="ab\n", max_size=6), max_size=12))
def test_the_lines_are_those_of_the_whole_text(pieces: list[str]) -> None:
    lines = WholeLines()
    found = [line for piece in pieces for line in lines.feed(piece)]
    assert [*found, lines.end()] == "".join(pieces).split("\n")
    assert lines.end() == ""


def test_a_long_line_in_many_pieces_costs_no_more_than_its_length() -> None:
    """Copying all that has come with each piece takes minutes."""
    lines, piece = WholeLines(), 1000 * "x"
    began = time.process_time()
    for _ in range(50_000):
        assert lines.feed(piece) == []
    assert len(lines.end()) == 50_000_000
    assert time.process_time() - began < 10
