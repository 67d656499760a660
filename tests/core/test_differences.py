"""Differences are named by their place."""

import pytest

from orchestrator_py.core.differences import differences


@pytest.mark.parametrize(
    ("found", "expected", "told"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1.0, 2], "a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a is 1, not 2"]),
        ({"a": True}, {"a": 1}, ["a is True, not 1"]),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": None}]}}, ["a.b[0].c is 1, not None"]),
        ({"x": 1}, {"y": 1}, ["y is missing", "x should not be there"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a is [1], not [1, 2]"]),
        ([], {}, ["it is [], not {}"]),
        ("x" * 100, 1, [f"it is '{'x' * 59}…, not 1"]),
    ],
)
def test_each_difference_is_one_sentence(found: object, expected: object, told: list[str]) -> None:
    assert differences(found, expected) == told
