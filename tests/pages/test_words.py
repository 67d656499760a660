"""Every word that a run may end with has a class of its own kind: none that ended is told as one that waits or runs."""

import re

import pytest

from orchestrator_py.pages import run_table
from orchestrator_py.pages.assets import asset
from orchestrator_py.pages.words import class_of
from orchestrator_py.reading.run import QUEUED, RUNNING, WORDS


@pytest.mark.parametrize("word", WORDS)
def test_what_has_ended_neither_waits_nor_runs(word: str) -> None:
    assert (class_of(word) in ("waiting", "running")) is (word in (QUEUED, RUNNING))
    assert class_of(word) in run_table.WORDS


@pytest.mark.parametrize("word", run_table.WORDS)
def test_every_class_has_a_colour(word: str) -> None:
    assert re.search(rf"^[^{{}}]*\.{word}\b[^{{}}]*{{ color: ", asset("static/page.css"), re.MULTILINE)
