"""`python -m bench dask` measures a real cluster; here with little to do, since what it says of large work is for its reader."""

import pytest

from bench import dask
from bench.__main__ import main


def test_a_cluster_is_measured_beside_the_engine_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (
        ("COMMANDS", 4),
        ("TALKERS", 2),
        ("STOPPED", 2),
        ("LINES_A_SECOND", "seq 50"),
        ("MUCH", "head -c 300000 /dev/zero"),
    ):
        monkeypatch.setattr(dask, name, value)
    assert main(["dask", "--workers", "1", "--reps", "1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 6
    assert told[0].startswith("4 x true, recorded")
    assert "100 lines arrived" in told[4]
    assert "ms until its end is back" in told[5]
