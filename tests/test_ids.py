"""Which texts may name a task or a run."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.errors import IdentifierError
from orchestrator_py.ids import parse_run_id, parse_task_id
from tests.core.recorded import recorded_cases

CASES = recorded_cases("identifiers")
PARSERS: dict[str, Callable[[object], str]] = {"task": parse_task_id, "run": parse_run_id}


def _is_too_long(case: dict[str, Any]) -> bool:
    return len(case["input"]["value"].encode("utf-8", "surrogatepass")) > 255


AS_THE_REFERENCE = {name: case for name, case in CASES.items() if not _is_too_long(case)}
TOO_LONG = {name: case for name, case in CASES.items() if _is_too_long(case)}


@pytest.mark.parametrize("case", AS_THE_REFERENCE.values(), ids=AS_THE_REFERENCE.keys())
def test_a_name_is_taken_unchanged_or_refused_with_the_words_on_record(case: dict[str, Any]) -> None:
    parse, value, expected = PARSERS[case["input"]["kind"]], case["input"]["value"], case["expected"]
    if expected["ok"]:
        assert parse(value) == expected["value"]
    else:
        with pytest.raises(IdentifierError) as refused:
            parse(value)
        assert str(refused.value) == expected["message"]


@pytest.mark.parametrize("case", TOO_LONG.values(), ids=[f"{len(case['input']['value'])} characters" for case in TOO_LONG.values()])
def test_a_name_that_no_file_system_can_hold_is_refused_though_the_reference_takes_it(case: dict[str, Any]) -> None:
    assert case["expected"]["ok"]
    with pytest.raises(IdentifierError, match="longer than 255 bytes"):
        PARSERS[case["input"]["kind"]](case["input"]["value"])


@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfff", "\udc80b"])
def test_half_a_surrogate_pair_is_refused_though_the_reference_takes_it(surrogate: str) -> None:
    with pytest.raises(IdentifierError, match="lone surrogates"):
        parse_task_id(surrogate)


@pytest.mark.parametrize("value", [None, 7, b"bytes", ["a"], ""])
def test_what_is_no_text_is_no_name(value: object) -> None:
    with pytest.raises(IdentifierError, match=r"Invalid run ID: value must be a non-empty string\."):
        parse_run_id(value)


def test_length_is_counted_in_bytes() -> None:
    assert parse_task_id("é" * 127) == "é" * 127
    with pytest.raises(IdentifierError):
        parse_task_id("é" * 128)


@given(st.text())
def test_a_name_that_is_taken_stays_inside_its_folder(value: str) -> None:
    try:
        name = parse_task_id(value)
    except IdentifierError:
        return
    assert name == value
    assert not {"/", "\\", "\0", "\n"} & set(name)
    assert name not in ("", ".", "..")
    assert len(name.encode()) <= 255
