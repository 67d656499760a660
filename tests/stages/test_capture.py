"""Pieces of output: nothing is lost between them, and what is kept is bounded."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.stages.capture import HEAD_BYTES, TAIL_BYTES, Capture


def feed_all(capture: Capture, pieces: list[bytes]) -> list[tuple[str, int]]:
    return [*(capture.feed(piece) for piece in pieces), capture.feed(b"", final=True)]


@given(st.one_of(st.binary(), st.text().map(str.encode)), st.lists(st.integers(min_value=0, max_value=40)))
def test_wherever_output_is_cut_the_pieces_say_the_same(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    said = feed_all(Capture(), [data[start:end] for start, end in pairwise(places)])
    assert "".join(text for text, _ in said) == data.decode(errors="backslashreplace")
    assert sum(size for _, size in said) == len(data)


def test_a_character_waits_for_its_last_byte_and_its_bytes_count_with_it() -> None:
    capture = Capture()
    assert capture.feed(b"a\xe2\x82") == ("a", 1)
    assert capture.feed(b"\xac!") == ("€!", 4)


def test_a_character_that_never_ends_is_spelled_out_at_the_end() -> None:
    capture = Capture()
    capture.feed(b"\xe2\x82")
    assert capture.feed(b"", final=True) == (r"\xe2\x82", 2)


@given(st.binary(max_size=100))
def test_short_output_is_kept_whole(data: bytes) -> None:
    capture = Capture()
    feed_all(capture, [data])
    output = capture.output()
    assert (output.text, output.tail, output.truncated) == (*[data.decode(errors="backslashreplace")] * 2, False)


def test_exactly_the_limit_is_not_truncated_and_one_byte_more_is() -> None:
    capture = Capture()
    capture.feed(b"x" * HEAD_BYTES)
    assert not capture.output().truncated
    capture.feed(b"y")
    assert capture.output().truncated
    assert capture.output().text == "x" * HEAD_BYTES


def test_long_output_keeps_its_beginning_and_its_end_without_split_characters() -> None:
    capture = Capture()
    for _ in range(100):
        capture.feed("é€😀".encode() * 1000)
    output = capture.output()
    assert output.text.startswith("é€😀")
    assert output.tail.endswith("é€😀")
    assert "\\x" not in output.text + output.tail
    assert HEAD_BYTES - 4 < len(output.text.encode()) <= HEAD_BYTES
    assert TAIL_BYTES - 4 < len(output.tail.encode()) <= TAIL_BYTES
