"""The account that every harness gives: what it tried, how many of its faults fired, what broke a promise."""

from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

ROW = "harness"
"""The key under which a test's report carries its rows."""


@frozen
class Row:
    """One line of the table. A harness without faults of its own (a schedule, a reader) has as many `fired` as `tried`."""

    harness: str
    tried: int
    fired: int
    violations: int


Account = Callable[[Row], None]
"""What the fixture `account` is."""


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of the table; rows of one harness are added up."""
    totals: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        tried, fired, violations = totals.get(row.harness, (0, 0, 0))
        totals[row.harness] = (tried + row.tried, fired + row.fired, violations + row.violations)
    if totals:
        yield f"{'harness':58}{'tried':>10}{'fired':>10}{'violations':>12}"
    for harness, (tried, fired, violations) in sorted(totals.items()):
        yield f"{harness:58}{tried:10}{fired:10}{violations:12}"
