"""The measurement of the dashboard measures a dashboard at work."""

import re
from pathlib import Path

from bench.dashboard import measure_dashboard


def test_each_rate_gets_a_line_with_what_was_told_meanwhile_and_one_with_delays(tmp_path: Path) -> None:
    lines = measure_dashboard(tmp_path / "new", 1)
    expected = re.compile(r"1000 ended runs, 20 live ones, (\d+) events .*: [\d.]+% of a core, ([\d.]+) told a second; .*")
    found = [expected.fullmatch(line) for line in lines[::2]]
    assert [re.sub(r"[\d.]+ s|reached|\*\*missed\*\*", "…", line.strip()) for line in lines[1::2]] == [
        "from the record of an end to the stream, 5 runs: …, at most …; …"
    ] * 2
    assert [match and match[1] for match in found] == ["50", "1000"]
    assert all(match and float(match[2]) > 0 for match in found)
    assert list((tmp_path / "new").iterdir()) == []
