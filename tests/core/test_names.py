"""Slugs and run ids."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.names import create_embedded_run_id, create_run_id, slugify
from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_task_id
from orchestrator_py.model.timestamp import Timestamp
from tests.core.recorded import recorded_cases

NOW = Timestamp("2025-12-21T14:02:47.637Z")
SLUGS = recorded_cases("slugify")


@pytest.mark.parametrize("case", SLUGS.values(), ids=SLUGS.keys())
def test_a_slug_is_the_one_on_record(case: dict[str, Any]) -> None:
    assert slugify(case["input"]) == case["expected"]


@given(st.text())
def test_a_slug_is_short_and_plain_whatever_it_is_made_of(text: str) -> None:
    slug = slugify(text)
    assert 0 < len(slug) <= 80
    assert slug.replace("-", "").isalnum() or slug == "-"
    assert slug.isascii()
    assert not slug.startswith("-")


def test_a_run_id_holds_the_time_and_what_tells_it_apart() -> None:
    assert create_run_id(NOW, "9f7c2ccb") == "2025-12-21T14-02-47-637Z-9f7c2ccb"


def test_an_embedded_run_is_called_by_its_task_and_the_time() -> None:
    assert create_embedded_run_id(parse_task_id("task-1"), NOW, "9f7c2ccb") == "task-1-2025-12-21T14-02-47-637Z-9f7c2ccb"


def test_a_run_id_that_would_be_too_long_is_refused() -> None:
    with pytest.raises(IdentifierError, match="longer than 255 bytes"):
        create_embedded_run_id(parse_task_id("t" * 240), NOW, "9f7c2ccb")
