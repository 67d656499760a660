"""Figures: rounding as JavaScript rounds, and totals that survive being saved."""

import math

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.figures import figure, is_figure, rounded_to_micro, totals_from_data, totals_to_data
from orchestrator_py.core.json_text import compact_json, parse_json
from orchestrator_py.errors import DecodeError


@define(kw_only=True)
class SomeTotals:
    things: int = 0
    weight: float = 0.0


@pytest.mark.parametrize("value", [True, False, None, "1", [1], {}])
def test_only_json_numbers_are_figures(value: object) -> None:
    assert not is_figure(value)
    assert figure(value) == 0


@pytest.mark.parametrize(
    ("number", "rounded"),
    [
        (0.5e-6, 1e-6),
        (1.5e-6, 2e-6),
        (2.5e-6, 3e-6),
        (-0.5e-6, 0),
        (-1.5e-6, -1e-6),
        (-1.6e-6, -2e-6),
        (4.999999999999999e-07, 0),
        (4503599627.370497, 4503599627.370497),
        (1e12, 1e12),
        (1e300, 1e300),
        (0, 0),
    ],
)
def test_halves_of_a_micro_go_up(number: float, rounded: float) -> None:
    assert rounded_to_micro(number) == rounded


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e305])
def test_what_has_left_the_range_of_doubles_rounds_to_null(number: float) -> None:
    assert rounded_to_micro(number) is None


@given(st.builds(SomeTotals, things=st.integers(0, 2**53), weight=st.floats(allow_nan=False).map(lambda number: number + 0.0)))
def test_totals_are_the_same_after_they_were_saved(totals: SomeTotals) -> None:
    saved = parse_json(compact_json(totals_to_data(totals)))
    read = totals_from_data(SomeTotals, saved)
    assert read == totals
    assert type(read.weight) is float


@pytest.mark.parametrize(
    "data",
    [
        *(None, [], {}, {"things": 1}, {"things": 1, "weight": 1, "more": 1}),
        *({"things": no_count, "weight": 1} for no_count in (-1, 1.5, True, "1", None)),
        *({"things": 1, "weight": no_sum} for no_sum in (True, "1", "nan", None)),
    ],
)
def test_data_of_another_shape_is_refused(data: object) -> None:
    with pytest.raises(DecodeError, match="rebuild"):
        totals_from_data(SomeTotals, data)
