"""What runs and how many ended how, as the news tell it."""

import pytest

from orchestrator_py.cli.progress_board import Board, duration, outcome_words
from orchestrator_py.model.outcome import Outcome
from tests.cli.news import finished, run_started, started


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_it_counts_what_the_news_say() -> None:
    board = Board()
    board(run_started(4))
    for name in ("p:a", "p:b", "p:c"):
        board(started(name))
    board(finished("p:a"))
    board(finished("p:c", Outcome.FAILED))
    board(finished("p:d", Outcome.SKIPPED))
    assert [one.name for one in board.running()] == ["p:b"]
    assert (board.planned, board.ended, board.not_started) == (4, 3, 1)
    assert [text for text, _ in outcome_words(board)] == ["succeeded 1", "failed 1"]


def test_child_runs_are_counted_beside_their_parents() -> None:
    board = Board()
    board(run_started(2))
    board(run_started(3))
    assert board.planned == 5


def test_the_heartbeat_names_what_runs_and_since_when() -> None:
    clock = Clock()
    board = Board(clock)
    assert board.heartbeat() == ""
    board(started("p:build"))
    clock.seconds += 30
    board(started("p:test"))
    clock.seconds += 12
    assert board.heartbeat() == "still running: p:build (42 s), p:test (12 s)"
    for number in range(5):
        board(started(f"p:{number}"))
    assert board.heartbeat().endswith("p:2 (0 s), and 2 more")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 m 00 s"), (3599, "59 m 59 s"), (3600, "1 h 00 m"), (360_000, "100 h 00 m")]
)
def test_durations_are_short(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_an_exact_duration_has_tenths_up_to_a_minute() -> None:
    assert duration(1.25, exact=True) == "1.2 s"
    assert duration(61.5, exact=True) == "1 m 01 s"
