"""Cases recorded from the reference implementation."""

import json
from pathlib import Path
from typing import Any

_FIXTURES = Path(__file__).parent.parent / "fixtures"


def recorded_cases(family: str) -> dict[str, dict[str, Any]]:
    """The cases of one file by name; each has `input` and `expected`."""
    cases = json.loads((_FIXTURES / f"{family}.json").read_bytes(), parse_int=_double)["cases"]
    by_name = {case["name"]: case for case in cases}
    assert len(by_name) == len(cases), f"{family}.json: a case name occurs twice"
    return by_name


def _double(digits: str) -> int:
    """An integer as the reference reads it: no more precise than a double."""
    return int(float(digits))
