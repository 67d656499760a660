"""`python -m bench`: every workload can be measured without a single peer, and nothing is lost."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.workloads import WORKLOADS


def claims(path: Path) -> Iterator[dict[str, object]]:
    yield from json.loads(path.read_text())["workloads"][0]["claims"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_is_measured_and_loses_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", name, "--reps", "1", "--scale", "0.005", "--peers", "", "--folder", str(tmp_path / "peers")]
    assert main([*words, "--json", str(tmp_path / "told.json")]) == 0
    told, asked = capsys.readouterr()
    assert f"### {name}: " in told
    assert "failed" not in told.replace("| failed ", "").replace(": 0 failed", ""), asked
    for claim in claims(tmp_path / "told.json"):
        peers = any(peer in str(claim["claim"]) for peer in ("reference", "make", "doit", "taskiq"))
        assert (claim["verdict"] == "not measured") == peers, claim
        if " 0 " in str(claim["claim"]):
            assert claim["verdict"] == "reached", claim


def test_an_unknown_workload_or_peer_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        (["run", "W9"], "unknown: W9; choose from W1, W2"),
        (["run", "--peers", "mak"], "unknown: mak; choose from reference, doit"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert told in capsys.readouterr().err


def test_the_doctor_says_what_is_missing_and_how_to_have_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "missing    reference: the reference implementation, @kbediako/codex-orchestrator@0.2.1 from npm" in told
    assert f"npm install --prefix {tmp_path}/reference-0.2.1" in told
    assert list(tmp_path.iterdir()) == []


def test_a_profile_tells_the_time_by_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "W3", "--scale", "0.02", "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "CPU ms by room" in told
    assert "  orchestrator_py/store" in told


def test_many_processes_are_not_profiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "W7", "--folder", str(tmp_path)]) == 1
    assert "profile that" in capsys.readouterr().err
